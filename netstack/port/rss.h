#pragma once
// Receive-side scaling as hardware does it: the Toeplitz hash of a flow and the indirection table that maps
// it to a queue, and so to a shard. The same function steers in software where a port cannot, spreads
// packets on a cable, and chooses source ports so that replies come home.

#include <array>
#include <cstdint>

#include "netstack/base/address.h"

namespace millrace::net {

// Microsoft's well-known key ("Verifying the RSS hash calculation"), which most drivers load by default.
inline constexpr std::array<std::uint8_t, 40> kRssKey{
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

class Rss {
  public:
    static constexpr unsigned kTableSize = 128;  // what most NICs have

    // `queues` shards behind an indirection table that leads to them in turn. A NIC whose own table is larger
    // repeats this one; one with a smaller table, of `period` entries (a power of two), is what this one
    // repeats.
    explicit Rss(unsigned queues, unsigned period = kTableSize) : queues_(queues) {
        for (unsigned i = 0; i < kTableSize; ++i)
            table_[i] = static_cast<std::uint8_t>(i % period % queues);
    }

    unsigned queues() const { return queues_; }
    unsigned queue_of_hash(std::uint32_t hash) const { return table_[hash % kTableSize]; }

    // The queue that receives a packet with this source and destination.
    unsigned queue_of(const SocketAddress& source, const SocketAddress& destination) const {
        return queues_ == 1 ? 0 : queue_of_hash(hash(source, destination));
    }
    // The queue of a packet without ports (not TCP).
    unsigned queue_of(const IpAddress& source, const IpAddress& destination) const {
        return queues_ == 1 ? 0 : queue_of_hash(hash(source, destination));
    }

    // Both addresses are of one family.
    static std::uint32_t hash(const SocketAddress& source, const SocketAddress& destination);
    static std::uint32_t hash(const IpAddress& source, const IpAddress& destination);

  private:
    unsigned queues_;
    std::array<std::uint8_t, kTableSize> table_{};
};

}  // namespace millrace::net
