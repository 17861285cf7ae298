#pragma once
// The IPv6 header (RFC 8200 section 3) as it lies in memory.

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/byte_order.h"

namespace millrace::net {

// Values of Next Header (RFC 8200 section 4).
inline constexpr std::uint8_t kHopByHop = 0;
inline constexpr std::uint8_t kRouting = 43;
inline constexpr std::uint8_t kFragment = 44;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;
inline constexpr std::uint8_t kNoNextHeader = 59;
inline constexpr std::uint8_t kDestinationOptions = 60;

struct Ipv6Header {
    std::uint32_t version_class_flow;  // this and all numbers are big endian
    std::uint16_t payload_length;
    std::uint8_t next_header;
    std::uint8_t hop_limit;
    std::uint64_t source_high, source_low;
    std::uint64_t destination_high, destination_low;

    unsigned version() const { return big_endian32(version_class_flow) >> 28; }
    IpAddress source() const { return {big_endian64(source_high), big_endian64(source_low)}; }
    IpAddress destination() const { return {big_endian64(destination_high), big_endian64(destination_low)}; }
};
static_assert(sizeof(Ipv6Header) == 40);

inline constexpr std::uint16_t kIpv6Bytes = sizeof(Ipv6Header);
inline constexpr std::uint16_t kIpv6LeastMtu = 1280;  // RFC 8200 section 5
inline constexpr std::uint8_t kHopLimit = 64;

// The header of a packet with `payload` bytes behind it. The flow label is zero: what spreads flows reads
// ports, as there is no extension header in the way.
inline Ipv6Header make_ipv6_header(const IpAddress& source, const IpAddress& destination,
                                   std::uint8_t next_header, std::uint32_t payload,
                                   std::uint8_t hop_limit = kHopLimit) {
    return {.version_class_flow = big_endian32(6u << 28),
            .payload_length = big_endian16(static_cast<std::uint16_t>(payload)),
            .next_header = next_header,
            .hop_limit = hop_limit,
            .source_high = big_endian64(source.high),
            .source_low = big_endian64(source.low),
            .destination_high = big_endian64(destination.high),
            .destination_low = big_endian64(destination.low)};
}

// The groups of a host (RFC 4291 section 2.7.1): all nodes of the link, and for each address the
// solicited-node group of its last 24 bits.
inline constexpr IpAddress kAllNodes{0xff02000000000000, 1};
inline constexpr IpAddress kAllRouters{0xff02000000000000, 2};
constexpr IpAddress solicited_node_group(const IpAddress& ip) {
    return {0xff02000000000000, 0x1ff000000 | (ip.low & 0xffffff)};
}

// The Ethernet address of a group (RFC 2464 section 7).
constexpr MacAddress mac_of_group(const IpAddress& group) {
    const auto octet = [&](unsigned shift) { return static_cast<std::uint8_t>(group.low >> shift); };
    return {{0x33, 0x33, octet(24), octet(16), octet(8), octet(0)}};
}

// The link-local address derived from a MAC address (RFC 4291 section 2.5.6 and appendix A).
constexpr IpAddress link_local_of(const MacAddress& mac) {
    const auto& o = mac.octets;
    const std::uint64_t company = std::uint64_t{o[0]} << 16 | std::uint64_t{o[1]} << 8 | o[2];
    const std::uint64_t number = std::uint64_t{o[3]} << 16 | std::uint64_t{o[4]} << 8 | o[5];
    return {0xfe80000000000000, (company ^ 0x020000) << 40 | std::uint64_t{0xfffe} << 24 | number};
}

}  // namespace millrace::net
