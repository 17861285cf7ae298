#include "engine/fanout/encode_stream.h"

#include "engine/fanout/binary_layout.h"
#include "engine/fanout/frame_around.h"
#include "engine/fanout/json_text.h"

namespace millrace::fanout::stream {
namespace {

// Clients of exchanges know the first four; ours follow behind 100.
unsigned number_of(ErrorCode error) {
    switch (error) {
        case ErrorCode::kUnknownMember:
            return 0;
        case ErrorCode::kWrongValue:
            return 1;
        case ErrorCode::kUnknownRequest:
            return 2;
        case ErrorCode::kMalformed:
            return 3;
        default:
            return 100 + static_cast<unsigned>(error);
    }
}

}  // namespace

void encode(const Publication& publication, std::vector<std::byte>& out) {
    const auto opcode = publication.content == Content::kBinary ? ws::Opcode::kBinary : ws::Opcode::kText;
    begin_frame(out, opcode, 0, publication.payload.size());
    binary::append(out, publication.payload);
}

void encode_combined(const Publication& publication, std::vector<std::byte>& out) {
    FrameAround frame(out, ws::Opcode::kText);
    JsonText text(out);
    text.raw("{\"stream\":").string(publication.topic).raw(",\"data\":");
    switch (publication.content) {
        case Content::kJson:
            text.raw(publication.payload);
            break;
        case Content::kText:
            text.string(binary::text_of(publication.payload));
            break;
        case Content::kBinary:
            text.base64(publication.payload);
            break;
    }
    text.raw("}");
    frame.close();
}

void encode(const Reply& reply, std::vector<std::byte>& out) {
    FrameAround frame(out, ws::Opcode::kText);
    JsonText text(out);
    if (reply.error != ErrorCode::kNone) {
        text.raw("{\"error\":{\"code\":").number(number_of(reply.error));
        text.raw(",\"msg\":").string(to_string(reply.error)).raw("}");
    } else if (reply.kind == Request::Kind::kList) {
        text.raw("{\"result\":").strings(reply.patterns);
    } else {
        text.raw("{\"result\":null");
    }
    text.raw(",\"id\":").raw(reply.id).raw("}");
    frame.close();
}

}  // namespace millrace::fanout::stream
