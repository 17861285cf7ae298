#include "engine/fanout/read_request.h"

#include <algorithm>

#include "engine/fanout/json_document.h"
#include "engine/utf8/utf8.h"

namespace millrace::fanout {

RequestReader::RequestReader(std::size_t most)
    : most_(most), document_(std::make_unique<JsonDocument>()), culprit_text_{} {}

RequestReader::~RequestReader() = default;

ErrorCode RequestReader::read(Dialect dialect, bool text, std::span<const std::byte> message, Request& out) {
    out.id = "null";
    out.topics.clear();
    out.options = {};
    out.publication = {};
    out.acknowledge = false;
    culprit_ = {};
    if (message.size() > most_) return ErrorCode::kTooLong;
    if (text != (dialect != Dialect::kBinary)) return ErrorCode::kMalformed;
    switch (dialect) {
        case Dialect::kBinary:
            return read_binary(message, out);
        case Dialect::kJson:
            return read_json(message, out);
        case Dialect::kStream:
        case Dialect::kStreamCombined:
            return read_stream(message, out);
    }
    return ErrorCode::kMalformed;
}

ErrorCode RequestReader::add_topic(std::string_view pattern, Request& out) {
    if (out.topics.size() == kMaxRequestTopics) return ErrorCode::kTooManyTopics;
    if (!is_pattern(pattern)) return bad_topic(pattern);
    out.topics.push_back(pattern);
    return ErrorCode::kNone;
}

ErrorCode RequestReader::bad_topic(std::string_view topic) {
    const auto printable = [](unsigned char c) { return c > 0x20 && c < 0x7f; };
    if (topic.size() > kMaxTopicBytes) return ErrorCode::kTooLong;
    if (std::all_of(topic.begin(), topic.end(), printable)) {
        std::copy(topic.begin(), topic.end(), culprit_text_.begin());
        culprit_ = {culprit_text_.data(), topic.size()};
    }
    return ErrorCode::kBadTopic;
}

// Text and JSON are what they claim to be, so that no subscriber is sent what breaks its protocol.
ErrorCode RequestReader::check_publication(const Publication& publication) {
    if (!is_topic(publication.topic)) return bad_topic(publication.topic);
    if (publication.key.size() > kMaxKeyBytes) return ErrorCode::kTooLong;
    if (!publication.key.empty() && !is_key(publication.key)) return ErrorCode::kWrongValue;
    const bool as_claimed = publication.content == Content::kBinary ||
                            (publication.content == Content::kText && ws::is_utf8(publication.payload)) ||
                            (publication.content == Content::kJson && document_->parse(publication.payload));
    return as_claimed ? ErrorCode::kNone : ErrorCode::kWrongValue;
}

}  // namespace millrace::fanout
