#pragma once
// The patterns that are subscribed to at a shard, as a trie of their tokens. Which of them stand for a topic
// is asked when the topic is first seen and not for each message, so this is no hot path; it allocates only
// when a pattern is added. Matching visits at most the trie's nodes, which the bound on patterns bounds.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/fanout/topic.h"

namespace millrace::fanout {

using PatternId = std::uint32_t;
inline constexpr PatternId kNoPattern = ~PatternId{0};

class PatternIndex {
  public:
    explicit PatternIndex(std::uint32_t max_patterns) : max_patterns_(max_patterns) {}

    // kNoPattern: not known.
    PatternId find(std::string_view pattern) const;
    // That of something that is_pattern(), known or new. kNoPattern: the bound is reached.
    PatternId add(std::string_view pattern);
    // The id may come to mean another pattern.
    void remove(PatternId id);

    std::string_view pattern(PatternId id) const { return patterns_[id]; }
    std::uint32_t size() const { return static_cast<std::uint32_t>(patterns_.size() - free_.size()); }

    // Calls each(id) for the patterns that stand for the topic `name`; `each` neither adds nor removes.
    template <class Each>
    void each_matching(std::string_view name, Each&& each) const {
        match(root_, name, each);
    }

  private:
    struct Node {
        PatternId id = kNoPattern;                                           // of the pattern that ends here
        std::map<std::string, std::unique_ptr<Node>, std::less<>> children;  // by token
    };

    static const Node* child(const Node& node, std::string_view token) {
        const auto at = node.children.find(token);
        return at == node.children.end() ? nullptr : at->second.get();
    }
    static bool remove_below(Node& node, std::string_view rest);

    // As deep as a name has tokens: 64.
    template <class Each>
    static void match(const Node& node, std::string_view rest, Each& each) {
        if (rest.empty()) {
            if (node.id != kNoPattern) each(node.id);
            return;
        }
        if (const Node* all = child(node, ">")) each(all->id);
        const std::string_view token = take_token(rest);
        if (const Node* literal = child(node, token)) match(*literal, rest, each);
        if (const Node* any = child(node, "*")) match(*any, rest, each);
    }

    std::uint32_t max_patterns_;
    Node root_;
    std::vector<std::string> patterns_;  // by PatternId
    std::vector<PatternId> free_;
};

}  // namespace millrace::fanout
