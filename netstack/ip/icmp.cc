#include "netstack/ip/icmp.h"

#include <cstring>

#include "netstack/base/checksum.h"
#include "netstack/ip/ipv4.h"

namespace millrace::net {
namespace {

constexpr std::uint8_t kEchoReply = 0;
constexpr std::uint8_t kUnreachable = 3;
constexpr std::uint8_t kEchoRequest = 8;
constexpr std::uint8_t kFragmentationNeeded = 4;  // RFC 792, RFC 1812 section 5.2.7.1

struct IcmpHeader {
    std::uint8_t type;
    std::uint8_t code;
    std::uint16_t checksum;
    std::uint16_t rest[2];  // echo: identifier, sequence; unreachable: unused, next-hop MTU
};
static_assert(sizeof(IcmpHeader) == 8);

// The quotation holds our IP header and at least eight bytes of the segment (RFC 792).
std::optional<IcmpError> parse_quotation(const IcmpHeader& header, const std::byte* quoted,
                                         std::size_t length) {
    if (length < kIpv4Bytes) return {};
    Ipv4Header ip;
    std::memcpy(&ip, quoted, sizeof ip);
    const std::size_t ip_bytes = (ip.version_and_length & 15u) * 4;
    const bool later_fragment = (big_endian16(ip.fragment) & 0x1fff) != 0;
    if (ip.version_and_length >> 4 != 4 || ip_bytes < kIpv4Bytes || length < ip_bytes + 8 ||
        ip.protocol != kProtocolTcp || later_fragment)
        return {};
    std::optional<std::uint16_t> next_mtu;
    if (header.code == kFragmentationNeeded) next_mtu = big_endian16(header.rest[1]);
    return about_segment(ip.source_ip(), ip.destination_ip(), quoted + ip_bytes, next_mtu);
}

}  // namespace

Icmp::Verdict Icmp::input(rte_mbuf* message, const IpArrival& arrival, Time now, IcmpError& error) {
    ++counters_.received;
    const auto nothing = [](Counter& why) {
        ++why;
        return Verdict::kNothing;
    };
    const std::size_t length = message->data_len;
    auto* data = rte_pktmbuf_mtod(message, std::byte*);
    if (length < sizeof(IcmpHeader) || !checksum_sum(data, length).good()) return nothing(counters_.bad);
    IcmpHeader header;
    std::memcpy(&header, data, sizeof header);
    // RFC 1122 section 3.2.2.6 lets a host ignore echoes to broadcast addresses: they serve amplification.
    if (!arrival.unicast) return nothing(counters_.ignored);

    if (header.type == kEchoRequest && header.code == 0) {
        if (!echoes_.admits(now)) return nothing(counters_.echoes_limited);
        header.type = kEchoReply;
        header.checksum = 0;
        std::memcpy(data, &header, sizeof header);
        ++counters_.echoes;
        return Verdict::kReply;
    }
    if (header.type != kUnreachable) return nothing(counters_.ignored);
    const auto parsed = parse_quotation(header, data + sizeof header, length - sizeof header);
    // What we are said to have sent came from the address that the error was sent to.
    if (!parsed || parsed->local.ip != arrival.destination) return nothing(counters_.bad);
    error = *parsed;
    ++counters_.errors;
    return Verdict::kError;
}

}  // namespace millrace::net
