#pragma once
// What publishers and subscribers have in common: how they ask to come in, and what a person should know of
// what a server says to them.

#include <string>
#include <string_view>

#include "engine/client/dialer.h"
#include "engine/fanout/decode.h"
#include "engine/frame/opcode.h"

namespace millrace {

// Asks for millrace.v1, unless something else was asked for; shows `token`, if it is not empty.
void ask_for_feed(client::DialOptions& dial, const std::string& token);

// Why a request was refused, and the topic that it is about, if any.
std::string refusal_of(const fanout::ServerMessage& said);

// One line on standard error, unless the conversation was closed as such things end.
void say_closed(ws::CloseCode code, std::string_view reason);

}  // namespace millrace
