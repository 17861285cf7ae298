#pragma once
// The way out below TCP: IP and Ethernet headers, checksums, the next hop, the transmit burst.

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>
#include <span>

#include "netstack/base/address.h"
#include "netstack/base/counter.h"
#include "netstack/base/time.h"
#include "netstack/ip/ipv6.h"
#include "netstack/ip/local_addresses.h"
#include "netstack/ip/mld.h"
#include "netstack/link/ethernet.h"
#include "netstack/link/neighbours.h"
#include "netstack/port/port.h"

namespace millrace::net {

// Room that every outgoing packet needs in front of its layer-4 header: Ethernet with a VLAN tag, IPv6.
inline constexpr std::uint16_t kLinkHeadroom = kEthernetBytes + kVlanTagBytes + kIpv6Bytes;

struct IpOutputCounters {
    Counter sent;           // handed to the port
    Counter no_route;       // no subnet and no gateway leads there
    Counter dropped;        // refused by the neighbour table (its counters say why)
    Counter burst_full;     // the port did not keep up
    Counter too_long;       // longer than an IP packet can be
    Counter copied_chains;  // the port takes no chains
    Counter no_mbufs;       // for ARP, ND and MLD packets, or for copies of chains
    Counter group_reports, group_reports_v1;
};

class IpOutput {
  public:
    // Packets that the port has not taken yet; a bound on latency as much as on memory.
    static constexpr std::size_t kBurstBound = 2048;

    // `pool`: small mbufs for ARP, ND and copies; `chain_pool`: mbufs that hold a whole packet. All outlive
    // the IpOutput. `vlan`: the LAN that frames are tagged for; zero: none are.
    IpOutput(const LocalAddresses& local, Neighbours& neighbours, const Offloads& offloads,
             const MacAddress& mac, rte_mempool* pool, rte_mempool* chain_pool, std::uint16_t vlan = 0);
    IpOutput(const IpOutput&) = delete;
    ~IpOutput();

    // `packet` begins with a layer-4 header (`l4_header_bytes`, protocol 6, 1 or 58) whose checksum field
    // is zero, has kLinkHeadroom in front, and may be a chain. One reference to it is taken over. Prepends
    // the headers, completes the checksums (or asks the port to), and queues it for the shard's next transmit
    // burst; while the next hop's MAC address is being resolved it waits in a bounded queue. What cannot be
    // queued is dropped and counted: TCP sends it again.
    void send(rte_mbuf* packet, std::uint8_t protocol, std::uint16_t l4_header_bytes, const IpAddress& source,
              const IpAddress& destination, Time now);
    // Turns what the neighbour table asks for into frames. Its failed() packets stay for the caller.
    void send_neighbour_actions();
    // Asks the routers of the link to advertise themselves (RFC 4861 section 6.3.7).
    void solicit_routers(const IpAddress& source);
    // Says which groups we listen to, in reports of one version of MLD or the other.
    void report_groups(std::span<const MldRecord> records, bool version1, const IpAddress& source);

    // Frames ready for the port, oldest first, and how many more send() has room for. The first `n` of them
    // were taken over by the port:
    std::span<rte_mbuf*> burst() { return {&burst_[head_], tail_ - head_}; }
    std::size_t room() const { return kBurstBound - (tail_ - head_); }
    void sent(std::size_t n);

    const IpOutputCounters& counters() const { return counters_; }

  private:
    void complete_checksum(rte_mbuf* packet, std::uint8_t protocol, const IpAddress& source,
                           const IpAddress& destination, std::uint16_t l4_header_bytes);
    rte_mbuf* without_chain(rte_mbuf* packet);
    rte_mbuf* fresh_frame(rte_mempool* pool);  // null when it is dry
    void queue(rte_mbuf* frame);
    void tag(rte_mbuf* frame);
    void drop(rte_mbuf* packet, Counter& why);

    const LocalAddresses* local_;
    Neighbours* neighbours_;
    Offloads offloads_;
    MacAddress mac_;
    std::uint16_t vlan_;
    rte_mempool* pool_;
    rte_mempool* chain_pool_;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
    std::unique_ptr<rte_mbuf*[]> burst_ = std::make_unique<rte_mbuf*[]>(2 * kBurstBound);
    IpOutputCounters counters_;
};

}  // namespace millrace::net
