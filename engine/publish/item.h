#pragma once
// What a source of messages hands to a publisher.

#include <cstdint>
#include <string>

#include "engine/fanout/publication.h"
#include "netstack/base/time.h"

namespace millrace::publish {

struct Item {
    Duration due{};  // since the source's first message, at the source's own pace
    std::string topic;
    std::string key;
    std::string payload;
    fanout::Content content = fanout::Content::kJson;
};

enum class Next : std::uint8_t {
    kItem,
    kNone,  // nothing now; perhaps later
    kEnd,
};

// What a payload is: JSON, text, or neither.
fanout::Content content_of(std::string_view payload);

}  // namespace millrace::publish
