#pragma once
// Two Ethernet ports joined inside this process by DPDK rings: the whole path runs at full speed on a machine
// with no NIC. N shards on end A and M on end B are joined by one wire for each (sending shard, receiving
// shard), so that nothing is shared (see wire.h). The sender picks the wire as a NIC's receive-side scaling
// picks a queue, by Rss. Each end is one Port to its stacks; under it are as many of DPDK's ring devices as
// its queues need, which have 16 at most.

#include <cstdint>
#include <memory>
#include <vector>

#include "netstack/base/error.h"
#include "netstack/port/cable_sender.h"
#include "netstack/port/faults.h"
#include "netstack/port/port.h"
#include "netstack/port/wire.h"

namespace millrace::net {

struct CableOptions {
    unsigned shards_a = 1;
    unsigned shards_b = 1;
    std::uint16_t mtu = 1500;
    unsigned slots = 2048;  // of each wire: frames in flight, a power of two
    unsigned mbufs = 8192;  // of each wire
    // A dumb wire leaves checksums to the stacks. With this, the cable acts as two NICs that compute and
    // verify them (no frame is damaged inside a process), and describe() says so.
    bool checksum_offload = false;
    CableFaults faults;  // both ways
};

class Cable {
  public:
    // Fails when the shards need more queues than DPDK's ring driver has (16 a device, and 32 devices), or
    // memory is short.
    static Expected<std::unique_ptr<Cable>> create(const CableOptions& options);
    // All stacks on both ends, and all packets received from it, must be gone.
    ~Cable() = default;

    Port& a() { return a_; }
    Port& b() { return b_; }
    // What the faults did, on all wires.
    struct FaultSums {
        std::uint64_t lost = 0, corrupted = 0, duplicated = 0, reordered = 0, delayed = 0;
    };
    FaultSums faults() const;

  private:
    // One direction: a wire from each shard of one end to each of the other.
    struct Wires {
        std::vector<std::unique_ptr<Wire>> all;
        unsigned senders = 0, receivers = 0;
        Wire& at(unsigned from, unsigned to) { return *all[from * receivers + to]; }
    };

    Cable() = default;
    static Expected<Wires> lay(unsigned senders, unsigned receivers, const CableOptions& options);
    Expected<void> make_end(Port& port, const char* name, Wires& out, Wires& in, const CableOptions& options);
    // The device of `count` shards from `first` on.
    Expected<void> make_device(Port& port, Wires& out, Wires& in, unsigned first, unsigned count,
                               const CableOptions& options);
    static Expected<void> start(Port::Device& device, rte_mempool* any_pool, std::uint16_t queues);

    Wires a_to_b_, b_to_a_;
    std::vector<std::unique_ptr<CableSender>> senders_;
    Port a_, b_;
};

}  // namespace millrace::net
