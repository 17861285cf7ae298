#include "engine/fanout/decode.h"

namespace millrace::fanout {

using namespace binary;

namespace {

bool decode_publication(std::span<const std::byte> in, Publication& out) {
    if (in.size() < kPublicationHeader) return false;
    const std::uint8_t flags = u8_at(in, 1);
    const std::size_t key = u8_at(in, 2);
    if ((flags & kContentBits) > static_cast<std::uint8_t>(Content::kJson) ||
        in.size() < kPublicationHeader + key)
        return false;
    out.content = static_cast<Content>(flags & kContentBits);
    out.snapshot = (flags & kSnapshot) != 0;
    out.topic_id = u32_at(in, 4);
    out.position = {u32_at(in, 8), u64_at(in, 12)};
    out.time_ns = u64_at(in, 20);
    out.key = text_of(in.subspan(kPublicationHeader, key));
    out.payload = in.subspan(kPublicationHeader + key);
    return true;
}

bool decode_notice(std::span<const std::byte> in, Notice::Kind kind, Notice& out) {
    const std::size_t fixed = kNoticeHeader + (kind == Notice::Kind::kSkipped ? sizeof out.count : 0);
    if (in.size() < fixed) return false;
    out.kind = kind;
    out.topic_id = u32_at(in, 4);
    out.position = {u32_at(in, 8), u64_at(in, 12)};
    out.count = kind == Notice::Kind::kSkipped ? u64_at(in, kNoticeHeader) : 0;
    out.topic = text_of(in.subspan(fixed));
    return kind == Notice::Kind::kTopic ? is_topic(out.topic) : out.topic.empty();
}

bool decode_reply(std::span<const std::byte> in, decltype(ServerMessage::reply)& out) {
    if (in.size() < kReplyHeader || u8_at(in, 1) > static_cast<std::uint8_t>(Request::Kind::kPublish) ||
        u8_at(in, 2) > static_cast<std::uint8_t>(ErrorCode::kNotAllowed))
        return false;
    out.kind = static_cast<Request::Kind>(u8_at(in, 1));
    out.error = static_cast<ErrorCode>(u8_at(in, 2));
    out.id = u32_at(in, 4);
    out.rest = in.subspan(kReplyHeader);
    if (out.error != ErrorCode::kNone) return true;
    return each_name(out.rest, [](std::string_view) { return true; });
}

Writer append_header(Bytes& out, std::size_t size, Kind kind) {
    out.resize(out.size() + size);
    return Writer(out.data() + out.size() - size).u8(static_cast<std::uint8_t>(kind));
}

void append_subscribe(std::uint32_t id, const Request& request, Bytes& out) {
    const Options& options = request.options;
    const Position from = options.from.value_or(Position{});
    append_header(out, kSubscribeHeader, Kind::kSubscribe)
        .u8(static_cast<std::uint8_t>((options.snapshot ? kWantSnapshot : 0u) |
                                      (options.from ? kWantFrom : 0u) |
                                      (options.conflate ? kWantConflate : 0u)))
        .u8(static_cast<std::uint8_t>(options.slow))
        .u8(0)
        .u32(id)
        .u32(from.epoch)
        .u64(from.sequence)
        .u32(options.max_rate);
    append_names(out, request.topics);
}

void append_publish(std::uint32_t id, const Request& request, Bytes& out) {
    const Publication& publication = request.publication;
    append_header(out, kRequestHeader, Kind::kPublish)
        .u8(static_cast<std::uint8_t>(static_cast<unsigned>(publication.content) |
                                      (request.acknowledge ? kAcknowledge : 0u)))
        .u8(static_cast<std::uint8_t>(publication.topic.size()))
        .u8(static_cast<std::uint8_t>(publication.key.size()))
        .u32(id);
    append(out, publication.topic);
    append(out, publication.key);
    append(out, publication.payload);
}

}  // namespace

bool decode(std::span<const std::byte> message, ServerMessage& out) {
    if (message.empty()) return false;
    switch (static_cast<Kind>(u8_at(message, 0))) {
        case Kind::kPublication:
            out.kind = ServerMessage::Kind::kPublication;
            return decode_publication(message, out.publication);
        case Kind::kTopic:
            out.kind = ServerMessage::Kind::kNotice;
            return decode_notice(message, Notice::Kind::kTopic, out.notice);
        case Kind::kSkipped:
            out.kind = ServerMessage::Kind::kNotice;
            return decode_notice(message, Notice::Kind::kSkipped, out.notice);
        case Kind::kGap:
            out.kind = ServerMessage::Kind::kNotice;
            return decode_notice(message, Notice::Kind::kGap, out.notice);
        case Kind::kReply:
            out.kind = ServerMessage::Kind::kReply;
            return decode_reply(message, out.reply);
        default:
            return false;
    }
}

void encode_request(std::uint32_t id, const Request& request, std::vector<std::byte>& out) {
    switch (request.kind) {
        case Request::Kind::kSubscribe:
            return append_subscribe(id, request, out);
        case Request::Kind::kPublish:
            return append_publish(id, request, out);
        case Request::Kind::kList:
            append_header(out, kRequestHeader, Kind::kList).u8(0).u8(0).u8(0).u32(id);
            return;
        case Request::Kind::kUnsubscribe:
            append_header(out, kRequestHeader, Kind::kUnsubscribe).u8(0).u8(0).u8(0).u32(id);
            append_names(out, request.topics);
    }
}

}  // namespace millrace::fanout
