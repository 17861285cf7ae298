#pragma once
// What a request brings to show who it comes from, for handlers that decide whether it may open a WebSocket.
// Views into the request, or into the caller's buffer; nothing is allocated.

#include <optional>
#include <span>
#include <string_view>

#include "engine/http/message.h"

namespace millrace::http {

// The token of `Authorization: Bearer` (RFC 6750 section 2.1); none when there are several such fields.
std::optional<std::string_view> bearer_token(const Request& request);

// The first `name=value` of the query, the value without its percent-encoding (RFC 3986 section 2.1; '+' is
// itself), in `out`; none when it is malformed or, as it is
// written, longer than `out`. `name` is compared as it is written.
std::optional<std::string_view> query_parameter(const Request& request, std::string_view name,
                                                std::span<char> out);

// The first cookie of that name, without the quotes around its value (RFC 6265 sections 4.1.1, 4.2).
std::optional<std::string_view> cookie(const Request& request, std::string_view name);

}  // namespace millrace::http
