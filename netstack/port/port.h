#pragma once
// One Ethernet device (any DPDK ethdev) as the shards use it: a queue pair each, and the offloads that it
// has.

#include <rte_ethdev.h>

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/base/error.h"
#include "netstack/port/pools.h"
#include "netstack/port/queue.h"
#include "netstack/port/rss.h"

namespace millrace::net {

class Wire;

// What the device does, so that the stack need not.
struct Offloads {
    bool receive_checksum = false;  // marks IPv4 and TCP checksums that it has verified
    bool transmit_ipv4_checksum = false;
    bool transmit_tcp_checksum = false;
    bool transmit_chains = false;  // packets of several mbufs
    unsigned large_send = 1;       // TCP segments that it cuts one packet into (TSO), an mbuf each; 1: none
    bool rss = false;              // our key and table: a flow's packets arrive at Rss::queue_of()
    // The peer is this machine's kernel, which leaves checksums of local packets unfinished.
    bool unfinished_checksums = false;
};

struct PortOptions {
    // An ethdev's name ("0000:03:00.0", "net_tap0"), or a device to create ("net_af_packet0,iface=veth0").
    // Empty: the only port that EAL found.
    std::string device;
    unsigned queues = 1;               // one a shard
    std::uint16_t mtu = 1500;          // bytes of an IP packet
    std::uint16_t vlan = 0;            // IEEE 802.1Q: the LAN that it is on; zero: untagged
    unsigned receive_mbufs = 8192;     // of each queue
    std::uint16_t descriptors = 1024;  // of each queue, as near as the device allows
};

struct PortStats {
    std::uint64_t received = 0, sent = 0, received_bytes = 0, sent_bytes = 0;
    std::uint64_t missed = 0;    // the shard was too slow to fetch them
    std::uint64_t no_mbufs = 0;  // the receive pool was dry
    std::uint64_t receive_errors = 0, send_errors = 0;
};

class Port {
  public:
    // Configures and starts the device.
    static Expected<Port> open(const PortOptions& options);

    Port(Port&& other) noexcept = default;
    // Stops and closes the device. Its packets must have been given back.
    ~Port() = default;

    std::uint16_t id() const { return devices_.front().id; }
    const std::string& name() const { return name_; }
    MacAddress mac() const { return mac_; }
    std::uint16_t mtu() const { return mtu_; }
    std::uint16_t vlan() const { return vlan_; }
    const Offloads& offloads() const { return offloads_; }
    const Rss& rss() const { return rss_; }
    unsigned queues() const { return static_cast<unsigned>(queues_.size()); }
    PortQueue& queue(unsigned shard) { return queues_[shard]; }
    // Of all shards: steering hands packets from one to another.
    std::vector<rte_mempool*> receive_pools() const;
    // Bytes of the received packets that shard `shard` has not given back. Not for a hot path.
    std::size_t receive_bytes_in_use(unsigned shard) const;

    // Frames to these groups shall be let in; all groups' where the device cannot choose.
    void receive_groups(std::span<const MacAddress> groups);

    PortStats stats() const;
    // One line for reports: the driver, queues, and what is done by whom.
    std::string describe() const;

  private:
    friend class Cable;
    struct Device {
        explicit Device(std::uint16_t port) : id(port) {}
        Device(Device&& other) noexcept;
        ~Device();

        std::uint16_t id;
        bool started = false;
        bool created = false;  // by us, so it is removed with us
    };

    Port() : rss_(1) {}
    Expected<void> configure(const PortOptions& options);
    Expected<void> start_queues(const PortOptions& options, const rte_eth_dev_info& info);

    std::string name_;
    std::string driver_;
    MacAddress mac_;
    std::uint16_t mtu_ = 1500;
    std::uint16_t vlan_ = 0;
    Offloads offloads_;
    Rss rss_;
    std::deque<PortQueue> queues_;                        // a queue has counters, and does not move
    std::vector<Pool> receive_pools_;                     // of an ethdev's queues; a cable's wires own theirs
    std::vector<std::vector<rte_mempool*>> filled_from_;  // by shard: the pools of what it receives
    std::vector<const Wire*> ways_out_;                   // a cable's
    // One, but of a large cable several. The last, so that they are closed before their pools go.
    std::vector<Device> devices_;
};

}  // namespace millrace::net
