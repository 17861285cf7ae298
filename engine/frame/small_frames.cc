// In two passes. The first walks the headers and writes down what every byte is to be XORed with: a header
// with itself, a payload with its key. It stores whole vectors, as many as the longest payload needs, and
// what is too much is overwritten by the next frame's: there is no branch on a size, and the only chain from
// frame to frame is that of their lengths. The second XORs the whole stretch, whatever frames are in it.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/frame/small_frames.cc"
#include "engine/frame/small_frames.h"

#include <hwy/foreach_target.h>  // must come before highway.h

#include <bit>
#include <cstring>

#include "engine/simd/kernel.h"
#include "engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace millrace::ws::HWY_NAMESPACE {

using Places = std::array<SmallMessages::Place, SmallMessages::kMost>;

// Walks the headers and fills `pattern`.
template <bool kMasked>
HWY_ATTR SmallMessages::Found walk(const std::byte* in, std::size_t size, std::size_t limit, Places& places,
                                   std::uint8_t* pattern) {
    constexpr std::size_t kHeader = kMasked ? 6 : 2;
    constexpr std::uint32_t kMaskBit = kMasked ? 0x80 : 0;
    constexpr std::size_t kNarrow = 64;
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    SmallMessages::Found found;
    std::size_t at = 0;
    bool wide = false;  // A payload so far was longer than kNarrow. It changes once, so it is predicted.
    while (found.count < SmallMessages::kMost && size - at >= kHeader) {
        const auto first = std::to_integer<std::uint32_t>(in[at]);
        const auto second = std::to_integer<std::uint32_t>(in[at + 1]);
        const std::uint32_t payload = second - kMaskBit;  // wraps, or is above 127, if the bit is wrong
        const std::size_t next = at + second + kHeader - kMaskBit;
        if (first - 0x81 >= 2 || payload > limit || next > size) break;

        std::uint32_t key = 0;
        if constexpr (kMasked) std::memcpy(&key, in + at + 2, sizeof key);
        const std::uint64_t header = first | second << 8 | std::uint64_t{key} << 16;
        std::memcpy(pattern + at, &header, sizeof header);
        const V keys = repeated(key);
        for (std::size_t i = 0; i < kNarrow; i += lanes)
            hn::StoreU(keys, d, pattern + at + kHeader + i);
        wide |= payload > kNarrow;
        if (wide)
            for (std::size_t i = kNarrow; i < 2 * kNarrow; i += lanes)
                hn::StoreU(keys, d, pattern + at + kHeader + i);

        const auto place = static_cast<std::uint32_t>(at + kHeader) | payload << 16 | (first & 0x0f) << 24;
        places[found.count++] = std::bit_cast<SmallMessages::Place>(place);
        found.texts += first & 1;
        at = next;
    }
    found.bytes = at;
    return found;
}

// XORs `size` bytes, at least a vector, with the pattern, which is aligned as they are; stores are aligned
// but at the edges. Says whether all are ASCII then.
HWY_ATTR bool apply(std::uint8_t* bytes, const std::uint8_t* pattern, std::size_t size) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t last = size - lanes;
    const V head = hn::Xor(hn::LoadU(d, bytes), hn::LoadU(d, pattern));
    const V tail = hn::Xor(hn::LoadU(d, bytes + last), hn::LoadU(d, pattern + last));
    V seen = hn::Or(head, tail);
    for (std::size_t at = lanes - reinterpret_cast<std::uintptr_t>(bytes) % lanes; at < last; at += lanes) {
        const V v = hn::Xor(hn::Load(d, bytes + at), hn::Load(d, pattern + at));
        seen = hn::Or(seen, v);
        hn::Store(v, d, bytes + at);
    }
    hn::StoreU(head, d, bytes);
    hn::StoreU(tail, d, bytes + last);
    return is_ascii(d, seen);
}

HWY_ATTR SmallMessages::Found take_kernel(std::byte* in, std::size_t size, std::size_t limit, Places& places,
                                          bool masked) {
    constexpr std::size_t kSpace = SmallMessages::kMost * (6 + 125) + 2 * HWY_MAX_BYTES + 128;
    const std::size_t lanes = hn::Lanes(D());
    alignas(HWY_MAX_BYTES) std::uint8_t space[kSpace];
    std::uint8_t* const pattern = space + reinterpret_cast<std::uintptr_t>(in) % lanes;
    SmallMessages::Found found =
        masked ? walk<true>(in, size, limit, places, pattern) : walk<false>(in, size, limit, places, pattern);
    if (found.count < 2 || found.bytes < lanes) return {};
    found.ascii = apply(reinterpret_cast<std::uint8_t*>(in), pattern, found.bytes);
    return found;
}

}  // namespace millrace::ws::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace::ws {

static_assert(std::endian::native == std::endian::little, "the walk writes words as they lie in memory");

HWY_EXPORT(take_kernel);
namespace {
using Places = std::array<SmallMessages::Place, SmallMessages::kMost>;
const simd::Kernel<SmallMessages::Found(std::byte*, std::size_t, std::size_t, Places&, bool)> take_frames([] {
    return &HWY_DYNAMIC_DISPATCH(take_kernel);
});
}  // namespace

std::size_t SmallMessages::take(std::span<std::byte> in, std::size_t limit, Role receiver) {
    const Found found = take_frames(in.data(), in.size(), limit, places_, receiver == Role::kServer);
    base_ = in.data();
    count_ = found.count;
    texts_ = found.texts;
    ascii_ = found.ascii;
    return found.bytes;
}

}  // namespace millrace::ws
#endif
