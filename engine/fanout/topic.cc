#include "engine/fanout/topic.h"

#include <algorithm>
#include <array>

namespace millrace::fanout {
namespace {

constexpr std::array<bool, 256> kInNames = [] {
    std::array<bool, 256> table{};
    for (unsigned c = 0x21; c < 0x7f; ++c)
        table[c] = true;
    for (const unsigned char c : std::string_view("\"\\*>"))
        table[c] = false;
    return table;
}();

bool is_literal(std::string_view token) {
    return !token.empty() &&
           std::all_of(token.begin(), token.end(), [](unsigned char c) { return kInNames[c]; });
}

// `wild`: whether a token (and whether it is the last) may be a wildcard.
template <class Wild>
bool is_valid(std::string_view text, Wild wild) {
    // An empty token at the end leaves nothing to be seen of it but its dot.
    if (text.empty() || text.size() > kMaxTopicBytes || text.back() == '.') return false;
    while (!text.empty()) {
        const std::string_view token = take_token(text);
        if (!is_literal(token) && !wild(token, text.empty())) return false;
    }
    return true;
}

}  // namespace

std::string_view take_token(std::string_view& rest) {
    const std::size_t dot = rest.find('.');
    const std::string_view token = rest.substr(0, dot);
    rest.remove_prefix(dot == rest.npos ? rest.size() : dot + 1);
    return token;
}

bool is_topic(std::string_view name) {
    return is_valid(name, [](std::string_view, bool) { return false; });
}

bool is_key(std::string_view key) {
    return is_literal(key) && key.size() <= kMaxTopicBytes;
}

bool is_pattern(std::string_view pattern) {
    return is_valid(pattern,
                    [](std::string_view token, bool last) { return token == "*" || (token == ">" && last); });
}

bool matches(std::string_view pattern, std::string_view name) {
    while (!pattern.empty() && !name.empty()) {
        const std::string_view wanted = take_token(pattern);
        if (wanted == ">") return true;
        const std::string_view token = take_token(name);
        if (wanted != "*" && wanted != token) return false;
    }
    return pattern.empty() && name.empty();
}

}  // namespace millrace::fanout
