#pragma once
// HTTP proxies that a client speaks through (RFC 9110 section 9.3.6), named or from the environment.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/client/url.h"
#include "netstack/base/error.h"

namespace millrace::client {

struct Proxy {
    std::string host;
    std::uint16_t port = 80;
    std::string credentials;  // the value of Proxy-Authorization; empty: none
};

// http://[user:password@]host[:port]
Expected<Proxy> parse_proxy(std::string_view text);

// The value of an environment variable, or null: std::getenv.
using Environment = std::function<const char*(const char* name)>;

// What http_proxy (for ws), https_proxy (for wss), all_proxy and no_proxy say, the first of them that is
// there, in capitals as well but for HTTP_PROXY, which a CGI's client may set. None where there is none for
// `url`.
Expected<std::optional<Proxy>> proxy_from(const Environment& environment, const Url& url);

// Whether no_proxy's list excepts `host`: names with all that is under them, addresses, networks, "*".
bool is_excepted(std::string_view no_proxy, std::string_view host);

}  // namespace millrace::client
