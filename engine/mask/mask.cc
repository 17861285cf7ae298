// The kernel for payloads beyond the inline sizes, compiled once for each SIMD target (foreach_target.h
// includes this file again and again) and chosen at run time.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/mask/mask.cc"
#include "engine/mask/mask.h"

#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace millrace::ws::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<std::uint8_t>;
using V = hn::Vec<D>;

inline HWY_ATTR V key_vector(MaskKey key) {
    return hn::BitCast(D(), hn::Set(hn::Repartition<std::uint32_t, D>(), key));
}

// As detail::mask_from_both_ends, with this target's vectors.
template <std::size_t kPairs>
HWY_ATTR void mask_from_both_ends(const std::uint8_t* in, std::uint8_t* out, std::size_t size, MaskKey key) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const V front_key = key_vector(key);
    const V back_key = key_vector(advance(key, size));
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

// Two vectors, from both ends, take care of the unaligned edges; between them every store is aligned, since a
// store across two cache lines costs twice. The edges are loaded first, because in place the middle changes
// some of their bytes, and stored last; what they share with the middle they write alike.
HWY_ATTR void mask_with_aligned_middle(const std::uint8_t* in, std::uint8_t* out, std::size_t size,
                                       MaskKey key) {
    constexpr std::size_t kUnroll = 4;
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const V head = hn::Xor(hn::LoadU(d, in), key_vector(key));
    const V tail = hn::Xor(hn::LoadU(d, in + size - lanes), key_vector(advance(key, size)));

    std::size_t at = lanes - reinterpret_cast<std::uintptr_t>(out) % lanes;
    const V k = key_vector(advance(key, at));
    for (; at + kUnroll * lanes <= size; at += kUnroll * lanes) {
        const V a = hn::Xor(hn::LoadU(d, in + at), k);
        const V b = hn::Xor(hn::LoadU(d, in + at + lanes), k);
        const V c = hn::Xor(hn::LoadU(d, in + at + 2 * lanes), k);
        const V e = hn::Xor(hn::LoadU(d, in + at + 3 * lanes), k);
        hn::Store(a, d, out + at);
        hn::Store(b, d, out + at + lanes);
        hn::Store(c, d, out + at + 2 * lanes);
        hn::Store(e, d, out + at + 3 * lanes);
    }
    for (; at + lanes <= size; at += lanes)
        hn::Store(hn::Xor(hn::LoadU(d, in + at), k), d, out + at);

    hn::StoreU(head, d, out);
    hn::StoreU(tail, d, out + size - lanes);
}

HWY_ATTR void mask_kernel(const std::byte* in_bytes, std::byte* out_bytes, std::size_t size, MaskKey key) {
    const auto* in = reinterpret_cast<const std::uint8_t*>(in_bytes);
    auto* out = reinterpret_cast<std::uint8_t*>(out_bytes);
    const std::size_t lanes = hn::Lanes(D());
    static_assert(detail::kMaskInline >= HWY_MAX_BYTES, "each edge needs a whole vector");
    if (size <= 2 * lanes) return mask_from_both_ends<1>(in, out, size, key);
    if (size <= 4 * lanes) return mask_from_both_ends<2>(in, out, size, key);
    mask_with_aligned_middle(in, out, size, key);
}

}  // namespace millrace::ws::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace::ws {

HWY_EXPORT(mask_kernel);

void detail::mask_long(const std::byte* in, std::byte* out, std::size_t size, MaskKey key) {
    HWY_DYNAMIC_DISPATCH(mask_kernel)(in, out, size, key);
}

void apply_mask_scalar(std::span<std::byte> bytes, MaskKey key, std::size_t phase) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] ^= static_cast<std::byte>(key >> (8 * ((i + phase) % 4)));
}

}  // namespace millrace::ws
#endif
