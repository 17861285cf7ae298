#pragma once
// RFC 6455 section 5.3: masking, in place and while copying. Short payloads are done here, inline, with words
// that overlap in the middle; longer ones go through run-time dispatch (Google Highway, mask.cc).
//
// Every form touches exactly the bytes it was given: nothing before, nothing after, and no masked store (a
// masked tail store followed by the load of the next frame's header costs 10 ns a frame).

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "engine/simd/kernel.h"

namespace millrace::ws {

static_assert(std::endian::native == std::endian::little,
              "MaskKey rotates to the right as the payload advances");

// A masking key as its four octets lie in the frame, loaded as a native 32-bit word. `phase` (0 to 3) is the
// payload offset modulo 4 at which the bytes begin.
using MaskKey = std::uint32_t;

// The key as it stands `offset` bytes further into the payload.
constexpr MaskKey advance(MaskKey key, std::size_t offset) {
    return std::rotr(key, static_cast<int>(8 * offset % 32));
}

inline void apply_mask(std::span<std::byte> bytes, MaskKey key, std::size_t phase = 0);
// `out` has at least the size of `in`, and does not overlap it or is the same.
inline void copy_masked(std::span<const std::byte> in, std::byte* out, MaskKey key, std::size_t phase = 0);
// As apply_mask, and says whether it saw that the bytes are ASCII now, so that a short text needs no second
// pass. False: they are not, or they were too long to look.
inline bool apply_mask_seeing_ascii(std::span<std::byte> bytes, MaskKey key);

// The oracle: one octet at a time, as the RFC says it.
void apply_mask_scalar(std::span<std::byte> bytes, MaskKey key, std::size_t phase = 0);

namespace detail {

// Payloads up to this length are masked inline; two pairs of vectors cover them.
inline constexpr std::size_t kMaskInline = 64;

using Vector16 [[gnu::vector_size(16)]] = std::uint32_t;  // SSE2 and NEON are every target's baseline

template <class Word>
inline Word spread(MaskKey key) {
    if constexpr (sizeof(Word) == 4)
        return key;
    else if constexpr (sizeof(Word) == 8)
        return key * 0x1'0000'0001u;
    else
        return Word{key, key, key, key};
}

// Whether any byte of a word, or of the words that were or-ed into it, is not ASCII.
template <class Word>
inline bool has_high_bit(Word word) {
    if constexpr (sizeof(Word) <= 8)
        return (word & static_cast<Word>(0x8080'8080'8080'8080u)) != 0;
    else
        return has_high_bit(std::bit_cast<std::array<std::uint64_t, 2>>(word)[0] |
                            std::bit_cast<std::array<std::uint64_t, 2>>(word)[1]);
}

// Masks `size` bytes, with kPairs * sizeof(Word) <= size <= twice that, as kPairs words from the front and
// kPairs from the back. They may overlap, so in place all must be loaded before any is stored. Says whether
// the result is ASCII; the compiler drops that where nobody asks.
template <class Word, std::size_t kPairs>
inline bool mask_from_both_ends(const std::byte* in, std::byte* out, std::size_t size, MaskKey key) {
    const Word front_key = spread<Word>(key);
    const Word back_key = spread<Word>(advance(key, size));  // a word's length is a multiple of 4
    Word front[kPairs];
    Word back[kPairs];
    for (std::size_t i = 0; i < kPairs; ++i) {
        std::memcpy(&front[i], in + i * sizeof(Word), sizeof(Word));
        std::memcpy(&back[i], in + size - (i + 1) * sizeof(Word), sizeof(Word));
    }
    Word seen{};
    for (std::size_t i = 0; i < kPairs; ++i) {
        front[i] ^= front_key;
        back[i] ^= back_key;
        seen |= front[i] | back[i];
        std::memcpy(out + i * sizeof(Word), &front[i], sizeof(Word));
        std::memcpy(out + size - (i + 1) * sizeof(Word), &back[i], sizeof(Word));
    }
    return !has_high_bit(seen);
}

// Up to three bytes: first, middle and last, which are the same ones where there are fewer.
inline bool mask_1_to_3(const std::byte* in, std::byte* out, std::size_t size, MaskKey key) {
    const std::size_t middle = size / 2;
    const std::size_t last = size - 1;
    const std::byte a = in[0] ^ static_cast<std::byte>(key);
    const std::byte b = in[middle] ^ static_cast<std::byte>(key >> (8 * middle));
    const std::byte c = in[last] ^ static_cast<std::byte>(key >> (8 * last));
    out[0] = a;
    out[middle] = b;
    out[last] = c;
    return !has_high_bit(std::to_integer<std::uint8_t>(a | b | c));
}

// More than kMaskInline bytes; `out` equals `in` or does not overlap it.
using MaskLong = void(const std::byte* in, std::byte* out, std::size_t size, MaskKey key);
extern const simd::Kernel<MaskLong> mask_long;

// At most kMaskInline bytes. Says whether the result is ASCII.
inline bool mask_short(const std::byte* in, std::byte* out, std::size_t size, MaskKey key) {
    if (size > 32) return mask_from_both_ends<Vector16, 2>(in, out, size, key);
    if (size >= 16) return mask_from_both_ends<Vector16, 1>(in, out, size, key);
    if (size >= 8) return mask_from_both_ends<std::uint64_t, 1>(in, out, size, key);
    if (size >= 4) return mask_from_both_ends<std::uint32_t, 1>(in, out, size, key);
    return size == 0 || mask_1_to_3(in, out, size, key);
}

}  // namespace detail

inline void copy_masked(std::span<const std::byte> in, std::byte* out, MaskKey key, std::size_t phase) {
    key = advance(key, phase);
    if (in.size() > detail::kMaskInline)
        detail::mask_long(in.data(), out, in.size(), key);
    else
        detail::mask_short(in.data(), out, in.size(), key);
}

inline void apply_mask(std::span<std::byte> bytes, MaskKey key, std::size_t phase) {
    copy_masked(bytes, bytes.data(), key, phase);
}

inline bool apply_mask_seeing_ascii(std::span<std::byte> bytes, MaskKey key) {
    if (bytes.size() <= detail::kMaskInline)
        return detail::mask_short(bytes.data(), bytes.data(), bytes.size(), key);
    detail::mask_long(bytes.data(), bytes.data(), bytes.size(), key);
    return false;
}

}  // namespace millrace::ws
