#include "netstack/ip/output.h"

#include <algorithm>
#include <cstring>

#include "netstack/base/checksum.h"
#include "netstack/ip/ipv4.h"
#include "netstack/ip/ipv6.h"
#include "netstack/link/arp.h"
#include "netstack/link/nd.h"
#include "netstack/link/vlan.h"
#include "netstack/port/mbuf.h"

namespace millrace::net {
namespace {

// Where a protocol keeps its checksum in its header.
constexpr std::uint16_t checksum_offset(std::uint8_t protocol) {
    return protocol == kProtocolTcp ? 16 : 2;
}

// The sum of all bytes of a packet whose parts may have any length.
ChecksumSum chain_sum(const rte_mbuf* packet) {
    ChecksumSum sum = checksum_sum(rte_pktmbuf_mtod(packet, const void*), packet->data_len);
    std::uint32_t offset = packet->data_len;
    for (const rte_mbuf* part = packet->next; part; part = part->next) {
        const ChecksumSum of_part = checksum_sum(rte_pktmbuf_mtod(part, const void*), part->data_len);
        sum += offset % 2 == 0 ? of_part : of_part.swapped();
        offset += part->data_len;
    }
    return sum;
}

std::byte* prepend(rte_mbuf* packet, std::uint16_t bytes) {
    packet->data_off = static_cast<std::uint16_t>(packet->data_off - bytes);
    packet->data_len = static_cast<std::uint16_t>(packet->data_len + bytes);
    packet->pkt_len += bytes;
    return rte_pktmbuf_mtod(packet, std::byte*);
}

}  // namespace

IpOutput::IpOutput(const LocalAddresses& local, Neighbours& neighbours, const Offloads& offloads,
                   const MacAddress& mac, rte_mempool* pool, rte_mempool* chain_pool, std::uint16_t vlan)
    : local_(&local),
      neighbours_(&neighbours),
      offloads_(offloads),
      mac_(mac),
      vlan_(vlan),
      pool_(pool),
      chain_pool_(chain_pool) {}

IpOutput::~IpOutput() {
    for (rte_mbuf* frame : burst())
        release(frame);
}

void IpOutput::drop(rte_mbuf* packet, Counter& why) {
    ++why;
    release(packet);
}

void IpOutput::complete_checksum(rte_mbuf* packet, std::uint8_t protocol, const IpAddress& source,
                                 const IpAddress& destination, std::uint16_t l4_header_bytes) {
    // A large send's length is not that of its segments: rte_mbuf_core.h leaves it out of the pseudo-header.
    const std::uint64_t large = packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
    ChecksumSum sum;  // ICMP has no pseudo-header
    if (protocol != kProtocolIcmp)
        sum = pseudo_header_sum(source, destination, protocol, large != 0 ? 0 : packet->pkt_len);
    std::uint16_t field = 0;
    packet->ol_flags &=
        ~(RTE_MBUF_F_TX_OFFLOAD_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
    const bool v4 = source.is_v4();
    const std::uint64_t family = v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
    if (v4 && offloads_.transmit_ipv4_checksum) packet->ol_flags |= family | RTE_MBUF_F_TX_IP_CKSUM;
    packet->l2_len = kEthernetBytes;
    packet->l3_len = v4 ? kIpv4Bytes : kIpv6Bytes;
    packet->l4_len = l4_header_bytes & 0xff;
    if (protocol == kProtocolTcp && offloads_.transmit_tcp_checksum) {
        packet->ol_flags |= family | RTE_MBUF_F_TX_TCP_CKSUM | large;
        field = sum.folded();  // the port adds the rest
    } else {
        sum += chain_sum(packet);
        field = sum.checksum();
    }
    std::memcpy(rte_pktmbuf_mtod_offset(packet, std::byte*, checksum_offset(protocol)), &field, sizeof field);
}

void IpOutput::send(rte_mbuf* packet, std::uint8_t protocol, std::uint16_t l4_header_bytes,
                    const IpAddress& source, const IpAddress& destination, Time now) {
    if (packet->pkt_len > 0xffffu - kIpv4Bytes) [[unlikely]]
        return drop(packet, counters_.too_long);
    if (packet->nb_segs > 1 && !offloads_.transmit_chains) [[unlikely]] {
        packet = without_chain(packet);
        if (!packet) return;
    }
    const auto hop = local_->next_hop(destination);
    if (!hop) [[unlikely]]
        return drop(packet, counters_.no_route);

    complete_checksum(packet, protocol, source, destination, l4_header_bytes);
    if (source.is_v4()) {
        const Ipv4Header ip = make_ipv4_header(source.v4(), destination.v4(), protocol, packet->pkt_len,
                                               !offloads_.transmit_ipv4_checksum);
        std::memcpy(prepend(packet, kIpv4Bytes), &ip, sizeof ip);
    } else {
        const Ipv6Header ip = make_ipv6_header(source, destination, protocol, packet->pkt_len);
        std::memcpy(prepend(packet, kIpv6Bytes), &ip, sizeof ip);
    }
    std::byte* const link = prepend(packet, kEthernetBytes);
    if (const EthernetHeader* header = neighbours_->find(*hop, now)) [[likely]] {
        std::memcpy(link, header, sizeof *header);
        queue(packet);
    } else if (!neighbours_->wait(*hop, packet, now)) {
        drop(packet, counters_.dropped);
    }
}

rte_mbuf* IpOutput::without_chain(rte_mbuf* packet) {
    rte_mbuf* copy = rte_pktmbuf_copy(packet, chain_pool_, 0, packet->pkt_len);
    if (!copy || copy->nb_segs > 1) {
        if (copy) release(copy);
        drop(packet, counters_.no_mbufs);
        return nullptr;
    }
    ++counters_.copied_chains;
    release(packet);
    return copy;
}

void IpOutput::send_neighbour_actions() {
    for (const auto& arp : neighbours_->to_send())
        if (rte_mbuf* frame = fresh_frame(pool_)) {
            write_arp(frame, mac_, arp.destination, arp.packet);
            queue(frame);
        }
    for (const auto& nd : neighbours_->nd_to_send())
        if (rte_mbuf* frame = fresh_frame(pool_)) {
            write_nd(frame, mac_, nd.destination, nd.packet);
            queue(frame);
        }
    for (const auto& [packet, header] : neighbours_->ready()) {
        std::memcpy(rte_pktmbuf_mtod(packet, std::byte*), &header, sizeof header);
        queue(packet);
    }
}

void IpOutput::solicit_routers(const IpAddress& source) {
    rte_mbuf* frame = fresh_frame(pool_);
    if (!frame) return;
    write_router_solicitation(frame, mac_, source);
    queue(frame);
}

void IpOutput::report_groups(std::span<const MldRecord> records, bool version1, const IpAddress& source) {
    while (!records.empty()) {
        const std::size_t n = version1 ? 1 : std::min(records.size(), kMostMldRecords);
        rte_mbuf* frame = fresh_frame(version1 ? pool_ : chain_pool_);
        if (!frame) return;  // the report of the next round, or the next answer, makes up for it
        if (version1)
            write_mld_report_v1(frame, mac_, source, records[0].group);
        else
            write_mld_report(frame, mac_, source, records.first(n));
        ++(version1 ? counters_.group_reports_v1 : counters_.group_reports);
        queue(frame);
        records = records.subspan(n);
    }
}

rte_mbuf* IpOutput::fresh_frame(rte_mempool* pool) {
    rte_mbuf* frame = rte_pktmbuf_alloc(pool);
    if (!frame) ++counters_.no_mbufs;
    return frame;
}

void IpOutput::queue(rte_mbuf* frame) {
    if (room() == 0) [[unlikely]]
        return drop(frame, counters_.burst_full);
    if (tail_ == 2 * kBurstBound)
        [[unlikely]] {  // the port lags: move what waits to the front, once in a bound's worth
        std::copy(&burst_[head_], &burst_[tail_], &burst_[0]);
        tail_ -= head_;
        head_ = 0;
    }
    if (vlan_ != 0) tag(frame);
    burst_[tail_++] = frame;
}

void IpOutput::tag(rte_mbuf* frame) {
    insert_vlan_tag(frame, vlan_);
    frame->l2_len = kEthernetBytes + kVlanTagBytes;
}

void IpOutput::sent(std::size_t n) {
    counters_.sent.add(n);
    head_ += n;
    if (head_ == tail_) head_ = tail_ = 0;
}

}  // namespace millrace::net
