#pragma once
// What is sent in tests of sending.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace millrace::tcp::test {

inline constexpr std::uint32_t kMss = 1460;

// Of a text that outlives them.
inline std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

inline std::string letters(std::size_t n) {
    std::string text(n, 0);
    for (std::size_t i = 0; i < n; ++i)
        text[i] = static_cast<char>('a' + i * 7 % 26);
    return text;
}

}  // namespace millrace::tcp::test
