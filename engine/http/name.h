#pragma once
// Comparing a field's name with a known one: some words at a time instead of a character at a time, since
// every line of every head is compared.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace millrace::http {

// Whether the token `name` is `lower` without case. `lower` is made of lower-case letters and hyphens, for
// which setting bit 0x20 folds case and maps no other token character onto them.
template <std::size_t kSize>
inline bool is_name(std::string_view name, const char (&lower)[kSize]) {
    constexpr std::size_t kLength = kSize - 1;
    static_assert(kLength >= 4);
    if (name.size() != kLength) return false;
    const auto differ = [&]<class Word>(Word, std::size_t at) {
        Word a, b;
        std::memcpy(&a, name.data() + at, sizeof a);
        std::memcpy(&b, lower + at, sizeof b);
        return (a | static_cast<Word>(0x2020202020202020)) ^ b;
    };
    if constexpr (kLength < 8) {
        return (differ(std::uint32_t{}, 0) | differ(std::uint32_t{}, kLength - 4)) == 0;
    } else {
        std::uint64_t difference = differ(std::uint64_t{}, kLength - 8);
        for (std::size_t at = 0; at + 8 < kLength; at += 8)
            difference |= differ(std::uint64_t{}, at);
        return difference == 0;
    }
}

}  // namespace millrace::http
