#include "netstack/base/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "netstack/base/byte_order.h"

namespace millrace::net {
namespace {

// The whole of `text` as a number no greater than `most`; no sign, no space, not empty.
bool parse_number(std::string_view text, unsigned most, unsigned& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && out <= most;
}

// Brackets keep the colons of an IPv6 address from its port's (RFC 3986 section 3.2.2), and nothing else
// needs them.
bool parse_host(std::string_view text, IpAddress& out) {
    const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
    const auto ip = parse_ip(bracketed ? text.substr(1, text.size() - 2) : text);
    if (!ip || ip->is_v4() == bracketed) return false;
    out = *ip;
    return true;
}

}  // namespace

Expected<IpAddress> parse_ip(std::string_view text) {
    const std::string zero_ended(text);
    in_addr v4{};
    if (::inet_pton(AF_INET, zero_ended.c_str(), &v4) == 1) return Ipv4{ntohl(v4.s_addr)};
    std::array<std::byte, 16> v6{};
    if (::inet_pton(AF_INET6, zero_ended.c_str(), v6.data()) == 1) return load_ipv6(v6.data());
    return fail("'" + zero_ended + "' is not an IP address: write it as 10.0.0.1 or 2001:db8::1");
}

Expected<Cidr> parse_cidr(std::string_view text) {
    const auto slash = text.find('/');
    const auto ip = parse_ip(text.substr(0, slash));
    unsigned prefix = 0;
    if (slash == text.npos || !ip || !parse_number(text.substr(slash + 1), ip->is_v4() ? 32 : 128, prefix))
        return fail("'" + std::string(text) +
                    "' is not a network: write it as 10.0.0.1/24 or 2001:db8::1/64");
    return Cidr{*ip, static_cast<std::uint8_t>(prefix)};
}

Expected<SocketAddress> parse_socket_address(std::string_view text) {
    const auto colon = text.rfind(':');
    SocketAddress address;
    unsigned port = 0;
    if (colon == text.npos || !parse_number(text.substr(colon + 1), 65535, port) ||
        !parse_host(text.substr(0, colon), address.ip))
        return fail("'" + std::string(text) +
                    "' is not an address with a port: write it as 127.0.0.1:9001 or [::1]:9001");
    address.port = static_cast<std::uint16_t>(port);
    return address;
}

std::string to_string(const IpAddress& ip) {
    char text[INET6_ADDRSTRLEN];
    if (ip.is_v4()) {
        const std::uint32_t octets = big_endian32(ip.v4().value);
        return ::inet_ntop(AF_INET, &octets, text, sizeof text);
    }
    std::array<std::byte, 16> octets;
    store_ipv6(octets.data(), ip);
    return ::inet_ntop(AF_INET6, octets.data(), text, sizeof text);
}

std::string to_string(const SocketAddress& address) {
    const std::string ip = to_string(address.ip);
    return (address.ip.is_v4() ? ip : '[' + ip + ']') + ':' + std::to_string(address.port);
}

}  // namespace millrace::net
