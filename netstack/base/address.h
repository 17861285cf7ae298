#pragma once
// IP addresses and socket addresses as values. Network byte order lives only in packet headers; here an
// address is a number whose first octet is its most significant byte, so that ranges are arithmetic.

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "netstack/base/error.h"

namespace millrace::net {

struct Ipv4 {
    std::uint32_t value = 0;  // host byte order
    friend constexpr auto operator<=>(Ipv4, Ipv4) = default;
};

// An address of either family. An IPv4 address is kept as its IPv4-mapped form, ::ffff:a.b.c.d (RFC 4291
// section 2.5.5.2), which never appears on the wire (such packets are dropped): one comparison serves both
// families, and the low half counts up through a range in both. The default is the unspecified address `::`.
struct IpAddress {
    std::uint64_t high = 0;  // host byte order
    std::uint64_t low = 0;

    constexpr IpAddress() = default;
    constexpr IpAddress(Ipv4 ip) : low(kMapped | ip.value) {}
    constexpr IpAddress(std::uint64_t high_half, std::uint64_t low_half) : high(high_half), low(low_half) {}

    constexpr bool is_v4() const { return high == 0 && low >> 32 == kMapped >> 32; }
    constexpr Ipv4 v4() const { return Ipv4{static_cast<std::uint32_t>(low)}; }  // where is_v4()
    constexpr bool is_unspecified() const { return high == 0 && (low == 0 || low == kMapped); }
    // ff00::/8, and not an IPv4 group (RFC 4291 section 2.7).
    constexpr bool is_v6_multicast() const { return high >> 56 == 0xff; }
    // fe80::/10 (RFC 4291 section 2.5.6).
    constexpr bool is_link_local() const { return high >> 54 == 0xfe80u >> 6; }
    // The address `n` further on.
    constexpr IpAddress plus(std::uint64_t n) const { return {high, low + n}; }

    friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

  private:
    static constexpr std::uint64_t kMapped = std::uint64_t{0xffff} << 32;
};

struct SocketAddress {
    IpAddress ip;
    std::uint16_t port = 0;
    friend constexpr auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

// The first `bits` of 128 set.
constexpr IpAddress leading_ones(unsigned bits) {
    constexpr std::uint64_t kAll = ~std::uint64_t{0};
    return {bits >= 64 ? kAll : ~(kAll >> bits), bits <= 64 ? 0 : ~(bits == 128 ? 0 : kAll >> (bits - 64))};
}

// A network as people write it: "10.0.0.1/16", "2001:db8::1/64". `address` keeps its host bits.
struct Cidr {
    IpAddress address;
    std::uint8_t prefix = 32;  // bits of the address in its own family
    constexpr IpAddress mask() const { return leading_ones(address.is_v4() ? 96u + prefix : prefix); }
    constexpr bool contains(const IpAddress& ip) const {
        const IpAddress bits = mask();
        return (((ip.high ^ address.high) & bits.high) | ((ip.low ^ address.low) & bits.low)) == 0;
    }
    friend constexpr bool operator==(const Cidr&, const Cidr&) = default;
};

// "10.0.0.1" or "2001:db8::1"
Expected<IpAddress> parse_ip(std::string_view text);
Expected<Cidr> parse_cidr(std::string_view text);
// "10.0.0.1:80" or "[2001:db8::1]:80"
Expected<SocketAddress> parse_socket_address(std::string_view text);

// As RFC 5952 has it, and in brackets where a port follows.
std::string to_string(const IpAddress& ip);
std::string to_string(const SocketAddress& address);

struct MacAddress {
    std::array<std::uint8_t, 6> octets{};
    friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

inline constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

}  // namespace millrace::net
