#include "engine/client/proxy.h"

#include <fmt/format.h>

#include "engine/http/chars.h"
#include "engine/http/list.h"
#include "engine/http/message.h"
#include "netstack/base/address.h"

namespace millrace::client {
namespace {

bool is_or_lies_under(std::string_view host, std::string_view name) {
    if (name.starts_with('.')) name.remove_prefix(1);
    if (name.empty() || host.size() < name.size() ||
        !http::equals_ignoring_case(host.substr(host.size() - name.size()), name))
        return false;
    return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

const char* look_up(const Environment& environment, std::initializer_list<const char*> names) {
    for (const char* name : names)
        if (const char* value = environment(name); value && *value) return value;
    return nullptr;
}

}  // namespace

Expected<Proxy> parse_proxy(std::string_view text) {
    constexpr std::string_view kScheme = "http://";
    const auto wrong = [&](std::string_view why) {
        return fail(fmt::format("'{}' is not a proxy's URL: {}", text, why));
    };
    if (!text.starts_with(kScheme)) return wrong("write it as http://host:port");
    std::string_view rest = text.substr(kScheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    auto authority = parse_authority(rest);
    if (!authority) return wrong(authority.error().message);
    Proxy proxy{std::move(authority->host), authority->port.value_or(80), {}};
    if (!authority->user_info) return proxy;
    auto credentials = basic_credentials(*authority->user_info);
    if (!credentials) return wrong(credentials.error().message);
    proxy.credentials = std::move(*credentials);
    return proxy;
}

Expected<std::optional<Proxy>> proxy_from(const Environment& environment, const Url& url) {
    const char* const excepted = look_up(environment, {"no_proxy", "NO_PROXY"});
    if (excepted && is_excepted(excepted, url.host)) return std::nullopt;
    const char* text = url.secure ? look_up(environment, {"https_proxy", "HTTPS_PROXY"})
                                  : look_up(environment, {"http_proxy"});
    if (!text) text = look_up(environment, {"all_proxy", "ALL_PROXY"});
    if (!text) return std::nullopt;
    auto proxy = parse_proxy(text);
    if (!proxy) return tl::unexpected(proxy.error());
    return std::optional(std::move(*proxy));
}

bool is_excepted(std::string_view no_proxy, std::string_view host) {
    const auto ip = net::parse_ip(host);
    http::ListReader list(no_proxy);
    for (std::string_view entry; list.next(entry);) {
        if (entry == "*" || is_or_lies_under(host, entry)) return true;
        if (!ip) continue;
        if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
        const auto network = net::parse_cidr(entry);
        if (network && network->address.is_v4() == ip->is_v4() && network->contains(*ip)) return true;
        if (const auto other = net::parse_ip(entry); other && *other == *ip) return true;
    }
    return false;
}

}  // namespace millrace::client
