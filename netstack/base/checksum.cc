#include "netstack/base/checksum.h"

namespace millrace::net {
namespace {

using Lanes __attribute__((vector_size(16))) = std::uint64_t;

template <class Word>
Word load(const std::byte* at) {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

// Adds with end-around carry; compilers make it an add-with-carry pair.
inline void add(std::uint64_t& sum, std::uint64_t word) {
    sum += word;
    sum += sum < word;
}

}  // namespace

ChecksumSum checksum_sum(const void* data, std::size_t length) {
    const auto* at = static_cast<const std::byte*>(data);
    // The 32-bit halves of words gather in 64-bit lanes, where no carry can be lost before 2^32 words. 32
    // bytes a turn in baseline SIMD measured best from 40 to 1500 bytes (against an add-with-carry chain,
    // which wins below 166 bytes by a nanosecond and loses 1.7 times at 1500, and rte_raw_cksum: 1.2 to 5
    // times slower).
    Lanes low_a{}, high_a{}, low_b{}, high_b{};
    for (; length >= 32; length -= 32, at += 32) {
        const auto a = load<Lanes>(at), b = load<Lanes>(at + 16);
        low_a += a & 0xffffffff;
        high_a += a >> 32;
        low_b += b & 0xffffffff;
        high_b += b >> 32;
    }
    const Lanes lanes = low_a + low_b + high_a + high_b;
    std::uint64_t sum = lanes[0] + lanes[1];
    for (; length >= 8; length -= 8, at += 8)
        add(sum, load<std::uint64_t>(at));
    if (length & 4) {
        add(sum, load<std::uint32_t>(at));
        at += 4;
    }
    if (length & 2) {
        add(sum, load<std::uint16_t>(at));
        at += 2;
    }
    if (length & 1) {
        // The last odd byte counts as the first of a word whose second is zero (RFC 1071 section 1).
        std::uint16_t last = 0;
        std::memcpy(&last, at, 1);
        add(sum, last);
    }
    return ChecksumSum(sum);
}

}  // namespace millrace::net
