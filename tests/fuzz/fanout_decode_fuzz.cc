// What a server may say to our own client in millrace.v1: it is refused, or said again it is the same.
//
// Input: the message.

#include <vector>

#include "engine/fanout/decode.h"
#include "engine/fanout/encode.h"
#include "engine/fanout/following.h"
#include "tests/fuzz/program.h"

namespace {

using namespace millrace;
using namespace millrace::fanout;
using fuzz::require;

template <class What>
void check_again(const What& what, std::span<const std::byte> message) {
    std::vector<std::byte> frame;
    encode(Dialect::kBinary, what, frame);
    ServerMessage again;
    const auto first = static_cast<unsigned>(frame[1]);
    const auto payload = std::span<const std::byte>(frame).subspan(first < 126 ? 2 : first == 126 ? 4 : 10);
    require(payload.size() == message.size() && decode(payload, again), "said again it is something else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const std::vector<std::byte> message(bytes.begin(), bytes.end());
    ServerMessage said;
    if (!decode(message, said)) return 0;
    Following following;
    switch (said.kind) {
        case ServerMessage::Kind::kPublication:
            check_again(said.publication, message);
            require(!following.take(said.publication), "a topic without a name");
            return 0;
        case ServerMessage::Kind::kNotice:
            check_again(said.notice, message);
            following.learn(said.notice);
            require(following.name(said.notice.topic_id) == said.notice.topic, "another name");
            return 0;
        case ServerMessage::Kind::kReply: {
            std::vector<std::string_view> names;
            if (said.reply.error == ErrorCode::kNone)
                binary::each_name(said.reply.rest,
                                  [&](std::string_view name) { return names.push_back(name), true; });
            check_again(
                Reply{"1", said.reply.kind, said.reply.error, binary::text_of(said.reply.rest), names},
                message);
            return 0;
        }
    }
    return 0;
}
