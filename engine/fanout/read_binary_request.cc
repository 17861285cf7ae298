// RequestReader, for millrace.v1.

#include <charconv>

#include "engine/fanout/binary_layout.h"
#include "engine/fanout/read_request.h"

namespace millrace::fanout {

using namespace binary;

ErrorCode RequestReader::read_binary(std::span<const std::byte> message, Request& out) {
    if (message.size() < kRequestHeader) return ErrorCode::kMalformed;
    id_.resize(10);  // digits of 32 bits
    char* const digits = reinterpret_cast<char*>(id_.data());
    const auto end = std::to_chars(digits, digits + id_.size(), u32_at(message, 4)).ptr;
    out.id = {digits, static_cast<std::size_t>(end - digits)};
    const bool bare = u8_at(message, 1) == 0 && u8_at(message, 2) == 0 && u8_at(message, 3) == 0;
    switch (static_cast<Kind>(u8_at(message, 0))) {
        case Kind::kSubscribe:
            return read_binary_subscribe(message, out);
        case Kind::kUnsubscribe:
            out.kind = Request::Kind::kUnsubscribe;
            return bare ? add_names(message.subspan(kRequestHeader), out) : ErrorCode::kWrongValue;
        case Kind::kList:
            out.kind = Request::Kind::kList;
            if (message.size() != kRequestHeader) return ErrorCode::kMalformed;
            return bare ? ErrorCode::kNone : ErrorCode::kWrongValue;
        case Kind::kPublish:
            return read_binary_publish(message, out);
        default:
            return ErrorCode::kUnknownRequest;
    }
}

ErrorCode RequestReader::add_names(std::span<const std::byte> in, Request& out) {
    if (in.empty()) return ErrorCode::kWrongValue;
    ErrorCode error = ErrorCode::kNone;
    const bool whole = each_name(in, [&](std::string_view name) {
        error = add_topic(name, out);
        return error == ErrorCode::kNone;
    });
    return error == ErrorCode::kNone && !whole ? ErrorCode::kMalformed : error;
}

ErrorCode RequestReader::read_binary_subscribe(std::span<const std::byte> message, Request& out) {
    out.kind = Request::Kind::kSubscribe;
    if (message.size() < kSubscribeHeader) return ErrorCode::kMalformed;
    const std::uint8_t flags = u8_at(message, 1);
    const std::uint8_t slow = u8_at(message, 2);
    const Position from{u32_at(message, 8), u64_at(message, 12)};
    const std::uint32_t rate = u32_at(message, 20);
    const bool wants_from = (flags & kWantFrom) != 0;
    out.options.snapshot = (flags & kWantSnapshot) != 0;
    out.options.conflate = (flags & kWantConflate) != 0;
    // What is not asked for is zero, so that it can be given a meaning one day.
    if ((flags & ~(kWantSnapshot | kWantFrom | kWantConflate)) != 0 || u8_at(message, 3) != 0 ||
        slow > static_cast<std::uint8_t>(SlowPolicy::kDisconnect) || (!wants_from && from != Position{}) ||
        (!out.options.conflate && rate != 0))
        return ErrorCode::kWrongValue;
    out.options.slow = static_cast<SlowPolicy>(slow);
    out.options.max_rate = rate;
    if (wants_from) out.options.from = from;
    return add_names(message.subspan(kSubscribeHeader), out);
}

ErrorCode RequestReader::read_binary_publish(std::span<const std::byte> message, Request& out) {
    out.kind = Request::Kind::kPublish;
    const std::uint8_t flags = u8_at(message, 1);
    const std::size_t topic = u8_at(message, 2), key = u8_at(message, 3);
    if (message.size() < kRequestHeader + topic + key) return ErrorCode::kMalformed;
    if ((flags & ~(kContentBits | kAcknowledge)) != 0 ||
        (flags & kContentBits) > static_cast<std::uint8_t>(Content::kJson))
        return ErrorCode::kWrongValue;
    out.acknowledge = (flags & kAcknowledge) != 0;
    Publication& publication = out.publication;
    publication.content = static_cast<Content>(flags & kContentBits);
    publication.topic = text_of(message.subspan(kRequestHeader, topic));
    publication.key = text_of(message.subspan(kRequestHeader + topic, key));
    publication.payload = message.subspan(kRequestHeader + topic + key);
    return check_publication(publication);
}

}  // namespace millrace::fanout
