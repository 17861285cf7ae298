#pragma once
// Publications between the shards of a server. Each topic has a home shard, which numbers its messages, so
// that they have the same sequence numbers everywhere: a publication goes from the shard where it arrives to
// its topic's home, and from there once to every other, by a ring for each pair. Nothing waits: with a full
// ring a publication is not taken (towards its home), or is missing at that shard, where it is told (from its
// home).

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/fanout/publication.h"
#include "netstack/base/counter.h"
#include "netstack/base/spsc_ring.h"

namespace millrace::fanout {

class Exchange {
  public:
    // `ring_bytes` of each pair of shards; the longest publication must fit.
    Exchange(unsigned shards, std::size_t ring_bytes);

    unsigned shards() const { return shards_; }
    unsigned home(std::string_view topic) const;

    // From the thread of shard `from`. `sequence` 0: to be numbered there. False when the ring is full.
    bool send(unsigned from, unsigned to, const Publication& p, std::uint64_t sequence);
    // Whether the fullest ring from `from` is more than half full.
    bool crowded(unsigned from) const;

    // On the thread of shard `to`: calls each(publication, sequence) for what has come, from each of the
    // others in turn, until it returns false. What the publication refers to is gone after the call.
    template <class Each>
    void receive(unsigned to, Each&& each) {
        Publication p;
        std::uint64_t sequence = 0;
        for (unsigned i = 1; i < shards_; ++i)
            while (pop((to + i) % shards_, to, p, sequence))
                if (!each(p, sequence)) return;
    }

    // Publications for which a ring was full, from each shard.
    std::uint64_t refused(unsigned from) const { return ends_[from]->refused.value(); }

  private:
    static constexpr std::size_t kCellBytes = 64;
    using Cell = std::array<std::byte, kCellBytes>;
    using Ring = SpscRing<Cell>;

    // What stands in the first cell, before topic, key and payload.
    struct Head {
        std::uint64_t sequence;
        std::uint64_t time_ns;
        std::uint32_t payload_bytes;
        std::uint8_t topic_bytes;
        std::uint8_t key_bytes;
        Content content;
    };
    static_assert(sizeof(Head) <= kCellBytes && kMaxTopicBytes < 256 && kMaxKeyBytes < 256);

    // A shard's own scratch.
    struct End {
        std::vector<Cell> out, in;
        Counter refused;
    };

    Ring& ring(unsigned from, unsigned to) const { return *rings_[from * shards_ + to]; }
    bool pop(unsigned from, unsigned to, Publication& p, std::uint64_t& sequence);

    unsigned shards_;
    std::vector<std::unique_ptr<Ring>> rings_;  // from * shards + to; null from a shard to itself
    std::vector<std::unique_ptr<End>> ends_;
};

}  // namespace millrace::fanout
