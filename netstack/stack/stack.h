#pragma once
// One shard's stack from Ethernet to TCP: frames and the time come in, frames and events go out. It reads no
// clock and touches no port, so whole networks of them run in virtual time. One poll:
//
//     stack.begin_poll();
//     stack.receive(frames, now);      // parse all, look up all, then TCP: each fetches for the next
//     stack.run_timers(now);
//     ... handle stack.events(), call stack.tcp()'s operations ...
//     do {
//         more = stack.flush(now);     // fills outgoing()
//         stack.sent(n);               // the first n of outgoing() were taken over
//     } while (more && n != 0);

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/base/counter.h"
#include "netstack/base/error.h"
#include "netstack/base/time.h"
#include "netstack/ip/group_membership.h"
#include "netstack/ip/icmp.h"
#include "netstack/ip/icmpv6.h"
#include "netstack/ip/input.h"
#include "netstack/ip/local_addresses.h"
#include "netstack/ip/output.h"
#include "netstack/link/neighbours.h"
#include "netstack/port/pools.h"
#include "netstack/port/port.h"
#include "netstack/port/rss.h"
#include "netstack/tcp/tcp.h"

namespace millrace::net {

struct StackConfig {
    // At least one. With one of IPv6 comes the link-local address derived from the port's MAC address (RFC
    // 4291 section 2.5.6), unless one is among them.
    std::vector<LocalRange> addresses;
    // One of each family at most. Without one for IPv6, routers are asked to advertise themselves and
    // believed.
    std::vector<IpAddress> gateways;
    tcp::Config tcp;
    NeighbourConfig neighbours;
    unsigned data_mbufs = 32768;     // for bytes to send, and kept until acknowledged
    unsigned header_mbufs = 16384;   // for segments without data, references to shared data, ARP
    std::uint32_t echo_rate = 1000;  // ICMP echoes answered a second
};

// What the stack has to know of the port that it is on.
struct StackPort {
    MacAddress mac;
    std::uint16_t mtu = 1500;
    std::uint16_t vlan = 0;
    Offloads offloads;
    const Rss* rss = nullptr;  // outlives the stack
    unsigned shard = 0;
    std::vector<rte_mempool*> receive_pools{};  // whose mbufs receive() is given; see Tcp::receives_from()
};

// What a stack sends from. Stacks that follow one another may use the same: making pools is slow.
struct StackPools {
    Pool data;
    Pool headers;

    // `mtu`: of the largest packet that an mbuf is to hold.
    static Expected<std::shared_ptr<StackPools>> create(const StackConfig& config, std::uint16_t mtu);
};

class Stack {
  public:
    using Event = tcp::Event;

    static constexpr std::size_t kBurst = 64;

    static Expected<std::unique_ptr<Stack>> create(const StackConfig& config, const StackPort& port);
    static Expected<std::unique_ptr<Stack>> create(const StackConfig& config, const StackPort& port,
                                                   std::shared_ptr<StackPools> pools);
    Stack(const Stack&) = delete;

    void begin_poll() { tcp_->begin_poll(); }
    // Takes over at most kBurst frames.
    void receive(std::span<rte_mbuf*> frames, Time now);
    void run_timers(Time now);
    std::span<Event> events() { return tcp_->events(); }
    // Moves segments from TCP to outgoing(), as far as there is room. True when there is more.
    bool flush(Time now);
    std::span<rte_mbuf*> outgoing() { return output_.burst(); }
    void sent(std::size_t n) { output_.sent(n); }
    // When run_timers() next has something to do.
    Time next_timer() const {
        return std::min({tcp_->next_timer(), neighbours_.next_timer(), groups_.next_timer(),
                         local_.learnt().next_expiry(),
                         router_solicitations_ > 0 && !neighbours_.asking() ? next_solicitation_ : kNever});
    }

    tcp::Tcp& tcp() { return *tcp_; }
    const tcp::Tcp& tcp() const { return *tcp_; }
    const LocalAddresses& addresses() const { return local_; }
    const IpInput& ip_input() const { return input_; }
    const IpOutput& ip_output() const { return output_; }
    const Neighbours& neighbours() const { return neighbours_; }
    const Icmp& icmp() const { return icmp_; }
    const Icmpv6& icmpv6() const { return icmpv6_; }
    // Advice for the user when something outside was seen to be set badly; empty otherwise.
    std::string hint() const {
        const std::string neighbours = neighbours_.hint();
        return neighbours.empty() ? std::string(input_.hint()) : neighbours;
    }

    // Bytes held now: tables, connections, and mbufs taken from this shard's pools.
    std::size_t memory_in_use() const;
    // Names follow the kernel's (/proc/net/snmp, netstat) where it has one. Safe from any thread.
    template <class Visitor>
    void visit_counters(Visitor&& visitor) const;

  private:
    struct Arrival {
        rte_mbuf* segment;
        IpAddress source;
        IpAddress destination;
        std::uint64_t hash;
    };

    Stack(const StackConfig& config, const StackPort& port, LocalAddresses local,
          std::shared_ptr<StackPools> pools, Neighbours neighbours);

    void handle_icmp(rte_mbuf* message, const IpArrival& arrival, Time now);
    void handle_icmpv6(rte_mbuf* message, const IpArrival& arrival, Time now);
    void handle_discovery(const rte_mbuf* message, const IpArrival& arrival, Time now);
    void handle_router(const RouterAdvertisement& said, Time now);
    void refuse(rte_mbuf* packet, const IpArrival& arrival, Time now);
    void report_error(const IcmpError& error, Time now);
    void give_up_duplicates(Time now);
    void look_for_routers(Time now);
    void handle_listener(const rte_mbuf* message, const IpArrival& arrival, Time now);
    void report_groups(Time now);
    void handle_arp(rte_mbuf* frame, Time now);
    void settle_neighbours(Time now);
    void report_unreachable(const rte_mbuf* packet, Time now);

    // In the order of construction: pools outlive all that holds their mbufs.
    LocalAddresses local_;
    std::shared_ptr<StackPools> pools_;
    Neighbours neighbours_;
    IpInput input_;
    IpOutput output_;
    Icmp icmp_;
    Icmpv6 icmpv6_;
    GroupMembership groups_;
    IpAddress reports_from_;
    Counter tentative_drops_;  // segments to addresses that are not ours yet
    Counter bad_arp_, bad_discovery_, bad_listener_, routers_heard_;
    unsigned router_solicitations_ = 0;  // yet to be sent
    Time next_solicitation_{};
    std::unique_ptr<tcp::Tcp> tcp_;
};

template <class Visitor>
void Stack::visit_counters(Visitor&& visitor) const {
    const IpCounters& in = input_.counters();
    visitor("IpInReceives", in.received.value());
    visitor("IpInHdrErrors", in.bad_header.value());
    visitor("IpInCsumErrors", in.bad_header_checksum.value());
    visitor("IpInTruncatedPkts", in.truncated.value());
    visitor("IpInAddrErrors", in.not_for_us.value());
    visitor("IpInMartians", in.martian.value());
    visitor("IpInUnknownProtos", in.unknown_protocol.value());
    visitor("IpInFragments", in.fragments.value());
    visitor("IpInDiscards", in.discarded.value());
    visitor("IpInScattered", in.scattered.value());
    visitor("IpInOverMtu", in.over_mtu.value());
    visitor("TcpInCsumErrors", in.bad_tcp_checksum.value());
    visitor("TcpInCsumUnfinished", in.unfinished_checksums.value());
    visitor("EthInWrongVlan", in.wrong_vlan.value());
    visitor("EthInUnknownTypes", in.unknown_ether_type.value());
    const IpOutputCounters& out = output_.counters();
    visitor("IpOutTransmits", out.sent.value());
    visitor("IpOutNoRoutes", out.no_route.value());
    visitor("IpOutNeighbourDrops", out.dropped.value());
    visitor("IpOutBurstFull", out.burst_full.value());
    visitor("IpOutTooLong", out.too_long.value());
    visitor("IpOutCopiedChains", out.copied_chains.value());
    visitor("IpOutNoMbufs", out.no_mbufs.value());
    const IcmpCounters& icmp = icmp_.counters();
    visitor("IcmpInMsgs", icmp.received.value());
    visitor("IcmpInErrors", icmp.bad.value());
    visitor("IcmpInIgnored", icmp.ignored.value());
    visitor("IcmpInDestUnreachs", icmp.errors.value());
    visitor("IcmpOutEchoReps", icmp.echoes.value());
    visitor("IcmpOutRateLimitHost", icmp.echoes_limited.value());
    const IcmpCounters& icmpv6 = icmpv6_.counters();
    visitor("Icmp6InMsgs", icmpv6.received.value());
    visitor("Icmp6InErrors", icmpv6.bad.value());
    visitor("Icmp6InIgnored", icmpv6.ignored.value());
    visitor("Icmp6InPathErrors", icmpv6.errors.value());
    visitor("Icmp6OutEchoReplies", icmpv6.echoes.value());
    visitor("Icmp6OutErrors", icmpv6.refusals.value());
    visitor("Icmp6OutRateLimitHost", icmpv6.echoes_limited.value() + icmpv6.refusals_limited.value());
    visitor("Icmp6InRouterAdvertisements", routers_heard_.value());
    visitor("NdInErrors", bad_discovery_.value());
    const GroupCounters& groups = groups_.counters();
    visitor("Icmp6InGroupMembQueries", groups.queries.value());
    visitor("Icmp6InGroupMembResponses", groups.other_reports.value());
    visitor("Icmp6OutGroupMembResponses", out.group_reports_v1.value());
    visitor("Icmp6OutMLDv2Reports", out.group_reports.value());
    visitor("MldInErrors", bad_listener_.value());
    visitor("MldGroupsFull", groups.groups_full.value());
    const NeighbourCounters& arp = neighbours_.counters();
    visitor("Icmp6OutNeighborSolicits", arp.solicitations_sent.value());
    visitor("Icmp6InNeighborSolicits", arp.solicitations_received.value());
    visitor("Icmp6OutNeighborAdvertisements", arp.advertisements_sent.value());
    visitor("Icmp6InNeighborAdvertisements", arp.advertisements_received.value());
    visitor("ArpOutRequests", arp.requests_sent.value());
    visitor("ArpInRequests", arp.requests_received.value());
    visitor("ArpOutReplies", arp.replies_sent.value());
    visitor("ArpInReplies", arp.replies_received.value());
    visitor("ArpInErrors", bad_arp_.value());
    visitor("ArpInIgnored", arp.ignored.value());
    visitor("AddressConflicts", arp.conflicts.value());
    visitor("AddressDuplicates", arp.duplicates.value());
    visitor("TentativeDrops", tentative_drops_.value());
    visitor("NeighbourFailures", arp.failed.value());
    visitor("NeighbourUnreachable", arp.unreachable.value());
    visitor("NeighbourQueueFull", arp.waiting_full.value());
    visitor("NeighbourTableFull", arp.table_full.value());
    tcp_->visit_counters(visitor);
}

}  // namespace millrace::net
