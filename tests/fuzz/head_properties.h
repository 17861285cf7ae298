#pragma once
// What holds for every message head that a parser takes or refuses, whatever it is.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "engine/http/chars.h"
#include "engine/http/message.h"

namespace millrace::fuzz {

inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

// The first byte of an input chooses between ample and tight limits.
inline http::Limits limits_of(std::uint8_t choice) {
    return {.head_bytes = choice & 1 ? std::size_t{100} : std::size_t{16 * 1024},
            .target_bytes = choice & 2 ? std::size_t{20} : std::size_t{8 * 1024}};
}

inline bool inside(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// A head that was taken is made of lines with CRLF alone, and of fields that lie in it.
inline void check_taken(std::string_view bytes, std::size_t head_bytes, const http::Fields& fields,
                        const http::Limits& limits) {
    require(head_bytes <= bytes.size() && head_bytes <= limits.head_bytes, "the head's length");
    const std::string_view head = bytes.substr(0, head_bytes);
    require(head.ends_with("\r\n\r\n"), "the head's end");
    for (std::size_t i = 0; i < head.size(); ++i) {
        require(head[i] != '\0', "a NUL");
        require(head[i] != '\n' || head[i - 1] == '\r', "a bare line feed");
        require(head[i] != '\r' || head[i + 1] == '\n', "a bare carriage return");
    }
    for (const auto& [name, value] : fields.all()) {
        require(http::is_token(name) && inside(name, head) && inside(value, head), "a field");
        require(std::all_of(value.begin(), value.end(), http::is_value_char), "a field's value");
        require(http::trim(value) == value, "white space around a value");
    }
}

// Cut anywhere, a head has the verdict of the whole or none yet; once it has one, it keeps it.
template <class Message, class Parse>
void check_cuts(std::string_view bytes, Parse parse, const http::Limits& limits, Message& message) {
    const http::ParseResult whole = parse(bytes, message, limits);
    const std::size_t decided_at = whole.complete() ? message.head_bytes : bytes.size();
    const std::size_t stride = bytes.size() / 256 + 1;
    bool decided = false;
    // Every part ends where memory does, so that the address sanitizer sees a read beyond.
    std::vector<char> memory(bytes.size());
    for (std::size_t n = 0; n < bytes.size(); n += stride) {
        const auto part_at =
            std::copy_backward(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n), memory.end());
        const http::ParseResult part =
            parse({memory.data() + (part_at - memory.begin()), n}, message, limits);
        if (part.status == http::ParseStatus::kIncomplete) {
            require(!decided, "a verdict is taken back");
            require(!whole.complete() || n < decided_at, "complete, but not yet");
            continue;
        }
        decided = true;
        require(part.status == whole.status && part.http_status == whole.http_status &&
                    std::string_view(part.why) == whole.why,
                "a part has another verdict than the whole");
        require(!whole.complete() || n >= decided_at, "complete too early");
    }
}

}  // namespace millrace::fuzz
