#pragma once
// Request targets (RFC 9112 section 3.2).

#include <string_view>

#include "engine/http/message.h"

namespace millrace::http {

// Fills path, query and (where the target has one) host of `request` from its method and target. Returns why
// the target is malformed, or nullptr.
const char* split_target(Request& request);

// uri-host [ ":" port ] (RFC 9110 section 7.2), without user information.
bool is_host(std::string_view text);

}  // namespace millrace::http
