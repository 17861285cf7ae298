#pragma once
// The IPv4 header (RFC 791) as it lies in memory.

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/checksum.h"

namespace millrace::net {

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;

struct Ipv4Header {
    std::uint8_t version_and_length;  // 0x45: version 4, five words
    std::uint8_t type_of_service;
    std::uint16_t total_length;  // these and the addresses are big endian
    std::uint16_t identification;
    std::uint16_t fragment;  // flags and offset
    std::uint8_t ttl;
    std::uint8_t protocol;
    std::uint16_t checksum;
    std::uint32_t source;
    std::uint32_t destination;

    IpAddress source_ip() const { return Ipv4{big_endian32(source)}; }
    IpAddress destination_ip() const { return Ipv4{big_endian32(destination)}; }
};
static_assert(sizeof(Ipv4Header) == 20);

inline constexpr std::uint16_t kIpv4Bytes = sizeof(Ipv4Header);
inline constexpr std::uint16_t kDontFragment = 0x4000;
inline constexpr std::uint16_t kFragmentMask = 0x3fff;  // "more fragments" and the offset
inline constexpr std::uint8_t kTtl = 64;

// The header of a packet with `payload` bytes, without options; its checksum is computed with `checksum`,
// else left zero for the port. The identification is zero: packets that are never fragmented need none (RFC
// 6864 section 4.1).
inline Ipv4Header make_ipv4_header(Ipv4 source, Ipv4 destination, std::uint8_t protocol,
                                   std::uint32_t payload, bool checksum) {
    Ipv4Header header{.version_and_length = 0x45,
                      .type_of_service = 0,
                      .total_length = big_endian16(static_cast<std::uint16_t>(kIpv4Bytes + payload)),
                      .identification = 0,
                      .fragment = big_endian16(kDontFragment),
                      .ttl = kTtl,
                      .protocol = protocol,
                      .checksum = 0,
                      .source = big_endian32(source.value),
                      .destination = big_endian32(destination.value)};
    if (checksum) {
        const std::uint64_t fixed = std::uint64_t{big_endian16(0x4500)} + big_endian16(kDontFragment) +
                                    big_endian16(static_cast<std::uint16_t>(kTtl << 8 | protocol)) +
                                    header.total_length;
        header.checksum = ChecksumSum(fixed + header.source + header.destination).checksum();
    }
    return header;
}

}  // namespace millrace::net
