#pragma once
// [ userinfo "@" ] host [ ":" port ] (RFC 3986 section 3.2), as URLs of servers and of proxies have it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "netstack/base/error.h"

namespace millrace::client {

struct Authority {
    std::optional<std::string> user_info;  // as it is written, percent-encoding and all
    std::string host;                      // in lower case; an IPv6 address without its brackets
    std::optional<std::uint16_t> port;     // never 0
};

// The error says what is wrong with `text`, which is part of a URL.
Expected<Authority> parse_authority(std::string_view text);

// host[:port], an IPv6 address in brackets.
std::string write_authority(std::string_view host, std::optional<std::uint16_t> port);

// The value of Authorization or Proxy-Authorization for `user_info` (RFC 7617).
Expected<std::string> basic_credentials(std::string_view user_info);

}  // namespace millrace::client
