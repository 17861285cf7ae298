#include "netstack/ip/input.h"

#include <cstring>

namespace millrace::net {
namespace {

IpVerdict drop(Counter& why) {
    ++why;
    return IpVerdict::kDropped;
}

// IPv4 behind Ethernet is not aligned.
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
    const auto ethernet = load<EthernetHeader>(frame, 0);
    const bool group = is_multicast(ethernet.destination);
    // A port in promiscuous mode, or a flooding switch, shows us what is meant for others.
    if (!group && ethernet.destination != mac_) return drop(counters_.not_for_us);
    switch (ethernet.type()) {
        case EtherType::kIpv4:
            return accept_ipv4(frame, arrival, !group);
        case EtherType::kArp:
            return IpVerdict::kArp;
    }
    return drop(counters_.unknown_ether_type);
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

    arrival = {header.source_ip(), header.destination_ip(), unicast};
    if (is_martian_source(arrival.source) || local_->is_local(arrival.source)) return drop(counters_.martian);
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
    // TCP is for one host: RFC 1122 section 4.2.3.10 has broadcast segments dropped.
    if (!arrival.unicast) return drop(counters_.not_for_us);
    if (frame->data_len < kTcpHeaderBytes) return drop(counters_.truncated);
    if ((frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD &&
        !tcp_checksum_good(frame, arrival))
        return drop(counters_.bad_tcp_checksum);
    return IpVerdict::kTcp;
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
    if (field != pseudo.folded()) return false;
    ++counters_.unfinished_checksums;
    return true;
}

std::string_view IpInput::hint() const {
    if (counters_.unfinished_checksums.value() == 0 && counters_.over_mtu.value() == 0) return {};
    return "the kernel's side of this link leaves checksums and segmentation to a NIC that is not there "
           "(large segments "
           "are lost): run 'ethtool -K IFACE tx off tso off gso off' on its interface";
}

}  // namespace millrace::net
