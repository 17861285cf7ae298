#include "engine/proxy/forwarded.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "engine/http/chars.h"

namespace millrace::proxy {
namespace {

bool is_trusted(const net::IpAddress& ip, const ForwardedPolicy& policy) {
    return std::any_of(policy.trusted.begin(), policy.trusted.end(),
                       [&](const net::Cidr& network) { return network.contains(ip); });
}

// The value of for= in one forwarded-element (RFC 7239 section 4), without its quotes.
std::string_view for_parameter(std::string_view element) {
    while (!element.empty()) {
        const std::size_t end = std::min(element.find(';'), element.size());
        const std::string_view pair = http::trim(element.substr(0, end));
        element.remove_prefix(std::min(end + 1, element.size()));
        const std::size_t equals = pair.find('=');
        if (equals == pair.npos || !http::equals_ignoring_case(pair.substr(0, equals), "for")) continue;
        const std::string_view value = pair.substr(equals + 1);
        const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
        return quoted ? value.substr(1, value.size() - 2) : value;
    }
    return {};
}

// An address as proxies write it: bare or, some of them, with a port; IPv6 also in brackets.
std::optional<net::SocketAddress> parse_node(std::string_view text) {
    if (text.size() > 64) return std::nullopt;
    if (const auto ip = net::parse_ip(text)) return net::SocketAddress{*ip, 0};
    if (text.starts_with('[') && text.ends_with(']')) {
        const auto ip = net::parse_ip(text.substr(1, text.size() - 2));
        return ip ? std::optional(net::SocketAddress{*ip, 0}) : std::nullopt;
    }
    const auto address = net::parse_socket_address(text);
    return address ? std::optional(*address) : std::nullopt;
}

}  // namespace

net::SocketAddress client_address(const http::Request& request, net::SocketAddress peer,
                                  const ForwardedPolicy& policy) {
    const std::string_view name = policy.rfc7239 ? "forwarded" : "x-forwarded-for";
    const auto fields = request.fields.all();
    // Several lines are one list (RFC 9110 section 5.3), read from its end.
    for (std::size_t i = fields.size(); i-- > 0 && is_trusted(peer.ip, policy);) {
        if (!http::equals_ignoring_case(fields[i].name, name)) continue;
        std::string_view list = fields[i].value;
        while (!list.empty() && is_trusted(peer.ip, policy)) {
            const std::size_t comma = list.rfind(',');
            const std::string_view member = http::trim(comma == list.npos ? list : list.substr(comma + 1));
            list = comma == list.npos ? std::string_view{} : list.substr(0, comma);
            if (member.empty()) continue;
            const auto node = parse_node(policy.rfc7239 ? for_parameter(member) : member);
            if (!node) return peer;  // who stands behind it is not known
            peer = *node;
        }
    }
    return peer;
}

}  // namespace millrace::proxy
