#include "engine/serve/feed_client.h"

#include <fmt/format.h>

#include "engine/fanout/binary_layout.h"
#include "engine/fanout/dialect.h"
#include "engine/run/quoted.h"
#include "engine/run/server.h"

namespace millrace {

void ask_for_feed(client::DialOptions& dial, const std::string& token) {
    if (!token.empty()) dial.fields.emplace_back("Authorization", "Bearer " + token);
    if (dial.subprotocols.empty()) dial.subprotocols.emplace_back(fanout::kBinarySubprotocol);
}

std::string refusal_of(const fanout::ServerMessage& said) {
    const std::string_view topic = fanout::binary::text_of(said.reply.rest);
    return fmt::format("{}{}", to_string(said.reply.error), topic.empty() ? "" : ": " + quoted(topic));
}

void say_closed(ws::CloseCode code, std::string_view reason) {
    if (code == ws::CloseCode::kNormal || code == ws::CloseCode::kNoStatus) return;
    advise(fmt::format("the connection was closed with {}{}", static_cast<int>(code),
                       reason.empty() ? "" : ": " + quoted(reason)));
}

}  // namespace millrace
