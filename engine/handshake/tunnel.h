#pragma once
// RFC 9110 section 9.3.6: asking an HTTP proxy for a tunnel to the server. No I/O.

#include <cstddef>
#include <span>
#include <string_view>

#include "engine/http/message.h"

namespace millrace::ws {

// The head of CONNECT `authority` (host:port, an IPv6 address in brackets), with Proxy-Authorization where
// `credentials` is not empty. Its length, or 0 when `out` is too small or a value would break out of its
// line.
std::size_t write_connect_request(std::span<char> out, std::string_view authority,
                                  std::string_view credentials);

// Any 2xx opens the tunnel, and whatever else it says has no meaning: nothing then. Else why there is none.
std::string_view check_connect_response(const http::Response& response, bool with_credentials);

}  // namespace millrace::ws
