#pragma once
// Request targets (RFC 9112 section 3.2).

#include <span>
#include <string_view>

#include "engine/http/message.h"

namespace millrace::http {

// Fills path, query and (where the target has one) host of `request` from its method and target. Returns why
// the target is malformed, or nullptr.
const char* split_target(Request& request);

// uri-host [ ":" port ] (RFC 9110 section 7.2), without user information.
bool is_host(std::string_view text);

// `path` without its percent-encoding (RFC 3986 section 2.1), written to `out`, which is as long as it at
// least; empty when the encoding is malformed.
std::string_view decode_path(std::string_view path, std::span<char> out);

}  // namespace millrace::http
