#pragma once
// The paths of the stream dialect, which say what is subscribed to: `/ws`, `/ws/<stream>`, `/ws/<a>/<b>` for
// payloads as they are, `/stream` and `/stream?streams=<a>/<b>` for the combined form.

#include <optional>
#include <string_view>
#include <vector>

#include "engine/fanout/dialect.h"

namespace millrace::fanout {

struct StreamPath {
    Dialect dialect = Dialect::kStream;
    std::vector<std::string_view> topics;  // patterns that are valid, at most kMaxRequestTopics
};

// `path` and `query` (without '?') without their percent-encoding; what is returned refers to them. Nothing:
// the path is not one of these, or names what is no topic, or too many.
std::optional<StreamPath> parse_stream_path(std::string_view path, std::string_view query);

}  // namespace millrace::fanout
