#pragma once
// What the server says besides publications.

#include <span>
#include <string_view>

#include "engine/fanout/request.h"

namespace millrace::fanout {

// The answer to one request.
struct Reply {
    RequestId id = "null";
    Request::Kind kind = Request::Kind::kList;
    ErrorCode error = ErrorCode::kNone;
    std::string_view culprit;                    // the topic that an error is about, when there is one
    std::span<const std::string_view> patterns;  // kList: what is subscribed to
};

// What a subscriber is told unasked. The stream dialect has no words for any of these.
struct Notice {
    enum class Kind : std::uint8_t {
        // millrace.v1: what a topic id means, before the first message with it. `position`: its next
        // message's.
        kTopic = 1,
        // Messages were left out because the subscriber was slow: `count` of them, and `position` is the
        // next's.
        kSkipped = 2,
        // The position asked for is no longer (or not yet) there; `position` is that of the next message.
        kGap = 3,
    };

    Kind kind = Kind::kTopic;
    TopicId topic_id = kNoTopic;
    std::string_view topic;
    Position position;
    std::uint64_t count = 0;
};

}  // namespace millrace::fanout
