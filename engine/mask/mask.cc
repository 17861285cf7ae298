// The kernel for payloads beyond the inline sizes, compiled once for each SIMD target (foreach_target.h
// includes this file again and again) and chosen at run time.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/mask/mask.cc"
#include "engine/mask/mask.h"

#include <hwy/foreach_target.h>  // must come before highway.h

#include "engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace millrace::ws::HWY_NAMESPACE {

// As detail::mask_from_both_ends, with this target's vectors.
template <std::size_t kPairs>
inline HWY_ATTR void mask_from_both_ends(const std::uint8_t* in, std::uint8_t* out, std::size_t size,
                                         MaskKey key) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const V front_key = repeated(key);
    const V back_key = repeated(advance(key, size));
    V front[kPairs];
    V back[kPairs];
    for (std::size_t i = 0; i < kPairs; ++i) {
        front[i] = hn::Xor(hn::LoadU(d, in + i * lanes), front_key);
        back[i] = hn::Xor(hn::LoadU(d, in + size - (i + 1) * lanes), back_key);
    }
    for (std::size_t i = 0; i < kPairs; ++i) {
        hn::StoreU(front[i], d, out + i * lanes);
        hn::StoreU(back[i], d, out + size - (i + 1) * lanes);
    }
}

// Two vectors take care of the unaligned edges; between them every store is aligned, since one across two
// cache lines costs twice. In place, what overlaps must be loaded before either part is stored. The tail is
// loaded no earlier than that: its line may be the one that was stored last, by whoever unmasked these bytes
// or any at the same offset in a page, and all that follows such a load waits until the store is in the
// cache.
inline HWY_ATTR void mask_with_aligned_middle(const std::uint8_t* in, std::uint8_t* out, std::size_t size,
                                              MaskKey key) {
    constexpr std::size_t kUnroll = 4;
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t before = lanes - reinterpret_cast<std::uintptr_t>(out) % lanes;
    std::uint8_t* const last = out + size - lanes;
    const V tail_key = repeated(advance(key, size));
    const V k = repeated(advance(key, before));

    const V head = hn::Xor(hn::LoadU(d, in), repeated(key));
    in += before;
    const V first = hn::Xor(hn::LoadU(d, in), k);
    hn::StoreU(head, d, out);
    out += before;
    hn::Store(first, d, out);
    in += lanes;
    out += lanes;
    for (; out + kUnroll * lanes <= last; in += kUnroll * lanes, out += kUnroll * lanes) {
        const V a = hn::Xor(hn::LoadU(d, in), k);
        const V b = hn::Xor(hn::LoadU(d, in + lanes), k);
        const V c = hn::Xor(hn::LoadU(d, in + 2 * lanes), k);
        const V e = hn::Xor(hn::LoadU(d, in + 3 * lanes), k);
        hn::Store(a, d, out);
        hn::Store(b, d, out + lanes);
        hn::Store(c, d, out + 2 * lanes);
        hn::Store(e, d, out + 3 * lanes);
    }
    const V tail = hn::Xor(hn::LoadU(d, in + (last - out)), tail_key);
    for (; out < last; in += lanes, out += lanes)
        hn::Store(hn::Xor(hn::LoadU(d, in), k), d, out);
    hn::StoreU(tail, d, last);
}

HWY_ATTR void mask_kernel(const std::byte* in_bytes, std::byte* out_bytes, std::size_t size, MaskKey key) {
    const auto* in = reinterpret_cast<const std::uint8_t*>(in_bytes);
    auto* out = reinterpret_cast<std::uint8_t*>(out_bytes);
    const std::size_t lanes = hn::Lanes(D());
    static_assert(detail::kMaskInline >= HWY_MAX_BYTES, "each edge needs a whole vector");
    if (size > 4 * lanes) return mask_with_aligned_middle(in, out, size, key);
    if (size > 2 * lanes) return mask_from_both_ends<2>(in, out, size, key);
    mask_from_both_ends<1>(in, out, size, key);
}

}  // namespace millrace::ws::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace::ws {

HWY_EXPORT(mask_kernel);

const simd::Kernel<detail::MaskLong> detail::mask_long([] { return &HWY_DYNAMIC_DISPATCH(mask_kernel); });

void apply_mask_scalar(std::span<std::byte> bytes, MaskKey key, std::size_t phase) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] ^= static_cast<std::byte>(key >> (8 * ((i + phase) % 4)));
}

}  // namespace millrace::ws
#endif
