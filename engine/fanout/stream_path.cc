#include "engine/fanout/stream_path.h"

#include <algorithm>

#include "engine/fanout/request.h"

namespace millrace::fanout {
namespace {

// "a/b"
bool split(std::string_view names, std::vector<std::string_view>& out) {
    for (;;) {
        const std::size_t slash = names.find('/');
        const std::string_view name = names.substr(0, slash);
        if (!is_pattern(name) || out.size() == kMaxRequestTopics) return false;
        out.push_back(name);
        if (slash == names.npos) return true;
        names.remove_prefix(slash + 1);
    }
}

// The value of streams=; other parameters are passed over, for clients add their own.
std::optional<std::string_view> streams_of(std::string_view query) {
    constexpr std::string_view kName = "streams=";
    while (!query.empty()) {
        const std::string_view parameter = query.substr(0, query.find('&'));
        if (parameter.starts_with(kName)) return parameter.substr(kName.size());
        query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    }
    return std::nullopt;
}

}  // namespace

std::optional<StreamPath> parse_stream_path(std::string_view path, std::string_view query) {
    StreamPath parsed;
    if (path == "/ws" || path == "/ws/") return parsed;
    if (path.starts_with("/ws/")) {
        if (!split(path.substr(4), parsed.topics)) return std::nullopt;
        return parsed;
    }
    if (path != "/stream" && path != "/stream/") return std::nullopt;
    parsed.dialect = Dialect::kStreamCombined;
    const auto streams = streams_of(query);
    if (streams && !split(*streams, parsed.topics)) return std::nullopt;
    return parsed;
}

}  // namespace millrace::fanout
