// What subscribers and publishers may send: whatever it is, it has an error or is a request that keeps its
// promises, and it can be answered.
//
// Input: one byte (its lowest bits: the dialect), then the message.

#include <string>
#include <vector>

#include "engine/fanout/decode.h"
#include "engine/fanout/encode.h"
#include "engine/fanout/json_document.h"
#include "engine/fanout/read_request.h"
#include "engine/utf8/utf8.h"
#include "tests/fuzz/program.h"

namespace {

using namespace millrace;
using namespace millrace::fanout;
using fuzz::require;

bool keeps_its_promise(const Publication& publication) {
    static JsonDocument document;
    if (publication.content == Content::kText) return ws::is_utf8(publication.payload);
    return publication.content == Content::kBinary || document.parse(publication.payload);
}

// What a client of ours writes for it means the same.
void check_again(const Request& request) {
    static RequestReader reader;
    std::vector<std::byte> written;
    encode_request(7, request, written);
    Request again;
    const ErrorCode error = reader.read(Dialect::kBinary, false, written, again);
    // As long as JSON's escapes are undone it may be longer than it was.
    require(error == ErrorCode::kNone, "our client could not have asked for it");
    require(again.kind == request.kind && again.id == "7", "another request");
    require(again.topics == request.topics && again.options == request.options, "other topics or options");
    require(again.publication.topic == request.publication.topic &&
                again.publication.key == request.publication.key &&
                again.publication.content == request.publication.content &&
                binary::text_of(again.publication.payload) == binary::text_of(request.publication.payload),
            "another publication");
}

void check_answer(Dialect dialect, const Request& request, ErrorCode error, std::string_view culprit) {
    static JsonDocument document;
    std::vector<std::byte> frame;
    encode(dialect, Reply{request.id, request.kind, error, culprit, request.topics}, frame);
    const auto first = static_cast<unsigned>(frame[1]);
    const auto payload = std::span(frame).subspan(first < 126 ? 2 : first == 126 ? 4 : 10);
    ServerMessage said;
    if (dialect == Dialect::kBinary)
        require(
            decode(payload, said) && said.kind == ServerMessage::Kind::kReply && said.reply.error == error,
            "an answer that our client cannot read");
    else
        require(document.parse(payload), "an answer that is no JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static RequestReader reader;
    if (size < 1) return 0;
    const auto dialect = static_cast<Dialect>(data[0] % kDialects);
    // A copy that ends where memory does, so that the address sanitizer sees a read beyond.
    const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
    const std::vector<std::byte> message(bytes.begin(), bytes.end());
    Request request;
    const ErrorCode error = reader.read(dialect, dialect != Dialect::kBinary, message, request);
    const std::string culprit(reader.culprit());
    if (error != ErrorCode::kNone) request.topics.clear();
    check_answer(dialect, request, error, culprit);
    if (error != ErrorCode::kNone) return 0;
    for (const auto topic : request.topics)
        require(is_pattern(topic), "a topic that is none");
    if (request.kind == Request::Kind::kPublish)
        require(is_topic(request.publication.topic) && keeps_its_promise(request.publication),
                "a publication that is none");
    else
        require(request.kind == Request::Kind::kList || !request.topics.empty(), "no topics");
    check_again(request);
    return 0;
}
