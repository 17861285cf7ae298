#include "engine/client/authority.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

#include "engine/http/chars.h"
#include "engine/http/target.h"
#include "netstack/base/address.h"

namespace millrace::client {
namespace {

Expected<std::string> parse_host(std::string_view text) {
    if (text.empty()) return fail("it names no host");
    if (text.front() == '[') {
        const auto ip = net::parse_ip(text.substr(1, text.size() - 2));
        if (!ip || ip->is_v4())
            return fail(fmt::format("{} is not an IPv6 address (one with a zone cannot be used here)", text));
        return net::to_string(*ip);
    }
    std::string host(text);
    for (char& c : host) {
        if (!http::is_host_char(c) || c == '%')
            return fail(
                "its host has a character that no host name has (other scripts are written as xn--…)");
        c = http::to_lower(c);
    }
    return host;
}

Expected<std::optional<std::uint16_t>> parse_port(std::string_view text) {
    if (text.empty()) return std::nullopt;  // RFC 3986 section 3.2.3: as if there were no colon
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0)
        return fail("its port is not a number from 1 to 65535");
    return port;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

Expected<Authority> parse_authority(std::string_view text) {
    Authority out;
    if (const std::size_t at = text.rfind('@'); at != text.npos) {
        out.user_info = text.substr(0, at);
        text.remove_prefix(at + 1);
    }
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    if (bracket == text.npos) return fail("the bracket before its IPv6 address is not closed");
    const std::size_t colon = text.find(':', bracket);
    auto host = parse_host(text.substr(0, colon));
    if (!host) return tl::unexpected(host.error());
    out.host = std::move(*host);
    if (colon == text.npos) return out;
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return tl::unexpected(port.error());
    out.port = *port;
    return out;
}

std::string write_authority(std::string_view host, std::optional<std::uint16_t> port) {
    const bool v6 = host.find(':') != host.npos;
    return fmt::format("{}{}{}{}", v6 ? "[" : "", host, v6 ? "]" : "",
                       port ? fmt::format(":{}", *port) : std::string());
}

Expected<std::string> basic_credentials(std::string_view user_info) {
    // Section 2: the first colon ends the name, which therefore cannot have one.
    const std::string_view name = user_info.substr(0, user_info.find(':'));
    std::string decoded(user_info.size(), '\0');
    const std::string_view plain = http::decode_path(user_info, decoded);
    std::string name_room(name.size(), '\0');
    const std::string_view plain_name = http::decode_path(name, name_room);
    if (plain.empty() != user_info.empty() || plain_name.find(':') != plain_name.npos ||
        std::any_of(plain.begin(), plain.end(), is_control))
        return fail(
            "its user name and password cannot be sent: write them as user:password, percent-encoded");
    std::string text(plain);
    if (text.find(':') == text.npos) text += ':';
    std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(length));
    return "Basic " + out;
}

}  // namespace millrace::client
