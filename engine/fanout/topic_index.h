#pragma once
// The topics that a shard knows. Looking up a name allocates nothing and takes some tens of nanoseconds;
// topics are added up to a bound and never removed, so that an id in a log or at a client never comes to mean
// something else.

#include <array>
#include <map>
#include <string_view>

#include "engine/fanout/topic.h"
#include "netstack/base/reserved_array.h"

namespace millrace::fanout {

class TopicIndex {
  public:
    // `secret` keys the hash, so that strangers who choose names cannot make them collide.
    static Expected<TopicIndex> create(std::uint32_t max_topics, std::array<std::uint64_t, 2> secret);

    // kNoTopic: not known.
    TopicId find(std::string_view name) const;
    // That of a name that is_topic(), known or new; ids count up from zero. kNoTopic: the bound is reached.
    TopicId add(std::string_view name);

    // Stays where it is for as long as the index.
    std::string_view name(TopicId id) const { return {names_.data() + entries_[id].at, entries_[id].size}; }
    std::uint32_t size() const { return size_; }
    std::uint32_t max_topics() const { return static_cast<std::uint32_t>(entries_.capacity()); }

    // Calls each(id) for the topics that a valid `pattern` stands for, in the order of their names; `each`
    // adds none. What its tokens rule out is passed over by whole ranges: `md.*.trades` looks once or twice
    // at each second token.
    template <class Each>
    void each_matching(std::string_view pattern, Each&& each) const {
        if (!is_wild(pattern)) {
            if (const TopicId id = find(pattern); id != kNoTopic) each(id);
            return;
        }
        for (auto at = first_matching(pattern); at != sorted_.end();
             at = next_matching(std::next(at), pattern))
            each(at->second);
    }

  private:
    using Sorted = std::map<std::string_view, TopicId>;  // of views into names_

    struct Entry {
        std::uint64_t at;  // in names_
        std::uint32_t size;
        std::uint32_t hash;
    };

    std::uint32_t hash(std::string_view name) const;
    std::size_t slot_of(std::string_view name, std::uint32_t hash) const;
    Sorted::const_iterator first_matching(std::string_view pattern) const;
    Sorted::const_iterator next_matching(Sorted::const_iterator at, std::string_view pattern) const;

    std::array<std::uint64_t, 2> secret_{};
    std::uint32_t size_ = 0;
    std::uint64_t names_end_ = 0;
    ReservedArray<Entry> entries_;        // by TopicId
    ReservedArray<char> names_;           // one after the other
    ReservedArray<std::uint32_t> slots_;  // open addressing, at most half full: id + 1, or 0
    Sorted sorted_;
};

}  // namespace millrace::fanout
