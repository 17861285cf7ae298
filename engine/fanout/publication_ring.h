#pragma once
// Publications from one thread to one other, by value, in a ring of cells: from shard to shard, or from a
// source's thread to a shard. Nothing waits: with a full ring a publication is not taken.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/fanout/publication.h"
#include "netstack/base/spsc_ring.h"

namespace millrace::fanout {

class PublicationRing {
  public:
    // The longest publication must fit into `bytes`.
    explicit PublicationRing(std::size_t bytes)
        : ring_(bytes / kCellBytes),
          out_(std::make_unique_for_overwrite<Cell[]>(bytes / kCellBytes)),
          in_(std::make_unique_for_overwrite<Cell[]>(bytes / kCellBytes)) {}

    // The sender's side. False when the ring has no room for it. Of `p`, time, topic, key, content and
    // payload go across.
    bool push(const Publication& p, std::uint64_t sequence);
    // The receiver's side. What `p` then refers to is gone with the next call.
    bool pop(Publication& p, std::uint64_t& sequence);
    // Any thread's.
    bool crowded() const { return ring_.size() > ring_.capacity() / 2; }

  private:
    static constexpr std::size_t kCellBytes = 64;
    using Cell = std::array<std::byte, kCellBytes>;

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
    static std::size_t cells_for(std::size_t bytes) { return (bytes + kCellBytes - 1) / kCellBytes; }

    SpscRing<Cell> ring_;
    // The sender's scratch and the receiver's, as long as the ring: memory only as far as they were ever
    // used.
    std::unique_ptr<Cell[]> out_, in_;
};

}  // namespace millrace::fanout
