#pragma once
// IP addresses and socket addresses as values. Network byte order lives only in packet headers; here an
// IPv4 address is a number whose first octet is its most significant byte, so that ranges are arithmetic.

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

struct SocketAddress {
    Ipv4 ip;  // IPv6 joins here with issue "TCP, complete"
    std::uint16_t port = 0;
    friend constexpr auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

// A network as people write it: "10.0.0.1/16". `address` keeps its host bits.
struct Cidr {
    Ipv4 address;
    std::uint8_t prefix = 32;
    constexpr std::uint32_t mask() const { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }
    constexpr bool contains(Ipv4 ip) const { return ((ip.value ^ address.value) & mask()) == 0; }
};

Expected<Ipv4> parse_ipv4(std::string_view text);
Expected<Cidr> parse_cidr(std::string_view text);
// "ADDR:PORT"
Expected<SocketAddress> parse_socket_address(std::string_view text);

std::string to_string(Ipv4 ip);
std::string to_string(const SocketAddress& address);

struct MacAddress {
    std::array<std::uint8_t, 6> octets{};
    friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

inline constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

}  // namespace millrace::net
