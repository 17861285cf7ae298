#pragma once
// Receive-side scaling as hardware does it: the Toeplitz hash of a flow and the indirection table that maps
// it to a queue, and so to a shard. The same function steers in software where a port cannot, spreads
// packets on a cable, and chooses source ports so that replies come home.

#include <array>
#include <cstdint>

#include "netstack/base/address.h"

namespace millrace::net {

class Rss {
  public:
    // Microsoft's well-known 40-byte key; `queues` shards behind a 128-entry indirection table.
    explicit Rss(unsigned queues);
    unsigned queues() const;
    // The queue that receives a packet with this source and destination.
    unsigned queue_of(SocketAddress source, SocketAddress destination) const;
    std::uint32_t hash(SocketAddress source, SocketAddress destination) const;
};

}  // namespace millrace::net
