#include "engine/fanout/topic_index.h"

#include <bit>
#include <cassert>
#include <cstring>

namespace millrace::fanout {
namespace {

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const auto product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// A string to look for in the order of the names, put together without an allocation.
class Bound {
  public:
    explicit Bound(std::string_view text) { add(text); }
    Bound& add(std::string_view text) {
        std::memcpy(text_.data() + size_, text.data(), text.size());
        size_ += text.size();
        return *this;
    }
    operator std::string_view() const { return {text_.data(), size_}; }

  private:
    std::size_t size_ = 0;
    std::array<char, 2 * kMaxTopicBytes + 2> text_;
};

// How far `name` agrees with `pattern`: `agreed` is its part before the token that does not, with its dot.
struct Comparison {
    bool match;
    std::string_view agreed;
    std::string_view wanted;  // the pattern's token there; empty when the pattern has ended
};

Comparison compare(std::string_view pattern, std::string_view name) {
    std::string_view rest = name;
    while (!pattern.empty() && !rest.empty()) {
        const std::string_view agreed = name.substr(0, name.size() - rest.size());
        const std::string_view wanted = take_token(pattern);
        if (wanted == ">") return {true, {}, {}};
        if (take_token(rest) != wanted && wanted != "*") return {false, agreed, wanted};
    }
    return {pattern.empty() && rest.empty(), name.substr(0, name.size() - rest.size()), {}};
}

// The first string after `name`, which does not match, that may begin one that does. In ASCII '/' follows
// '.': P + "/" is behind all that begin with P + ".".
Bound beyond(std::string_view name, const Comparison& compared) {
    if (!compared.wanted.empty()) {
        Bound wanted = Bound(compared.agreed).add(compared.wanted);
        if (wanted > name) return wanted;
        if (wanted.add("."); wanted > name) return wanted;
    }
    const std::string_view agreed = compared.agreed;
    // A name that ends before its pattern does may begin the next one; no name has a space.
    if (agreed.empty() || agreed.back() != '.') return Bound(name).add(" ");
    return Bound(agreed.substr(0, agreed.size() - 1)).add("/");
}

}  // namespace

Expected<TopicIndex> TopicIndex::create(std::uint32_t max_topics, std::array<std::uint64_t, 2> secret) {
    assert(max_topics > 0 && max_topics <= 1u << 30);
    TopicIndex index;
    index.secret_ = secret;
    auto entries = ReservedArray<Entry>::create(max_topics);
    auto names = ReservedArray<char>::create(std::size_t{max_topics} * kMaxTopicBytes);
    auto slots = ReservedArray<std::uint32_t>::create(std::bit_ceil(std::size_t{max_topics} * 2));
    if (!entries || !names || !slots)
        return fail("cannot reserve address space for " + std::to_string(max_topics) +
                    " topics: lower --max-topics or raise the limit on virtual memory (ulimit -v)");
    index.entries_ = std::move(*entries);
    index.names_ = std::move(*names);
    index.slots_ = std::move(*slots);
    return index;
}

std::uint32_t TopicIndex::hash(std::string_view name) const {
    std::uint64_t mixed = secret_[0] ^ name.size();
    while (!name.empty()) {
        std::uint64_t word = 0;
        const std::size_t taken = std::min(name.size(), sizeof word);
        std::memcpy(&word, name.data(), taken);
        mixed = fold(mixed ^ word, secret_[1] ^ 0x9e3779b97f4a7c15);
        name.remove_prefix(taken);
    }
    return static_cast<std::uint32_t>(fold(mixed ^ secret_[0], 0xd6e8feb86659fd93) >> 16);
}

// Where `name` is, or where it would be put.
std::size_t TopicIndex::slot_of(std::string_view name, std::uint32_t hash) const {
    const std::size_t mask = slots_.capacity() - 1;
    std::size_t slot = hash & mask;
    for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
        const TopicId id = slots_[slot] - 1;
        if (entries_[id].hash == hash && this->name(id) == name) break;
    }
    return slot;
}

TopicId TopicIndex::find(std::string_view name) const {
    return slots_[slot_of(name, hash(name))] - 1;  // kNoTopic is what an empty slot's 0 becomes
}

TopicId TopicIndex::add(std::string_view name) {
    const std::uint32_t hashed = hash(name);
    std::uint32_t& slot = slots_[slot_of(name, hashed)];
    if (slot != 0) return slot - 1;
    if (size_ == max_topics()) return kNoTopic;
    const TopicId id = size_++;
    std::memcpy(names_.data() + names_end_, name.data(), name.size());
    entries_[id] = {names_end_, static_cast<std::uint32_t>(name.size()), hashed};
    names_end_ += name.size();
    slot = id + 1;
    sorted_.emplace(this->name(id), id);
    return id;
}

TopicIndex::Sorted::const_iterator TopicIndex::first_matching(std::string_view pattern) const {
    return next_matching(sorted_.lower_bound(pattern.substr(0, pattern.find_first_of("*>"))), pattern);
}

TopicIndex::Sorted::const_iterator TopicIndex::next_matching(Sorted::const_iterator at,
                                                             std::string_view pattern) const {
    const std::string_view prefix = pattern.substr(0, pattern.find_first_of("*>"));
    while (at != sorted_.end() && at->first.starts_with(prefix)) {
        const Comparison compared = compare(pattern, at->first);
        if (compared.match) return at;
        at = sorted_.lower_bound(beyond(at->first, compared));
    }
    return sorted_.end();
}

}  // namespace millrace::fanout
