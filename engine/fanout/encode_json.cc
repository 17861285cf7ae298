#include "engine/fanout/encode_json.h"

#include "engine/fanout/binary_layout.h"
#include "engine/fanout/frame_around.h"
#include "engine/fanout/json_text.h"

namespace millrace::fanout::json {
namespace {

void add_place(JsonText& text, std::string_view topic, const Position& position) {
    text.raw("\"topic\":").string(topic);
    text.raw(",\"epoch\":").number(position.epoch).raw(",\"seq\":").number(position.sequence);
}

void add_payload(JsonText& text, const Publication& publication) {
    switch (publication.content) {
        case Content::kJson:
            text.raw(",\"data\":").raw(publication.payload);
            return;
        case Content::kText:
            text.raw(",\"text\":").string(binary::text_of(publication.payload));
            return;
        case Content::kBinary:
            text.raw(",\"base64\":").base64(publication.payload);
            return;
    }
}

}  // namespace

void encode(const Publication& publication, std::vector<std::byte>& out) {
    FrameAround frame(out, ws::Opcode::kText);
    JsonText text(out);
    text.raw("{");
    add_place(text, publication.topic, publication.position);
    // Microseconds, since JavaScript's numbers have 53 bits.
    text.raw(",\"time\":").number(publication.time_ns / 1000);
    if (publication.snapshot) text.raw(",\"snapshot\":true");
    if (!publication.key.empty()) text.raw(",\"key\":").string(publication.key);
    add_payload(text, publication);
    text.raw("}");
    frame.close();
}

void encode(const Notice& notice, std::vector<std::byte>& out) {
    if (notice.kind == Notice::Kind::kTopic) return;  // each message says its topic's name
    FrameAround frame(out, ws::Opcode::kText);
    JsonText text(out);
    if (notice.kind == Notice::Kind::kSkipped)
        text.raw("{\"skipped\":").number(notice.count).raw(",");
    else
        text.raw("{\"gap\":true,");
    add_place(text, notice.topic, notice.position);
    text.raw("}");
    frame.close();
}

void encode(const Reply& reply, std::vector<std::byte>& out) {
    FrameAround frame(out, ws::Opcode::kText);
    JsonText text(out);
    text.raw("{\"id\":").raw(reply.id);
    if (reply.error != ErrorCode::kNone) {
        text.raw(",\"ok\":false,\"error\":{\"code\":").number(static_cast<unsigned>(reply.error));
        text.raw(",\"message\":").string(to_string(reply.error));
        if (!reply.culprit.empty()) text.raw(",\"topic\":").string(reply.culprit);
        text.raw("}");
    } else {
        text.raw(",\"ok\":true");
        if (reply.kind == Request::Kind::kList) {
            text.raw(",\"topics\":").strings(reply.patterns);
        }
    }
    text.raw("}");
    frame.close();
}

}  // namespace millrace::fanout::json
