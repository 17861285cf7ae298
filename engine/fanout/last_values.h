#pragma once
// The keys of all topics, each with the place of its last value in the log. The keys of a topic are a list in
// the order of their last updates: what a conflating subscriber has not been told yet is the end of that list
// behind the sequence number that it was told last.

#include <cstdint>
#include <string_view>

#include "engine/fanout/topic.h"
#include "netstack/base/reserved_array.h"

namespace millrace::fanout {

// A place in a shard's log: bytes logged before it, padding included, so that it only ever grows.
using Offset = std::uint64_t;
inline constexpr Offset kNowhere = 0;

using KeyId = std::uint32_t;
inline constexpr KeyId kNoKey = ~KeyId{0};

class LastValues {
  public:
    struct Key {
        Offset last;
        std::uint64_t sequence;
        std::uint32_t hash;
        TopicId topic;
        KeyId older, newer;  // of the topic, plus one; 0: none. A free key: `newer` is the next free one
    };
    static_assert(sizeof(Key) == 32);

    // `secret` keys the hash, so that strangers who choose keys cannot make them collide.
    static Expected<LastValues> create(std::uint32_t max_topics, std::uint32_t max_keys,
                                       std::uint64_t secret);

    // The key of that name, if it is known. `same(id)` says whether the key has that name.
    template <class Same>
    KeyId find(std::uint32_t hash, TopicId topic, Same&& same) const {
        for (std::size_t i = hash & mask_; slots_[i] != 0; i = (i + 1) & mask_) {
            const KeyId id = slots_[i] - 1;
            if (keys_[id].hash == hash && keys_[id].topic == topic && same(id)) return id;
        }
        return kNoKey;
    }
    std::uint32_t hash(TopicId topic, std::string_view name) const;

    // A new key of `topic`, which has no value yet; kNoKey: the bound is reached.
    KeyId add(TopicId topic, std::uint32_t hash);
    // Its value has been overwritten.
    void remove(KeyId id);
    // A new value.
    void update(KeyId id, Offset last, std::uint64_t sequence);
    // The same one, elsewhere.
    void move(KeyId id, Offset last) { keys_[id].last = last; }

    const Key& operator[](KeyId id) const { return keys_[id]; }
    // From the last updated on to those before: newest(), older() of it, ...; kNoKey ends.
    KeyId newest(TopicId topic) const { return newest_[topic] - 1; }
    KeyId older(KeyId id) const { return keys_[id].older - 1; }

    std::uint32_t size() const { return in_use_; }
    std::uint32_t max_keys() const { return static_cast<std::uint32_t>(keys_.capacity()); }
    std::size_t memory_in_use() const {
        return keys_.resident_bytes() + newest_.resident_bytes() + slots_.resident_bytes();
    }

  private:
    LastValues() = default;
    void unlink(KeyId id);
    void push_newest(KeyId id);

    ReservedArray<Key> keys_;
    ReservedArray<KeyId> newest_;  // by TopicId, plus one; 0: none
    ReservedArray<KeyId> slots_;   // open addressing, at most half full: id + 1, or 0
    std::size_t mask_ = 0;
    std::uint64_t secret_ = 0;
    std::uint32_t in_use_ = 0;
    std::uint32_t used_ = 0;  // keys that were in use at any time
    KeyId free_ = 0;          // plus one
};

}  // namespace millrace::fanout
