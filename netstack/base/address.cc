#include "netstack/base/address.h"

#include <arpa/inet.h>

#include <charconv>

namespace millrace::net {
namespace {

// The whole of `text` as a number no greater than `most`; no sign, no space, not empty.
bool parse_number(std::string_view text, unsigned most, unsigned& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && out <= most;
}

}  // namespace

Expected<Ipv4> parse_ipv4(std::string_view text) {
    in_addr parsed{};
    if (::inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1)
        return fail("'" + std::string(text) + "' is not an IPv4 address: write it as 10.0.0.1");
    return Ipv4{ntohl(parsed.s_addr)};
}

Expected<Cidr> parse_cidr(std::string_view text) {
    const auto slash = text.find('/');
    unsigned prefix = 0;
    if (slash == text.npos || !parse_number(text.substr(slash + 1), 32, prefix))
        return fail("'" + std::string(text) + "' is not a network: write it as 10.0.0.1/24");
    auto ip = parse_ipv4(text.substr(0, slash));
    if (!ip) return tl::unexpected(ip.error());
    return Cidr{*ip, static_cast<std::uint8_t>(prefix)};
}

Expected<SocketAddress> parse_socket_address(std::string_view text) {
    const auto colon = text.rfind(':');
    unsigned port = 0;
    if (colon == text.npos || !parse_number(text.substr(colon + 1), 65535, port))
        return fail("'" + std::string(text) + "' is not an address with a port: write it as 127.0.0.1:9001");
    auto ip = parse_ipv4(text.substr(0, colon));
    if (!ip) return tl::unexpected(ip.error());
    return SocketAddress{*ip, static_cast<std::uint16_t>(port)};
}

std::string to_string(Ipv4 ip) {
    const std::uint32_t v = ip.value;
    return std::to_string(v >> 24) + '.' + std::to_string(v >> 16 & 255) + '.' +
           std::to_string(v >> 8 & 255) + '.' + std::to_string(v & 255);
}

std::string to_string(const SocketAddress& address) {
    return to_string(address.ip) + ':' + std::to_string(address.port);
}

}  // namespace millrace::net
