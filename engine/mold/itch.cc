#include "engine/mold/itch.h"

#include <algorithm>

#include "netstack/base/byte_order.h"

namespace millrace::itch {
namespace {

// Symbols are padded with spaces. What a topic cannot have, or would part it, becomes `_`: BRK.A is one
// token.
std::string topic_of(std::span<const std::byte> symbol) {
    std::string topic = "itch.";
    for (const std::byte b : symbol) {
        const char c = static_cast<char>(b);
        if (c == ' ') break;
        const bool plain =
            c > 0x20 && c < 0x7f && std::string_view(".*>\"\\").find(c) == std::string_view::npos;
        topic += plain ? c : '_';
    }
    return topic.back() == '.' ? std::string(Topics::kUnknown) : topic;
}

}  // namespace

bool Topics::find(std::span<const std::byte> message, std::string_view& topic) {
    if (message.empty()) return false;
    const char type = static_cast<char>(message[0]);
    if (message.size() != size_of(type)) return false;
    const auto locate = net::load_big_endian<std::uint16_t>(message.data() + 1);
    if (locate == 0) {
        topic = kSystem;
        return true;
    }
    std::string& known = topics_[locate];
    if (const std::size_t at = symbol_at(type); at != 0 && (type == 'R' || known.empty()))
        known = topic_of(message.subspan(at, kSymbolBytes));
    topic = known.empty() ? kUnknown : std::string_view(known);
    return true;
}

}  // namespace millrace::itch
