#pragma once
// Finding where a token, a target or a field value ends. Sixteen bytes at a time with what every machine of
// its kind has (SSE2, NEON): the pieces are short, so wider vectors or a dispatched call would cost more than
// they save. Nothing is read at or past `end`.

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "engine/http/chars.h"

namespace millrace::http {

namespace scan_detail {

namespace hn = hwy::HWY_NAMESPACE;
// Sixteen, or one where Highway has no vectors for the flags it is compiled with.
using Block = hn::CappedTag<std::uint8_t, 16>;
inline constexpr Block kBlock;
inline constexpr std::ptrdiff_t kBlockSize = hn::MaxLanes(kBlock);

// Bytes of `v` within [low, low + width], as a mask.
template <class V>
inline auto within(V v, std::uint8_t low, std::uint8_t width) {
    const V offset = hn::Sub(v, hn::Set(kBlock, low));
    return hn::Eq(hn::Min(offset, hn::Set(kBlock, width)), offset);
}

// Skips blocks that hold no byte of `outside`, and stops at the first such byte or at the last partial block.
template <class Outside>
inline const char* skip_blocks(const char* at, const char* end, Outside outside) {
    for (; end - at >= kBlockSize; at += kBlockSize) {
        const auto v = hn::LoadU(kBlock, reinterpret_cast<const std::uint8_t*>(at));
        const auto first = hn::FindFirstTrue(kBlock, outside(v));
        if (first >= 0) return at + first;
    }
    return at;
}

}  // namespace scan_detail

// First byte that is no token character, or `end`.
inline const char* skip_token(const char* at, const char* end) {
    namespace hn = scan_detail::hn;
    // Letters and hyphens make up nearly every name; the table takes over at the first other byte.
    at = scan_detail::skip_blocks(at, end, [](auto v) {
        const auto letter =
            scan_detail::within(hn::Or(v, hn::Set(scan_detail::kBlock, 0x20)), 'a', 'z' - 'a');
        return hn::Not(hn::Or(letter, hn::Eq(v, hn::Set(scan_detail::kBlock, '-'))));
    });
    while (at < end && is_tchar(*at))
        ++at;
    return at;
}

// First byte that a request target may not hold, or `end`.
inline const char* skip_target(const char* at, const char* end) {
    namespace hn = scan_detail::hn;
    at = scan_detail::skip_blocks(at, end, [](auto v) {
        const auto is = [&](char c) {
            return hn::Eq(v, hn::Set(scan_detail::kBlock, static_cast<std::uint8_t>(c)));
        };
        const auto quotes = hn::Or(is('"'), is('#'));
        const auto angles = hn::Or(is('<'), is('>'));
        return hn::Or(hn::Not(scan_detail::within(v, 0x21, 0x7e - 0x21)), hn::Or(quotes, angles));
    });
    while (at < end && is_target_char(*at))
        ++at;
    return at;
}

// First byte that a field value may not hold, or `end`.
inline const char* skip_value(const char* at, const char* end) {
    namespace hn = scan_detail::hn;
    at = scan_detail::skip_blocks(at, end, [](auto v) {
        const auto is = [&](std::uint8_t c) { return hn::Eq(v, hn::Set(scan_detail::kBlock, c)); };
        return hn::Or(hn::AndNot(is('\t'), scan_detail::within(v, 0, 0x1f)), is(0x7f));
    });
    while (at < end && is_value_char(*at))
        ++at;
    return at;
}

}  // namespace millrace::http
