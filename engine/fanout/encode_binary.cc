#include "engine/fanout/encode_binary.h"

#include <algorithm>
#include <charconv>

#include "engine/fanout/binary_layout.h"
#include "engine/fanout/frame_around.h"

namespace millrace::fanout::binary {
namespace {

std::uint32_t number_of(RequestId id) {
    std::uint32_t number = 0;
    std::from_chars(id.data(), id.data() + id.size(), number);
    return number;
}

std::size_t room_for(std::span<const std::string_view> names) {
    std::size_t bytes = 0;
    for (const auto name : names)
        bytes += 1 + name.size();
    return bytes;
}

}  // namespace

void encode(const Publication& publication, Bytes& out) {
    const std::size_t size = kPublicationHeader + publication.key.size() + publication.payload.size();
    Writer(begin_frame(out, ws::Opcode::kBinary, kPublicationHeader, size))
        .u8(static_cast<std::uint8_t>(Kind::kPublication))
        .u8(static_cast<std::uint8_t>(static_cast<unsigned>(publication.content) |
                                      (publication.snapshot ? kSnapshot : 0u)))
        .u8(static_cast<std::uint8_t>(publication.key.size()))
        .u8(0)
        .u32(publication.topic_id)
        .u32(publication.position.epoch)
        .u64(publication.position.sequence)
        .u64(publication.time_ns);
    append(out, publication.key);
    append(out, publication.payload);
}

void encode(const Notice& notice, Bytes& out) {
    const bool names = notice.kind == Notice::Kind::kTopic;
    const bool counts = notice.kind == Notice::Kind::kSkipped;
    const Kind kind = names ? Kind::kTopic : counts ? Kind::kSkipped : Kind::kGap;
    const std::size_t fixed = kNoticeHeader + (counts ? sizeof notice.count : 0);
    Writer writer(begin_frame(out, ws::Opcode::kBinary, fixed, fixed + (names ? notice.topic.size() : 0)));
    writer.u8(static_cast<std::uint8_t>(kind)).u8(0).u8(0).u8(0);
    writer.u32(notice.topic_id).u32(notice.position.epoch).u64(notice.position.sequence);
    if (counts) writer.u64(notice.count);
    if (names) append(out, notice.topic);
}

void encode(const Reply& reply, Bytes& out) {
    const bool refused = reply.error != ErrorCode::kNone;
    const std::size_t size = kReplyHeader + (refused ? reply.culprit.size() : room_for(reply.patterns));
    Writer(begin_frame(out, ws::Opcode::kBinary, kReplyHeader, size))
        .u8(static_cast<std::uint8_t>(Kind::kReply))
        .u8(static_cast<std::uint8_t>(reply.kind))
        .u8(static_cast<std::uint8_t>(reply.error))
        .u8(0)
        .u32(number_of(reply.id));
    if (refused) return append(out, reply.culprit);
    append_names(out, reply.patterns);
}

}  // namespace millrace::fanout::binary
