#pragma once
// A message of a topic, as it is published, logged, and put into each dialect's words.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/fanout/topic.h"

namespace millrace::fanout {

// What a payload is was found out once, when it was published: no encoder looks again.
enum class Content : std::uint8_t {
    kBinary,
    kText,  // UTF-8
    kJson,  // one JSON value in UTF-8
};

inline constexpr std::size_t kMaxKeyBytes = kMaxTopicBytes;

// Where a topic's messages begin to count. An epoch is never 0; sequence numbers begin with 1 in each.
struct Position {
    std::uint32_t epoch = 0;
    std::uint64_t sequence = 0;

    bool operator==(const Position&) const = default;
};

// Views into whatever it was read from.
struct Publication {
    TopicId topic_id = kNoTopic;
    std::string_view topic;
    Position position;
    std::uint64_t time_ns = 0;  // when the server accepted it, since 1970
    Content content = Content::kBinary;
    bool snapshot = false;  // the topic's last value of that key, sent because it was asked for
    std::string_view key;   // what conflation goes by, is_key(); empty: the topic has one value
    std::span<const std::byte> payload;
};

}  // namespace millrace::fanout
