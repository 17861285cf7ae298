#pragma once
// Topic names and patterns. A name is 1 to 128 printable ASCII characters in tokens parted by dots, none of
// them empty: `md.eth.trades`, and as one token `ethusdt@trade`. In a pattern `*` stands for one whole token,
// and `>`, as the last token, for one or more.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::fanout {

// A topic within one shard: an index, the same for as long as the server runs.
using TopicId = std::uint32_t;
inline constexpr TopicId kNoTopic = ~TopicId{0};

inline constexpr std::size_t kMaxTopicBytes = 128;

// Whether messages can be published under `name`. Quotes, backslashes and spaces are excluded, so that a name
// stands in JSON, in a line of text and in a URL as it is.
bool is_topic(std::string_view name);

// Whether `key` can be one that conflation goes by: 1 to 128 of a name's characters and dots in any order.
bool is_key(std::string_view key);

// Whether `pattern` can be subscribed to: a name, or one with wildcards.
bool is_pattern(std::string_view pattern);

// Of something that is_pattern(): whether it is more than a name.
inline bool is_wild(std::string_view pattern) {
    return pattern.find_first_of("*>") != pattern.npos;
}

// Whether `pattern` stands for `name`; both are valid.
bool matches(std::string_view pattern, std::string_view name);

// Takes the first token, and the dot behind it, off `rest`, which is not empty.
std::string_view take_token(std::string_view& rest);

}  // namespace millrace::fanout
