#pragma once
// Steering in software, between the queues of one port: what arrives at one shard and belongs to another goes
// to it over a wire (a copy: see wire.h).
//
//   - TCP, where the port spreads flows by a function of its own (af_packet, tap): to the shard that Rss
//   names.
//   - ICMP errors: to the shard of the connection that they quote; hardware sees only the router's address.
//   - ARP, neighbour discovery and all else without a flow: to every shard; each has its own neighbour table.
//   - What an IPv6 group is sent behind extension headers, as listener queries are: to the first shard, which
//   answers.
//
// With one shard there is no steering, and it costs nothing.

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "netstack/base/counter.h"
#include "netstack/base/error.h"
#include "netstack/port/rss.h"
#include "netstack/port/wire.h"

namespace millrace::net {

// One shard's part; used by its thread only.
class ShardSteering {
  public:
    // Hands on what belongs to others, moves this shard's own frames to the front, in order; returns how
    // many.
    unsigned keep_own(std::span<rte_mbuf*> burst);
    // Frames that other shards handed over.
    unsigned receive(std::span<rte_mbuf*> burst);

    std::uint64_t handed_over() const { return handed_over_.value(); }
    // Lost because a wire was full: the other shard is too slow.
    std::uint64_t dropped() const { return dropped_.value(); }

  private:
    friend class Steering;
    ShardSteering(unsigned self, const Rss& rss, bool port_steers)
        : self_(self), rss_(rss), port_steers_(port_steers) {}

    static constexpr unsigned kEveryone = ~0u;
    unsigned owner_of(const rte_mbuf* frame) const;
    void hand_to(unsigned shard, const rte_mbuf* frame);

    unsigned self_;
    Rss rss_;
    bool port_steers_;  // flows arrive where Rss says already
    unsigned turn_ = 0;
    std::vector<Wire*> to_;    // by shard; null for this one
    std::vector<Wire*> from_;  // the other shards'
    Counter handed_over_, dropped_;
};

class Steering {
  public:
    // Between `rss.queues()` shards, two at least.
    static Expected<std::unique_ptr<Steering>> create(const Rss& rss, bool port_steers, std::uint16_t mtu);
    ShardSteering& shard(unsigned i) { return *shards_[i]; }

  private:
    Steering() = default;
    std::vector<std::unique_ptr<Wire>> wires_;
    std::vector<std::unique_ptr<ShardSteering>> shards_;
};

}  // namespace millrace::net
