#include "engine/http/credentials.h"

#include "engine/http/chars.h"
#include "engine/http/target.h"

namespace millrace::http {
namespace {

// The next part of `list` up to `mark`, which is advanced past it.
std::string_view next_part(std::string_view& list, char mark) {
    const std::size_t end = list.find(mark);
    const std::string_view part = list.substr(0, end);
    list = end == list.npos ? std::string_view{} : list.substr(end + 1);
    return part;
}

// The value of `name=value`; none when `pair` is not that.
std::optional<std::string_view> value_of(std::string_view pair, std::string_view name) {
    if (!pair.starts_with(name) || pair.substr(name.size(), 1) != "=") return std::nullopt;
    return pair.substr(name.size() + 1);
}

}  // namespace

std::optional<std::string_view> bearer_token(const Request& request) {
    constexpr std::string_view kScheme = "Bearer ";
    const auto value = request.fields.get("authorization");
    if (!value || request.fields.count("authorization") != 1) return std::nullopt;
    if (!equals_ignoring_case(value->substr(0, kScheme.size()), kScheme)) return std::nullopt;
    const std::string_view token = trim(value->substr(kScheme.size()));
    if (token.empty()) return std::nullopt;
    return token;
}

std::optional<std::string_view> query_parameter(const Request& request, std::string_view name,
                                                std::span<char> out) {
    std::string_view query = request.query;
    while (!query.empty()) {
        const auto value = value_of(next_part(query, '&'), name);
        if (!value) continue;
        if (value->empty()) return value;
        if (value->size() > out.size()) return std::nullopt;
        const std::string_view decoded = decode_path(*value, out);
        return decoded.empty() ? std::nullopt : std::optional(decoded);
    }
    return std::nullopt;
}

std::optional<std::string_view> cookie(const Request& request, std::string_view name) {
    for (const Field& field : request.fields.all()) {
        if (!equals_ignoring_case(field.name, "cookie")) continue;
        std::string_view list = field.value;
        while (!list.empty()) {
            const auto value = value_of(trim(next_part(list, ';')), name);
            if (!value) continue;
            const bool quoted = value->size() >= 2 && value->front() == '"' && value->back() == '"';
            return quoted ? value->substr(1, value->size() - 2) : *value;
        }
    }
    return std::nullopt;
}

}  // namespace millrace::http
