#pragma once
// IPv6 packets for tests, built octet by octet as frames.h does for IPv4.

#include "netstack/ip/ipv6.h"
#include "tests/unit/port/frames.h"

namespace millrace::net::test {

inline constexpr IpAddress kOurIp6{0x20010db800000000, 1};   // 2001:db8::1
inline constexpr IpAddress kPeerIp6{0x20010db800000000, 2};  // 2001:db8::2
inline constexpr IpAddress kOurLinkLocal{0xfe80000000000000, 0x000000fffe000001};
inline constexpr IpAddress kPeerLinkLocal{0xfe80000000000000, 0x000000fffe000002};

// RFC 8200 section 3. `next_header` is that of `payload`, which may begin with extension headers.
inline Octets ipv6(const IpAddress& source, const IpAddress& destination, std::uint8_t next_header,
                   const Octets& payload, std::uint8_t hop_limit = 64) {
    Octets packet;
    put32(packet, 6u << 28);
    put16(packet, static_cast<std::uint32_t>(payload.size()));
    packet.push_back(next_header);
    packet.push_back(hop_limit);
    put_ip(packet, source);
    put_ip(packet, destination);
    append(packet, payload);
    return packet;
}

inline Octets joined(Octets first, const Octets& second) {
    append(first, second);
    return first;
}

// An extension header made of options (RFC 8200 section 4.2): its length is filled in, `options` fill it up.
inline Octets options_header(std::uint8_t next_header, const Octets& options) {
    Octets header{next_header, static_cast<std::uint8_t>((options.size() + 2) / 8 - 1)};
    append(header, options);
    return header;
}
inline Octets routing_header(std::uint8_t next_header, std::uint8_t type, std::uint8_t segments_left) {
    return {next_header, 0, type, segments_left, 0, 0, 0, 0};
}
inline Octets fragment_header(std::uint8_t next_header, std::uint16_t offset_and_flags) {
    Octets header{next_header, 0};
    put16(header, offset_and_flags);
    put32(header, 0x12345678);
    return header;
}

inline Octets icmpv6(const IpAddress& source, const IpAddress& destination, std::uint8_t type,
                     std::uint8_t code, std::uint32_t rest, const Octets& payload) {
    Octets message{type, code};
    put16(message, 0);
    put32(message, rest);
    append(message, payload);
    set16(message, 2, l4_checksum(source, destination, 58, message));
    return message;
}

inline Octets link_option(std::uint8_t type, const MacAddress& mac) {
    Octets option(8);
    option[0] = type;
    option[1] = 1;
    std::copy(mac.octets.begin(), mac.octets.end(), option.begin() + 2);
    return option;
}

// RFC 4861 sections 4.3 and 4.4, as whole packets.
inline Octets solicitation(const IpAddress& source, const IpAddress& destination, const IpAddress& target,
                           const Octets& options) {
    Octets body;
    put_ip(body, target);
    append(body, options);
    return ipv6(source, destination, 58, icmpv6(source, destination, 135, 0, 0, body), 255);
}
inline Octets advertisement(const IpAddress& source, const IpAddress& destination, const IpAddress& target,
                            std::uint32_t flags, const Octets& options) {
    Octets body;
    put_ip(body, target);
    append(body, options);
    return ipv6(source, destination, 58, icmpv6(source, destination, 136, 0, flags << 24, body), 255);
}
inline constexpr std::uint32_t kSolicited = 0x40, kOverride = 0x20;

inline Octets frame6(const Octets& packet, const MacAddress& to = kOurMac,
                     const MacAddress& from = kPeerMac) {
    return ethernet(to, from, 0x86dd, packet);
}

// RFC 3810 section 5, behind the header with Router Alert (RFC 2711) that all such messages have.
inline Octets mld(const IpAddress& source, const IpAddress& destination, const Octets& message) {
    return ipv6(source, destination, 0, joined({58, 0, 5, 2, 0, 0, 1, 0}, message), 1);
}
// The message alone, and its checksum is zero: see icmpv6_checked().
inline Octets mld_query(const IpAddress& group, std::uint16_t max_response_code, std::uint8_t robustness,
                        std::uint8_t interval_code) {
    Octets message{130, 0, 0, 0};
    put16(message, max_response_code);
    put16(message, 0);
    put_ip(message, group);
    append(message, {robustness, interval_code, 0, 0});
    return message;
}
inline Octets icmpv6_checked(const IpAddress& source, const IpAddress& destination, Octets message) {
    set16(message, 2, l4_checksum(source, destination, 58, message));
    return message;
}
struct MldRecordOctets {
    std::uint8_t type;
    IpAddress group;
};
// What we say, as whole frames.
inline Octets mld_report_frame(const IpAddress& source, const std::vector<MldRecordOctets>& records) {
    const IpAddress routers{0xff02000000000000, 0x16};
    Octets message{143, 0, 0, 0, 0, 0};
    put16(message, static_cast<std::uint32_t>(records.size()));
    for (const auto& [type, group] : records) {
        append(message, {type, 0, 0, 0});
        put_ip(message, group);
    }
    return frame6(mld(source, routers, icmpv6_checked(source, routers, message)),
                  {{0x33, 0x33, 0, 0, 0, 0x16}}, kOurMac);
}
inline Octets mld_report_v1_frame(const IpAddress& source, const IpAddress& group) {
    Octets message{131, 0, 0, 0, 0, 0, 0, 0};
    put_ip(message, group);
    return frame6(mld(source, group, icmpv6_checked(source, group, message)), mac_of_group(group), kOurMac);
}

inline constexpr MacAddress kGroupMac{{0x33, 0x33, 0, 0, 0, 1}};

}  // namespace millrace::net::test
