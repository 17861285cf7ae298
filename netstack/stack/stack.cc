#include "netstack/stack/stack.h"

#include <algorithm>
#include <array>
#include <vector>

#include "netstack/ip/ipv6.h"
#include "netstack/link/arp.h"
#include "netstack/link/nd.h"
#include "netstack/port/flow.h"
#include "netstack/port/mbuf.h"

namespace millrace::net {

namespace {

std::vector<tcp::AddressRange> ranges_of(const LocalAddresses& local) {
    std::vector<tcp::AddressRange> ranges;
    for (const LocalRange& range : local.ranges())
        ranges.push_back({range.first, range.count});
    return ranges;
}

// RFC 4861 section 10: MAX_RTR_SOLICITATIONS and RTR_SOLICITATION_INTERVAL.
constexpr unsigned kRouterSolicitations = 3;
constexpr Duration kSolicitationInterval = 4s;

constexpr IpAddress kLinkLocalPrefix{0xfe80000000000000, 0};

// Whoever speaks IPv6 has a link-local address: neighbours and routers are spoken to from it (RFC 4291
// section 2.8).
std::vector<LocalRange> with_link_local(std::vector<LocalRange> ranges, const MacAddress& mac) {
    const auto is_v6 = [](const LocalRange& range) { return !range.first.is_v4(); };
    const auto is_link_local = [](const LocalRange& range) { return range.first.is_link_local(); };
    if (std::any_of(ranges.begin(), ranges.end(), is_v6) &&
        std::none_of(ranges.begin(), ranges.end(), is_link_local))
        ranges.push_back({.first = link_local_of(mac), .count = 1, .prefix = 64});
    return ranges;
}

}  // namespace

Expected<std::shared_ptr<StackPools>> StackPools::create(const StackConfig& config, std::uint16_t mtu) {
    auto data = Pool::create(
        {.purpose = "data",
         .mbufs = config.data_mbufs,
         .data_room = static_cast<std::uint16_t>(std::max<int>(kDataRoom, mtu + RTE_PKTMBUF_HEADROOM)),
         .private_bytes = tcp::kTxPrivateBytes});
    if (!data) return tl::unexpected(data.error());
    auto headers = Pool::create({.purpose = "headers",
                                 .mbufs = config.header_mbufs,
                                 .data_room = tcp::Tcp::kHeaderPoolRoom,
                                 .private_bytes = tcp::kTxPrivateBytes});
    if (!headers) return tl::unexpected(headers.error());
    return std::shared_ptr<StackPools>(new StackPools{std::move(*data), std::move(*headers)});
}

Expected<std::unique_ptr<Stack>> Stack::create(const StackConfig& config, const StackPort& port) {
    auto pools = StackPools::create(config, std::min(config.tcp.mtu, port.mtu));
    if (!pools) return tl::unexpected(pools.error());
    return create(config, port, std::move(*pools));
}

Expected<std::unique_ptr<Stack>> Stack::create(const StackConfig& config, const StackPort& port,
                                               std::shared_ptr<StackPools> pools) {
    auto local = LocalAddresses::create(with_link_local(config.addresses, port.mac), config.gateways);
    if (!local) return tl::unexpected(local.error());
    NeighbourConfig arp = config.neighbours;
    arp.answers = arp.answers && port.shard == 0;  // every shard sees ARP, one speaks
    auto neighbours = Neighbours::create(arp, port.mac, *local);
    if (!neighbours) return tl::unexpected(neighbours.error());

    std::unique_ptr<Stack> stack(
        new Stack(config, port, std::move(*local), std::move(pools), std::move(*neighbours)));
    tcp::Config tcp_config = config.tcp;
    tcp_config.mtu = std::min(config.tcp.mtu, port.mtu);
    tcp_config.large_send = port.offloads.large_send;
    auto tcp = tcp::Tcp::create(tcp_config, stack->pools_->data.get(), stack->pools_->headers.get(),
                                ranges_of(stack->local_), *port.rss, port.shard);
    if (!tcp) return tl::unexpected(tcp.error());
    stack->tcp_ = std::move(*tcp);
    stack->tcp_->receives_from(port.receive_pools);
    return stack;
}

Stack::Stack(const StackConfig& config, const StackPort& port, LocalAddresses local,
             std::shared_ptr<StackPools> pools, Neighbours neighbours)
    : local_(std::move(local)),
      pools_(std::move(pools)),
      neighbours_(std::move(neighbours)),
      input_(local_, port.mac, port.mtu, port.offloads.unfinished_checksums, port.vlan),
      output_(local_, neighbours_, port.offloads, port.mac, pools_->headers.get(), pools_->data.get(),
              port.vlan),
      icmp_(config.echo_rate),
      icmpv6_(config.echo_rate),
      groups_(config.tcp.secret[0] ^ link_local_of(port.mac).low) {
    neighbours_.follow(local_);
    neighbours_.announce();  // the first shard alone speaks, all wait and hear
    if (port.shard != 0) return;
    // RFC 4861 section 7.2.1. That of all nodes is never reported (RFC 3810 section 6).
    for (const LocalRange& range : local_.ranges())
        for (std::uint32_t i = 0; !range.first.is_v4() && i < range.count; ++i)
            groups_.join(solicited_node_group(range.first.plus(i)));
    if (local_.accepts_routers()) router_solicitations_ = kRouterSolicitations;
}

void Stack::receive(std::span<rte_mbuf*> frames, Time now) {
    std::array<Arrival, kBurst> arrivals;
    std::size_t n = 0;
    for (rte_mbuf* frame : frames)
        rte_prefetch0(rte_pktmbuf_mtod(frame, void*));
    for (rte_mbuf* frame : frames) {
        IpArrival from;
        switch (input_.accept(frame, from)) {
            case IpVerdict::kTcp: {
                const std::uint64_t hash = tcp_->flow_hash(frame, from.source, from.destination);
                tcp_->prefetch_table(hash);
                arrivals[n++] = {frame, from.source, from.destination, hash};
                break;
            }
            case IpVerdict::kIcmp:
                handle_icmp(frame, from, now);
                break;
            case IpVerdict::kIcmpv6:
                handle_icmpv6(frame, from, now);
                break;
            case IpVerdict::kArp:
                handle_arp(frame, now);
                break;
            case IpVerdict::kRefused:
                refuse(frame, from, now);
                break;
            case IpVerdict::kDropped:
                release(frame);
                break;
        }
    }
    if (neighbours_.asking()) [[unlikely]] {
        // RFC 4862 section 5.4: a tentative address receives nothing.
        for (std::size_t i = 0; i < n; ++i)
            release(arrivals[i].segment);
        tentative_drops_.add(n);
        return;
    }
    for (std::size_t i = 0; i < n; ++i)
        tcp_->prefetch_connection(arrivals[i].hash);
    for (std::size_t i = 0; i < n; ++i) {
        const Arrival& a = arrivals[i];
        tcp_->input(a.segment, a.source, a.destination, a.hash, now);
    }
}

void Stack::handle_icmp(rte_mbuf* message, const IpArrival& arrival, Time now) {
    IcmpError error;
    switch (icmp_.input(message, arrival, now, error)) {
        case Icmp::Verdict::kReply:
            if (neighbours_.asking()) break;
            return output_.send(message, kProtocolIcmp, 8, arrival.destination, arrival.source, now);
        case Icmp::Verdict::kError:
            report_error(error, now);
            break;
        case Icmp::Verdict::kNothing:
            break;
    }
    release(message);
}

// ICMP of either family says that a segment of ours did not arrive.
void Stack::report_error(const IcmpError& error, Time now) {
    if (error.too_big)
        tcp_->path_mtu(error.local, error.remote, error.next_mtu, error.sequence, now);
    else
        tcp_->unreachable(error.local, error.remote, error.sequence, now);
}

void Stack::handle_icmpv6(rte_mbuf* message, const IpArrival& arrival, Time now) {
    IcmpError error;
    switch (icmpv6_.input(message, arrival, now, error)) {
        case Icmpv6::Verdict::kReply: {
            if (neighbours_.asking()) break;
            const IpAddress from = arrival.unicast ? arrival.destination : local_.source_for(arrival.source);
            return output_.send(message, kProtocolIcmpv6, 8, from, arrival.source, now);
        }
        case Icmpv6::Verdict::kError:
            report_error(error, now);
            break;
        case Icmpv6::Verdict::kDiscovery:
            handle_discovery(message, arrival, now);
            break;
        case Icmpv6::Verdict::kListener:
            handle_listener(message, arrival, now);
            break;
        case Icmpv6::Verdict::kNothing:
            break;
    }
    release(message);
}

void Stack::handle_discovery(const rte_mbuf* message, const IpArrival& arrival, Time now) {
    if (const auto neighbour = parse_neighbour_message(message, arrival)) {
        // RFC 4861 section 7.2.5: one that says that it is no router is none any more.
        const bool believed = neighbours_.input(*neighbour, now);
        if (believed && !neighbour->router) local_.learnt().learn_router(neighbour->target, now, now);
        settle_neighbours(now);
    } else if (const auto router = parse_router_advertisement(message, arrival)) {
        handle_router(*router, now);
    } else {
        ++bad_discovery_;  // or a message for routers, or a redirect: neither is for us
    }
}

// RFC 4861 section 6.3.4. The times are taken as they are said, with the value for ever among them.
void Stack::handle_router(const RouterAdvertisement& said, Time now) {
    if (!local_.accepts_routers() || local_.is_local(said.router)) return;
    ++routers_heard_;
    router_solicitations_ = 0;
    const auto after = [&](std::uint32_t seconds) {
        return seconds == 0xffffffff ? kNever : now + std::chrono::seconds(seconds);
    };
    local_.learnt().learn_router(said.router, after(said.lifetime_seconds), now);
    for (std::size_t i = 0; i < said.prefix_count; ++i)
        local_.learnt().learn_prefix(said.prefixes[i].network, after(said.prefixes[i].valid_seconds), now);
    if (said.mtu >= kIpv6LeastMtu && said.mtu <= 0xffff)
        tcp_->limit_ipv6_mtu(static_cast<std::uint16_t>(said.mtu));
    if (said.link_address) {
        neighbours_.learn_router(said.router, *said.link_address);
        settle_neighbours(now);
    }
}

// An IPv6 packet that its sender shall know we could not read.
void Stack::refuse(rte_mbuf* packet, const IpArrival& arrival, Time now) {
    if (neighbours_.asking() || !icmpv6_.refuse(packet, arrival, input_.problem(), now))
        return release(packet);
    const IpAddress from = arrival.unicast ? arrival.destination : local_.source_for(arrival.source);
    output_.send(packet, kProtocolIcmpv6, 8, from, arrival.source, now);
}

void Stack::look_for_routers(Time now) {
    if (router_solicitations_ > 0 && now >= next_solicitation_ && !neighbours_.asking()) {
        --router_solicitations_;
        next_solicitation_ = now + kSolicitationInterval;
        output_.solicit_routers(local_.source_for(kLinkLocalPrefix));
    }
    if (now >= local_.learnt().next_expiry()) local_.learnt().forget_expired(now);
}

void Stack::handle_listener(const rte_mbuf* message, const IpArrival& arrival, Time now) {
    if (const auto query = parse_mld_query(message, arrival))
        groups_.query_arrives(*query, now);
    else if (const auto group = parse_mld_report(message, arrival))
        groups_.report_arrives(*group);
    else
        ++bad_listener_;
}

// RFC 3590: from the unspecified address while our link-local one may still be another's, which opens
// switches, though routers take it for nothing; then all again from the link-local one.
void Stack::report_groups(Time now) {
    if (groups_.size() == 0) return;
    if (reports_from_.is_unspecified() && !neighbours_.asking()) {
        if (const IpAddress ours = local_.source_for(kLinkLocalPrefix); ours.is_link_local()) {
            reports_from_ = ours;
            groups_.report_again(now);
        }
    }
    if (now < groups_.next_timer()) return;
    groups_.run_timers(now);
    output_.report_groups(groups_.to_send(), groups_.version1(), reports_from_);
    groups_.clear();
}

void Stack::handle_arp(rte_mbuf* frame, Time now) {
    if (const auto packet = parse_arp(frame)) {
        neighbours_.input(*packet, now);
        settle_neighbours(now);
    } else {
        ++bad_arp_;
    }
    release(frame);
}

void Stack::run_timers(Time now) {
    tcp_->run_timers(now);
    // A group is joined before its address is asked about (RFC 4862 section 5.4.2).
    report_groups(now);
    if (now >= neighbours_.next_timer()) {
        const bool asking = neighbours_.asking();
        neighbours_.run_timers(now);
        if (asking && !neighbours_.asking()) give_up_duplicates(now);
        settle_neighbours(now);
        report_groups(now);
    }
    if (local_.has_ipv6()) look_for_routers(now);
}

// Our addresses are ours now, but for those that others had.
void Stack::give_up_duplicates(Time now) {
    if (neighbours_.duplicates().empty()) return;
    for (const IpAddress& ip : neighbours_.duplicates())
        local_.withdraw(ip);
    if (neighbours_.all_duplicate()) local_.withdraw_all();
    tcp_->use_addresses(ranges_of(local_), now);
}

void Stack::settle_neighbours(Time now) {
    if (!neighbours_.has_actions()) return;
    output_.send_neighbour_actions();
    for (rte_mbuf* packet : neighbours_.failed()) {
        report_unreachable(packet, now);
        release(packet);
    }
    for (const IpAddress& router : neighbours_.silent_routers())
        local_.learnt().distrust_router(router);
    neighbours_.clear();
}

// A packet of our own that found no neighbour; its headers are complete but for the MAC addresses.
void Stack::report_unreachable(const rte_mbuf* packet, Time now) {
    const Flow flow = flow_of_ip(rte_pktmbuf_mtod_offset(packet, const std::byte*, kEthernetBytes),
                                 packet->data_len - kEthernetBytes);
    if (flow.kind == FlowKind::kTcp)
        tcp_->unreachable(flow.source, flow.destination, tcp::Tcp::kNoQuote, now);
}

bool Stack::flush(Time now) {
    bool more = !neighbours_.asking();  // what TCP has to say waits until its addresses are ours
    while (more && output_.room() >= tcp::TxSegments::kCapacity) {
        more = tcp_->flush(now);
        for (const tcp::TxSegment& s : tcp_->segments())
            output_.send(s.packet, kProtocolTcp, s.header_bytes, s.source, s.destination, now);
        tcp_->clear_segments();
    }
    settle_neighbours(now);  // requests for neighbours that the segments need
    return more;
}

std::size_t Stack::memory_in_use() const {
    return tcp_->memory_in_use() + neighbours_.memory_in_use() + pools_->data.bytes_in_use() +
           pools_->headers.bytes_in_use();
}

}  // namespace millrace::net
