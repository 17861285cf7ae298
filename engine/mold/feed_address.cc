#include <charconv>

#include "engine/mold/feed.h"

namespace millrace::mold {
namespace {

Expected<net::SocketAddress> parse_v4(std::string_view text) {
    auto address = net::parse_socket_address(text);
    if (address && !address->ip.is_v4()) return fail("'" + std::string(text) + "' is not an IPv4 address");
    return address;
}

Expected<void> take_parameter(std::string_view name, std::string_view value, FeedAddress& out) {
    if (name == "interface" && !value.empty()) {
        out.interface = value;
        return {};
    }
    if (name == "request") {
        auto address = parse_v4(value);
        if (!address) return tl::unexpected(address.error());
        out.request = *address;
        return {};
    }
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out.from);
    if (name == "from" && error == std::errc() && end == value.data() + value.size()) return {};
    return fail("'" + std::string(name) + "=" + std::string(value) +
                "' is not known: there are interface=NAME, request=ADDRESS:PORT and from=NUMBER");
}

}  // namespace

Expected<FeedAddress> parse_feed_address(std::string_view text) {
    constexpr std::string_view kScheme = "mold://";
    if (!text.starts_with(kScheme))
        return fail("'" + std::string(text) +
                    "' is not mold://GROUP:PORT?interface=NAME&request=ADDRESS:PORT");
    text.remove_prefix(kScheme.size());
    const std::size_t question = text.find('?');
    FeedAddress out;
    auto group = parse_v4(text.substr(0, question));
    if (!group) return tl::unexpected(group.error());
    out.group = *group;
    std::string_view query = question == text.npos ? std::string_view() : text.substr(question + 1);
    while (!query.empty()) {
        const std::string_view parameter = query.substr(0, query.find('&'));
        const std::size_t equals = std::min(parameter.find('='), parameter.size());
        const std::size_t value = std::min(equals + 1, parameter.size());
        if (auto taken = take_parameter(parameter.substr(0, equals), parameter.substr(value), out); !taken)
            return tl::unexpected(taken.error());
        query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    }
    return out;
}

}  // namespace millrace::mold
