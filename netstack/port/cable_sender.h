#pragma once
// One shard's way into a cable: picks the receiving shard as a NIC's RSS would, copies the frame onto the
// wire to it (see wire.h for why) and releases the original.

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "netstack/port/faults.h"
#include "netstack/port/rss.h"
#include "netstack/port/wire.h"

namespace millrace::net {

class CableSender {
  public:
    // `wires[i]` leads to receiving shard i and is transmit queue `first_tx + i` of `port`. What arrives
    // bears `receive_flags` (ol_flags, e.g. "checksums are good").
    CableSender(std::uint16_t port, std::uint16_t first_tx, std::vector<Wire*> wires,
                std::uint64_t receive_flags)
        : receive_flags_(receive_flags),
          port_(port),
          first_tx_(first_tx),
          wires_(std::move(wires)),
          rss_(static_cast<unsigned>(wires_.size())) {}

    // As PortQueue::transmit.
    unsigned transmit(std::span<rte_mbuf*> burst);

    // From now on frames suffer `faults`; `first_wire` tells this sender's wires from others'.
    void suffer(const CableFaults& faults, unsigned first_wire);
    // One of each wire; empty without faults.
    const std::vector<std::unique_ptr<FaultStage>>& faults() const { return faults_; }

  private:
    bool put(const rte_mbuf* frame);
    void flush(unsigned wire);

    std::uint64_t receive_flags_;
    std::uint16_t port_;
    std::uint16_t first_tx_;
    std::vector<Wire*> wires_;
    Rss rss_;
    std::vector<std::unique_ptr<FaultStage>> faults_;
};

}  // namespace millrace::net
