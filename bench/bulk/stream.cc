#include "bench/bulk/stream.h"

#include <bit>
#include <cstring>

namespace millrace::bench {

static_assert(std::endian::native == std::endian::little, "a word's first byte is its lowest");

namespace {

using Pair = std::uint64_t __attribute__((vector_size(16)));

// Eight words in a row, in baseline SIMD.
struct Words {
    Pair pair[4];

    Words(std::uint64_t first, std::uint64_t step) {
        for (unsigned i = 0; i < 4; ++i)
            pair[i] = Pair{first + 2 * i * step, first + (2 * i + 1) * step};
    }
    void advance(std::uint64_t by) {
        for (Pair& words : pair)
            words += by;
    }
};

}  // namespace

void Stream::fill(std::span<std::byte> bytes, std::uint64_t position) const {
    std::size_t at = 0;
    for (; at < bytes.size() && (position + at) % 8 != 0; ++at)
        bytes[at] = byte(position + at);
    Words words(word((position + at) / 8), kStep);
    for (; at + sizeof words <= bytes.size(); at += sizeof words, words.advance(8 * kStep))
        for (unsigned i = 0; i < 4; ++i)
            std::memcpy(&bytes[at + i * sizeof(Pair)], &words.pair[i], sizeof(Pair));
    for (std::uint64_t next = words.pair[0][0]; at + 8 <= bytes.size(); at += 8, next += kStep)
        std::memcpy(&bytes[at], &next, sizeof next);
    for (; at < bytes.size(); ++at)
        bytes[at] = byte(position + at);
}

bool Stream::matches(std::span<const std::byte> bytes, std::uint64_t position) const {
    std::size_t at = 0;
    bool same = true;
    for (; at < bytes.size() && (position + at) % 8 != 0; ++at)
        same &= bytes[at] == byte(position + at);
    Words words(word((position + at) / 8), kStep);
    Pair different{};
    for (; at + sizeof words <= bytes.size(); at += sizeof words, words.advance(8 * kStep)) {
        for (unsigned i = 0; i < 4; ++i) {
            Pair have;
            std::memcpy(&have, &bytes[at + i * sizeof have], sizeof have);
            different |= have ^ words.pair[i];
        }
    }
    for (std::uint64_t next = words.pair[0][0]; at + 8 <= bytes.size(); at += 8, next += kStep) {
        std::uint64_t have;
        std::memcpy(&have, &bytes[at], sizeof have);
        same &= have == next;
    }
    for (; at < bytes.size(); ++at)
        same &= bytes[at] == byte(position + at);
    return same && (different[0] | different[1]) == 0;
}

}  // namespace millrace::bench
