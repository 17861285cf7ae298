#pragma once
// ws:// and wss:// URLs (RFC 6455 section 3, RFC 3986).

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/client/authority.h"
#include "netstack/base/error.h"

namespace millrace::client {

struct Url {
    bool secure = false;                   // wss
    std::optional<std::string> user_info;  // as it is written
    std::string host;                      // in lower case; an IPv6 address without its brackets
    std::uint16_t port = 80;
    std::string target = "/";  // path and query, with the percent-encoding that they were written with

    // For the Host field: with its port unless that is the scheme's own (RFC 6455 section 4.1).
    std::string host_field() const;
    // Without user information, which is nobody's business.
    std::string text() const;
    // Scheme, host and port (RFC 6454 section 4).
    bool same_origin(const Url& other) const {
        return secure == other.secure && host == other.host && port == other.port;
    }
};

Expected<Url> parse_url(std::string_view text);

// Where `reference`, a URL or part of one, leads from `base` (RFC 3986 section 5.2). http and https stand for
// ws and wss, as servers that know of no others say; a fragment is dropped.
Expected<Url> resolve_reference(const Url& base, std::string_view reference);

}  // namespace millrace::client
