#include "engine/client/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/http/chars.h"
#include "engine/http/message.h"

namespace millrace::client {
namespace {

bool is_hex(char c) {
    const char lower = http::to_lower(c);
    return http::is_digit(c) || (lower >= 'a' && lower <= 'f');
}

Expected<void> check_target(std::string_view target) {
    if (!std::all_of(target.begin(), target.end(), http::is_target_char))
        return fail("it has a space or another character that must be percent-encoded");
    for (std::size_t i = target.find('%'); i != target.npos; i = target.find('%', i + 1))
        if (target.size() - i < 3 || !is_hex(target[i + 1]) || !is_hex(target[i + 2]))
            return fail("a % in it is not followed by two hexadecimal digits");
    return {};
}

// RFC 3986 section 5.2.4, for a path that begins with a slash.
std::string remove_dot_segments(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/', 1), path.size());
        const std::string_view segment = path.substr(0, end);
        path.remove_prefix(end);
        const bool up = segment == "/..";
        if (up) out.resize(out.find_last_of('/') == out.npos ? 0 : out.find_last_of('/'));
        if (!up && segment != "/.")
            out += segment;
        else if (path.empty())
            out += '/';
    }
    return out;
}

std::string without_dots(std::string_view target) {
    const std::size_t query = std::min(target.find('?'), target.size());
    return remove_dot_segments(target.substr(0, query)) + std::string(target.substr(query));
}

// What follows "scheme://".
Expected<Url> parse_rest(bool secure, std::string_view rest) {
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    auto authority = parse_authority(rest.substr(0, end));
    if (!authority) return tl::unexpected(authority.error());
    Url url;
    url.secure = secure;
    url.user_info = std::move(authority->user_info);
    url.host = std::move(authority->host);
    url.port = authority->port.value_or(secure ? 443 : 80);
    const std::string_view target = rest.substr(end);
    if (auto good = check_target(target); !good) return tl::unexpected(good.error());
    url.target = target.starts_with('/') ? target : '/' + std::string(target);
    return url;
}

// Whether `text` begins with `scheme`, a colon and two slashes, in any case; takes them off.
bool take_scheme(std::string_view& text, std::string_view scheme) {
    const std::size_t size = scheme.size() + 3;
    if (text.size() < size || !http::equals_ignoring_case(text.substr(0, scheme.size()), scheme) ||
        text.substr(scheme.size(), 3) != "://")
        return false;
    text.remove_prefix(size);
    return true;
}

// RFC 3986 section 3.1: a colon before anything that cannot stand in a scheme.
bool has_scheme(std::string_view text) {
    const std::size_t colon = text.find_first_of(":/?");
    return colon != text.npos && text[colon] == ':';
}

Expected<Url> with_target(const Url& base, std::string_view target) {
    if (auto good = check_target(target); !good) return tl::unexpected(good.error());
    Url url = base;
    url.target = without_dots(target);
    return url;
}

}  // namespace

std::string Url::host_field() const {
    const bool usual = port == (secure ? 443 : 80);
    return write_authority(host, usual ? std::nullopt : std::optional(port));
}

std::string Url::text() const {
    return fmt::format("{}://{}{}", secure ? "wss" : "ws", host_field(), target);
}

Expected<Url> parse_url(std::string_view text) {
    std::string_view rest = text;
    const bool secure = take_scheme(rest, "wss");
    if (!secure && !take_scheme(rest, "ws"))
        return fail(fmt::format(
            "'{}' is not a WebSocket's URL: write it as ws://host/path or wss://host/path", text));
    if (rest.find('#') != rest.npos)
        return fail(
            fmt::format("'{}' has a fragment, which WebSocket URLs have not (RFC 6455 section 3): "
                        "leave it out, or write %23 for a # that is meant",
                        text));
    auto url = parse_rest(secure, rest);
    if (!url) return fail(fmt::format("'{}' is not a WebSocket's URL: {}", text, url.error().message));
    return url;
}

Expected<Url> resolve_reference(const Url& base, std::string_view reference) {
    reference = reference.substr(0, reference.find('#'));
    std::string_view rest = reference;
    for (const auto& [scheme, secure] :
         {std::pair("ws", false), std::pair("http", false), std::pair("wss", true), std::pair("https", true)})
        if (take_scheme(rest, scheme)) return parse_rest(secure, rest);
    if (reference.starts_with("//")) return parse_rest(base.secure, reference.substr(2));
    if (reference.starts_with('/')) return with_target(base, reference);
    if (has_scheme(reference)) return fail("its scheme is none of ws, wss, http and https");
    const std::string_view path = std::string_view(base.target).substr(0, base.target.find('?'));
    if (reference.empty()) return base;
    if (reference.front() == '?') return with_target(base, fmt::format("{}{}", path, reference));
    return with_target(base, fmt::format("{}{}", path.substr(0, path.rfind('/') + 1), reference));
}

}  // namespace millrace::client
