#pragma once
// Character classes of RFC 9110 section 5 and RFC 3986, one table look-up each.

#include <array>
#include <cstdint>
#include <string_view>

namespace millrace::http {

namespace detail {

enum : std::uint8_t { kTchar = 1, kTargetChar = 2, kValueChar = 4, kHostChar = 8, kDigit = 16 };

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> table{};
    const auto put = [&](std::string_view chars, std::uint8_t bits) {
        for (const char c : chars)
            table[static_cast<unsigned char>(c)] |= bits;
    };
    put("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kTchar | kHostChar);
    put("0123456789", kTchar | kHostChar | kDigit);
    put("!#$%&'*+-.^_`|~", kTchar);
    put("-._~%!$&'()*+,;=", kHostChar);
    put("\t", kValueChar);
    for (unsigned c = 0x20; c < 256; ++c)
        if (c != 0x7f) table[c] |= kValueChar;
    for (unsigned c = 0x21; c < 0x7f; ++c)
        if (c != '"' && c != '#' && c != '<' && c != '>') table[c] |= kTargetChar;
    return table;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

constexpr bool is(char c, std::uint8_t bits) {
    return (kClasses[static_cast<unsigned char>(c)] & bits) != 0;
}

}  // namespace detail

// RFC 9110 section 5.6.2.
constexpr bool is_tchar(char c) {
    return detail::is(c, detail::kTchar);
}

// What a request target may hold: visible US-ASCII except what a browser always escapes. RFC 3986 forbids
// a few more ({|}^\`) that browsers send as they are (WHATWG URL); none of them can end or split a line.
constexpr bool is_target_char(char c) {
    return detail::is(c, detail::kTargetChar);
}

// RFC 9110 section 5.5: field-vchar, SP and HTAB.
constexpr bool is_value_char(char c) {
    return detail::is(c, detail::kValueChar);
}

// RFC 3986 section 3.2.2: reg-name.
constexpr bool is_host_char(char c) {
    return detail::is(c, detail::kHostChar);
}

constexpr bool is_digit(char c) {
    return detail::is(c, detail::kDigit);
}

// Optional white space (RFC 9110 section 5.6.3).
constexpr bool is_space(char c) {
    return c == ' ' || c == '\t';
}

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

constexpr std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

constexpr bool is_token(std::string_view text) {
    for (const char c : text)
        if (!is_tchar(c)) return false;
    return !text.empty();
}

}  // namespace millrace::http
