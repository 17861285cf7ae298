#pragma once
// What a person should know when a server ends a conversation.

#include <fmt/format.h>

#include <string_view>

#include "engine/frame/opcode.h"
#include "engine/run/server.h"

namespace millrace {

// One line on standard error, unless it was closed as such things end.
inline void say_closed(ws::CloseCode code, std::string_view reason) {
    if (code == ws::CloseCode::kNormal || code == ws::CloseCode::kNoStatus) return;
    advise(fmt::format("the connection was closed with {}{}{}", static_cast<int>(code),
                       reason.empty() ? "" : ": ", reason));
}

}  // namespace millrace
