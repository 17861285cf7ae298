#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/micro/codec/roofline.cc"
#include "bench/micro/codec/roofline.h"

#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "engine/simd/kernel.h"

HWY_BEFORE_NAMESPACE();
namespace millrace::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

HWY_ATTR void xor_kernel(std::byte* bytes, std::size_t size) {
    const hn::ScalableTag<std::uint8_t> d;
    const std::size_t lanes = hn::Lanes(d);
    auto* at = reinterpret_cast<std::uint8_t*>(bytes);
    const auto key = hn::Set(d, 0x5A);
    std::size_t i = 0;
    for (; i + 4 * lanes <= size; i += 4 * lanes) {
        const auto v0 = hn::Xor(hn::Load(d, at + i), key);
        const auto v1 = hn::Xor(hn::Load(d, at + i + lanes), key);
        const auto v2 = hn::Xor(hn::Load(d, at + i + 2 * lanes), key);
        const auto v3 = hn::Xor(hn::Load(d, at + i + 3 * lanes), key);
        hn::Store(v0, d, at + i);
        hn::Store(v1, d, at + i + lanes);
        hn::Store(v2, d, at + i + 2 * lanes);
        hn::Store(v3, d, at + i + 3 * lanes);
    }
    for (; i + lanes <= size; i += lanes)
        hn::Store(hn::Xor(hn::Load(d, at + i), key), d, at + i);
}

}  // namespace millrace::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace::bench {

HWY_EXPORT(xor_kernel);

const simd::Kernel<XorWithConstant> xor_with_constant([] { return &HWY_DYNAMIC_DISPATCH(xor_kernel); });

}  // namespace millrace::bench
#endif
