#include "netstack/ip/input.h"

#include <rte_tcp.h>

#include <cstring>

#include "netstack/link/vlan.h"

namespace millrace::net {
namespace {

IpVerdict drop(Counter& why) {
    ++why;
    return IpVerdict::kDropped;
}

// IP behind Ethernet is not aligned.
template <class Header>
Header load(const rte_mbuf* frame, std::uint32_t offset) {
    Header header;
    std::memcpy(&header, rte_pktmbuf_mtod_offset(frame, const std::byte*, offset), sizeof header);
    return header;
}

constexpr std::uint32_t kTcpHeaderBytes = 20;
constexpr std::uint32_t kTcpChecksumOffset = 16;

}  // namespace

IpVerdict IpInput::accept(rte_mbuf* frame, IpArrival& arrival) {
    if (frame->data_len < kEthernetBytes) return drop(counters_.truncated);
    if (vlan_of(frame) != vlan_) return drop(counters_.wrong_vlan);
    const auto ethernet = load<EthernetHeader>(frame, 0);
    const bool group = is_multicast(ethernet.destination);
    // A port in promiscuous mode, or a flooding switch, shows us what is meant for others.
    if (!group && ethernet.destination != mac_) return drop(counters_.not_for_us);
    switch (ethernet.type()) {
        case EtherType::kIpv4:
            return accept_ipv4(frame, arrival, !group);
        case EtherType::kIpv6:
            return accept_ipv6(frame, arrival, !group);
        case EtherType::kArp:
            return IpVerdict::kArp;
    }
    return drop(counters_.unknown_ether_type);
}

// Zero for untagged frames, and for those that are tagged with a priority alone. The tag is taken out, where
// the port has not done it.
std::uint16_t IpInput::vlan_of(rte_mbuf* frame) {
    if (frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) return frame->vlan_tci & kVlanMask;
    if (load<EthernetHeader>(frame, 0).type_big_endian != big_endian16(kVlanType)) [[likely]]
        return 0;
    if (frame->data_len < kEthernetBytes + kVlanTagBytes) return 0;  // dropped for its type
    return strip_vlan_tag(frame);
}

IpVerdict IpInput::accept_ipv4(rte_mbuf* frame, IpArrival& arrival, bool unicast) {
    ++counters_.received;
    if (frame->nb_segs != 1) [[unlikely]]
        return drop(counters_.scattered);
    const std::uint32_t available = frame->data_len - kEthernetBytes;
    if (available < kIpv4Bytes) return drop(counters_.truncated);
    const auto header = load<Ipv4Header>(frame, kEthernetBytes);
    const std::uint32_t header_bytes = (header.version_and_length & 15u) * 4;
    const std::uint32_t total = big_endian16(header.total_length);
    if (header.version_and_length >> 4 != 4 || header_bytes < kIpv4Bytes) return drop(counters_.bad_header);
    if (total > mtu_) ++counters_.over_mtu;
    if (total < header_bytes || total > available) return drop(counters_.truncated);
    if ((frame->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) != RTE_MBUF_F_RX_IP_CKSUM_GOOD &&
        !checksum_sum(rte_pktmbuf_mtod_offset(frame, const void*, kEthernetBytes), header_bytes).good())
        return drop(counters_.bad_header_checksum);
    if (header.ttl == 0) return drop(counters_.bad_header);

    arrival = {header.source_ip(), header.destination_ip(), unicast, 0};
    if (is_martian_source(arrival.source) || local_->is_local(arrival.source)) return drop(counters_.martian);
    // RFC 1122 section 3.2.1.3: nobody is called by a subnet's broadcast address, which ends in ones.
    if ((arrival.source.low & 3) == 3 && local_->is_broadcast(arrival.source)) return drop(counters_.martian);
    if (!local_->is_local(arrival.destination)) {
        if (!local_->is_broadcast(arrival.destination)) return drop(counters_.not_for_us);
        arrival.unicast = false;
    }
    if ((big_endian16(header.fragment) & kFragmentMask) != 0) return drop(counters_.fragments);

    const std::uint8_t protocol = header.protocol;
    rte_pktmbuf_trim(frame, static_cast<std::uint16_t>(available - total));  // Ethernet pads to 60 bytes
    rte_pktmbuf_adj(frame, static_cast<std::uint16_t>(kEthernetBytes + header_bytes));
    if (protocol == kProtocolIcmp) return IpVerdict::kIcmp;
    if (protocol != kProtocolTcp) return drop(counters_.unknown_protocol);
    return accept_tcp(frame, arrival);
}

IpVerdict IpInput::accept_tcp(rte_mbuf* segment, const IpArrival& arrival) {
    // TCP is for one host: RFC 1122 section 4.2.3.10 has segments to others dropped.
    if (!arrival.unicast) return drop(counters_.not_for_us);
    if (segment->data_len < kTcpHeaderBytes) return drop(counters_.truncated);
    if ((segment->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD &&
        !tcp_checksum_good(segment, arrival))
        return drop(counters_.bad_tcp_checksum);
    return IpVerdict::kTcp;
}

// RFC 8200 section 3. A hop limit of zero is no fault here: only those who forward look at it.
IpVerdict IpInput::accept_ipv6(rte_mbuf* frame, IpArrival& arrival, bool unicast) {
    ++counters_.received;
    if (frame->nb_segs != 1) [[unlikely]]
        return drop(counters_.scattered);
    const std::uint32_t available = frame->data_len - kEthernetBytes;
    if (available < kIpv6Bytes) return drop(counters_.truncated);
    const auto header = load<Ipv6Header>(frame, kEthernetBytes);
    const std::uint32_t total = kIpv6Bytes + big_endian16(header.payload_length);
    if (header.version() != 6) return drop(counters_.bad_header);
    if (total > mtu_) ++counters_.over_mtu;
    if (total > available) return drop(counters_.truncated);
    arrival = {header.source(), header.destination(), unicast, header.hop_limit};

    rte_pktmbuf_trim(frame, static_cast<std::uint16_t>(available - total));  // Ethernet pads to 60 bytes
    rte_pktmbuf_adj(frame, kEthernetBytes);
    const UpperLayer upper = find_upper_layer(rte_pktmbuf_mtod(frame, const std::byte*), total);
    // The addresses are judged first, so that what is not ours is not answered.
    if (!addressed_to_us(arrival, upper.protocol)) return IpVerdict::kDropped;
    if (upper.found != UpperLayer::Found::kYes) [[unlikely]]
        return give_up_on(upper);
    if (upper.protocol != kProtocolTcp && upper.protocol != kProtocolIcmpv6) {
        ++counters_.unknown_protocol;
        return refuse({kParameterProblem, kUnknownNextHeader, upper.named_at, false});
    }
    arrival.router_alert = upper.router_alert;
    rte_pktmbuf_adj(frame, static_cast<std::uint16_t>(upper.offset));
    return upper.protocol == kProtocolIcmpv6 ? IpVerdict::kIcmpv6 : accept_tcp(frame, arrival);
}

IpVerdict IpInput::give_up_on(const UpperLayer& upper) {
    switch (upper.found) {
        case UpperLayer::Found::kYes:
            break;
        case UpperLayer::Found::kTruncated:
            return drop(counters_.truncated);
        case UpperLayer::Found::kPartial:
            return drop(counters_.fragments);
        case UpperLayer::Found::kProblem:
            return refuse(upper.problem);
        case UpperLayer::Found::kNothing:
        case UpperLayer::Found::kTooMany:
        case UpperLayer::Found::kDiscarded:
            return drop(counters_.discarded);
    }
    return IpVerdict::kDropped;
}

// RFC 4443 section 3.4: whoever sent it shall know.
IpVerdict IpInput::refuse(const Icmpv6Problem& problem) {
    problem_ = problem;
    return IpVerdict::kRefused;
}

// Counts and says no where a packet is not ours to read. Neighbour discovery alone comes from the unspecified
// address (RFC 4291 section 2.5.2), or from one that is ours as well.
bool IpInput::addressed_to_us(IpArrival& arrival, std::uint8_t protocol) {
    // On the wire an IPv4-mapped address would pass for IPv4 (RFC 4942 section 2.2).
    const bool mapped = arrival.source.is_v4() || arrival.destination.is_v4();
    const bool discovery = protocol == kProtocolIcmpv6 && arrival.hop_limit == 255;
    const bool source_good =
        discovery && arrival.source.is_unspecified()
            ? true
            : !is_martian_source(arrival.source) && (discovery || !local_->is_local(arrival.source));
    if (mapped || !source_good) {
        ++counters_.martian;
        return false;
    }
    if (local_->is_local(arrival.destination)) return true;
    if (!local_->is_group(arrival.destination)) {
        ++counters_.not_for_us;
        return false;
    }
    arrival.unicast = false;
    return true;
}

bool IpInput::tcp_checksum_good(const rte_mbuf* segment, const IpArrival& arrival) {
    const ChecksumSum pseudo =
        pseudo_header_sum(arrival.source, arrival.destination, kProtocolTcp, segment->data_len);
    ChecksumSum sum = pseudo;
    sum += checksum_sum(rte_pktmbuf_mtod(segment, const void*), segment->data_len);
    if (sum.good()) return true;
    if (!unfinished_checksums_) return false;
    // Where the checksum is left to a NIC that is not there, the field holds the sum of the pseudo-header.
    std::uint16_t field = 0;
    std::memcpy(&field, rte_pktmbuf_mtod_offset(segment, const std::byte*, kTcpChecksumOffset), sizeof field);
    if (field != pseudo.folded() || !leaves_checksums(segment)) return false;
    ++counters_.unfinished_checksums;
    return true;
}

// A kernel that leaves checksums to its NIC leaves nearly all of them, a SYN's first. What was damaged on its
// way holds that sum by chance, once in 65,536, so alone among finished ones it is believed only where it
// carries no text. Had it been a real one, it comes again, and is no longer alone.
bool IpInput::leaves_checksums(const rte_mbuf* segment) {
    const std::uint64_t received = counters_.received.value();
    const bool lately = received <= believed_until_;
    believed_until_ = received + kUnfinishedMemory;
    return lately || (rte_pktmbuf_mtod(segment, const rte_tcp_hdr*)->tcp_flags & RTE_TCP_SYN_FLAG) != 0;
}

std::string_view IpInput::hint() const {
    if (counters_.unfinished_checksums.value() == 0 && counters_.over_mtu.value() == 0) return {};
    return "the kernel's side of this link leaves checksums and segmentation to a NIC that is not there "
           "(large segments "
           "are lost): run 'ethtool -K IFACE tx off tso off gso off' on its interface";
}

}  // namespace millrace::net
