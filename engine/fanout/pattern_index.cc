#include "engine/fanout/pattern_index.h"

namespace millrace::fanout {

PatternId PatternIndex::find(std::string_view pattern) const {
    const Node* node = &root_;
    while (node != nullptr && !pattern.empty())
        node = child(*node, take_token(pattern));
    return node == nullptr ? kNoPattern : node->id;
}

PatternId PatternIndex::add(std::string_view pattern) {
    if (const PatternId known = find(pattern); known != kNoPattern) return known;
    if (size() == max_patterns_) return kNoPattern;
    Node* node = &root_;
    for (std::string_view rest = pattern; !rest.empty();) {
        std::unique_ptr<Node>& next = node->children[std::string(take_token(rest))];
        if (!next) next = std::make_unique<Node>();
        node = next.get();
    }
    if (free_.empty()) {
        node->id = static_cast<PatternId>(patterns_.size());
        patterns_.emplace_back(pattern);
    } else {
        node->id = free_.back();
        free_.pop_back();
        patterns_[node->id] = pattern;
    }
    return node->id;
}

void PatternIndex::remove(PatternId id) {
    remove_below(root_, patterns_[id]);
    free_.push_back(id);
}

// Whether nothing is left at or below `node`.
bool PatternIndex::remove_below(Node& node, std::string_view rest) {
    if (rest.empty()) {
        node.id = kNoPattern;
    } else {
        const auto at = node.children.find(take_token(rest));
        if (remove_below(*at->second, rest)) node.children.erase(at);
    }
    return node.id == kNoPattern && node.children.empty();
}

}  // namespace millrace::fanout
