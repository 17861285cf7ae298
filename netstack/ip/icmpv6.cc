#include "netstack/ip/icmpv6.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "netstack/base/checksum.h"
#include "netstack/ip/ipv4.h"
#include "netstack/ip/ipv6.h"
#include "netstack/ip/output.h"

namespace millrace::net {
namespace {

constexpr std::uint8_t kUnreachableV6 = 1;
constexpr std::uint8_t kPacketTooBig = 2;
constexpr std::uint8_t kEchoRequestV6 = 128;
constexpr std::uint8_t kEchoReplyV6 = 129;
constexpr std::uint8_t kListenerQuery = 130, kListenerReport = 131;  // RFC 2710 section 3
constexpr std::uint8_t kFirstDiscovery = 133, kLastDiscovery = 137;  // RFC 4861 section 4

struct Icmpv6Header {
    std::uint8_t type;
    std::uint8_t code;
    std::uint16_t checksum;
    std::uint32_t rest;  // MTU, pointer, or identifier and sequence number
};
static_assert(sizeof(Icmpv6Header) == 8);

// The quotation holds our IP header and as much of the segment as fits (section 3): we send no extension
// headers, so that TCP follows at once.
std::optional<IcmpError> parse_quotation_v6(const Icmpv6Header& header, const std::byte* quoted,
                                            std::size_t length) {
    if (length < kIpv6Bytes + 8) return {};
    Ipv6Header ip;
    std::memcpy(&ip, quoted, sizeof ip);
    if (ip.version() != 6 || ip.next_header != kProtocolTcp) return {};
    std::optional<std::uint16_t> next_mtu;
    if (header.type == kPacketTooBig)
        next_mtu = static_cast<std::uint16_t>(std::min(big_endian32(header.rest), 0xffffu));
    return about_segment(ip.source(), ip.destination(), quoted + kIpv6Bytes, next_mtu);
}

// RFC 4443 section 2.4 (e.1), (e.2): an error or a redirect is never the cause of an error.
// Whatever is wrong with the headers before it.
bool is_error_message(const std::byte* packet, std::uint32_t length) {
    const std::uint32_t at = find_icmpv6(packet, length);
    if (at >= length) return false;
    const auto type = static_cast<std::uint8_t>(packet[at]);
    return type < kEchoRequestV6 || type == kLastDiscovery;
}

// An error is longer in front than what it is about, and not every port leaves room there: then the data
// move.
bool make_headroom(rte_mbuf* packet, std::uint16_t bytes) {
    const std::uint16_t have = rte_pktmbuf_headroom(packet);
    if (have >= bytes) return true;
    const auto missing = static_cast<std::uint16_t>(bytes - have);
    if (rte_pktmbuf_tailroom(packet) < missing) return false;
    const auto* from = rte_pktmbuf_mtod(packet, std::byte*);
    packet->data_off = bytes;
    std::memmove(rte_pktmbuf_mtod(packet, std::byte*), from, packet->data_len);
    return true;
}

}  // namespace

Icmpv6::Verdict Icmpv6::input(rte_mbuf* message, const IpArrival& arrival, Time now, IcmpError& error) {
    ++counters_.received;
    const auto nothing = [](Counter& why) {
        ++why;
        return Verdict::kNothing;
    };
    const std::size_t length = message->data_len;
    auto* data = rte_pktmbuf_mtod(message, std::byte*);
    ChecksumSum sum = pseudo_header_sum(arrival.source, arrival.destination, kProtocolIcmpv6, length);
    sum += checksum_sum(data, length);
    if (length < sizeof(Icmpv6Header) || !sum.good()) return nothing(counters_.bad);
    Icmpv6Header header;
    std::memcpy(&header, data, sizeof header);
    if (header.type >= kFirstDiscovery && header.type <= kLastDiscovery) return Verdict::kDiscovery;
    if (arrival.source.is_unspecified()) return nothing(counters_.bad);

    if (header.type == kListenerQuery || header.type == kListenerReport) return Verdict::kListener;
    if (header.type == kEchoRequestV6 && header.code == 0) {
        // Section 4.2: an echo to a group MAY be answered.
        if (!echoes_.admits(now)) return nothing(counters_.echoes_limited);
        header.type = kEchoReplyV6;
        header.checksum = 0;
        std::memcpy(data, &header, sizeof header);
        ++counters_.echoes;
        return Verdict::kReply;
    }
    if (header.type != kUnreachableV6 && header.type != kPacketTooBig) return nothing(counters_.ignored);
    const auto parsed = parse_quotation_v6(header, data + sizeof header, length - sizeof header);
    // What we are said to have sent came from the address that the error was sent to.
    if (!parsed || parsed->local.ip != arrival.destination) return nothing(counters_.bad);
    error = *parsed;
    ++counters_.errors;
    return Verdict::kError;
}

bool Icmpv6::refuse(rte_mbuf* packet, const IpArrival& arrival, const Icmpv6Problem& problem, Time now) {
    const bool answerable = !arrival.source.is_unspecified() && (arrival.unicast || problem.even_to_group) &&
                            !is_error_message(rte_pktmbuf_mtod(packet, const std::byte*), packet->data_len);
    if (!answerable) return false;
    if (!errors_.admits(now)) {
        ++counters_.refusals_limited;
        return false;
    }
    // As much of the packet as does not exceed the least MTU (section 2.4 (c)).
    constexpr std::uint16_t kMostQuoted = kIpv6LeastMtu - kIpv6Bytes - sizeof(Icmpv6Header);
    if (packet->data_len > kMostQuoted)
        rte_pktmbuf_trim(packet, static_cast<std::uint16_t>(packet->data_len - kMostQuoted));
    if (!make_headroom(packet, kLinkHeadroom + sizeof(Icmpv6Header))) return false;
    const Icmpv6Header header{problem.type, problem.code, 0, big_endian32(problem.pointer)};
    std::memcpy(rte_pktmbuf_prepend(packet, sizeof header), &header, sizeof header);
    ++counters_.refusals;
    return true;
}

}  // namespace millrace::net
