#include "engine/http/target.h"

#include <algorithm>
#include <charconv>

#include "engine/http/chars.h"

namespace millrace::http {
namespace {

bool is_alpha(char c) {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

// RFC 3986 section 3.1.
bool is_scheme(std::string_view text) {
    return !text.empty() && is_alpha(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    });
}

bool is_port(std::string_view text) {
    return text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

// Splits host[:port] before the colon of the port; npos when there is none.
std::size_t port_colon(std::string_view text) {
    const std::size_t from = text.starts_with('[') ? text.find(']') : 0;
    return from == text.npos ? text.npos : text.find(':', from);
}

void split_query(std::string_view text, Request& request) {
    const std::size_t mark = text.find('?');
    request.path = text.substr(0, mark);
    request.query = mark == text.npos ? std::string_view{} : text.substr(mark + 1);
}

// absolute-URI: scheme "://" authority path-abempty [ "?" query ]
const char* split_absolute(Request& request) {
    constexpr const char* kMalformed = "the request target has none of its four forms (RFC 9112 section 3.2)";
    const std::string_view target = request.target;
    const std::size_t scheme = target.find("://");
    if (scheme == target.npos || !is_scheme(target.substr(0, scheme))) return kMalformed;
    const std::string_view rest = target.substr(scheme + 3);
    const std::size_t authority = std::min(rest.find_first_of("/?"), rest.size());
    request.host = rest.substr(0, authority);
    if (request.host.empty() || request.host.front() == ':' || !is_host(request.host))
        return "the request target names no host (RFC 9110 section 4.2)";
    split_query(rest.substr(authority), request);
    // An empty path is "/", and for OPTIONS the server as a whole (RFC 9112 section 3.2.4).
    if (request.path.empty()) request.path = request.method == "OPTIONS" && request.query.empty() ? "*" : "/";
    return nullptr;
}

const char* split_authority(Request& request) {
    const std::size_t colon = port_colon(request.target);
    if (!is_host(request.target) || colon == request.target.npos || colon == 0 ||
        colon + 1 == request.target.size())
        return "CONNECT wants host:port (RFC 9112 section 3.2.3)";
    request.host = request.target;
    request.path = request.query = {};
    return nullptr;
}

}  // namespace

bool is_host(std::string_view text) {
    const std::size_t colon = port_colon(text);
    if (colon != text.npos && !is_port(text.substr(colon + 1))) return false;
    const std::string_view host = text.substr(0, colon);
    if (!host.starts_with('[')) return std::all_of(host.begin(), host.end(), is_host_char);
    // IP-literal (RFC 3986 section 3.2.2); what the address is, nobody here needs to know.
    return host.size() > 2 && host.back() == ']' && std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
               return c == ':' || (is_host_char(c) && c != '%');
           });
}

const char* split_target(Request& request) {
    if (request.method == "CONNECT") return split_authority(request);
    if (request.target.starts_with('/')) {
        split_query(request.target, request);
        return nullptr;
    }
    if (request.target == "*") {
        request.path = request.target;
        request.query = {};
        return request.method == "OPTIONS" ? nullptr : "'*' is for OPTIONS only (RFC 9112 section 3.2.4)";
    }
    return split_absolute(request);
}

std::string_view decode_path(std::string_view path, std::span<char> out) {
    std::size_t used = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            out[used++] = path[i];
            continue;
        }
        unsigned octet = 0;
        const char* const from = path.data() + i + 1;
        if (path.size() - i < 3 || std::from_chars(from, from + 2, octet, 16).ptr != from + 2) return {};
        out[used++] = static_cast<char>(octet);
        i += 2;
    }
    return {out.data(), used};
}

}  // namespace millrace::http
