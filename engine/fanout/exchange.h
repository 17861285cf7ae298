#pragma once
// Publications between the shards of a server. Each topic has a home shard, which numbers its messages, so
// that they have the same sequence numbers everywhere: a publication goes from the shard where it arrives to
// its topic's home, and from there once to every other, by a ring for each pair. Nothing waits: with a full
// ring a publication is not taken (towards its home), or is missing at that shard, where it is told (from its
// home).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/fanout/publication_ring.h"
#include "netstack/base/counter.h"

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
            while (ring((to + i) % shards_, to).pop(p, sequence))
                if (!each(p, sequence)) return;
    }

    // Publications for which a ring was full, from each shard.
    std::uint64_t refused(unsigned from) const { return refused_[from]->value(); }

  private:
    PublicationRing& ring(unsigned from, unsigned to) const { return *rings_[from * shards_ + to]; }

    unsigned shards_;
    std::vector<std::unique_ptr<PublicationRing>> rings_;  // from * shards + to; null from a shard to itself
    std::vector<std::unique_ptr<Counter>> refused_;        // by the shard that it came from
};

}  // namespace millrace::fanout
