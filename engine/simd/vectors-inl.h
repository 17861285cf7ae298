// The vectors of each SIMD target. To be included behind hwy/foreach_target.h, once for each.

#include <hwy/highway.h>

#include <cstdint>

#if defined(MILLRACE_SIMD_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#    ifdef MILLRACE_SIMD_VECTORS_INL
#        undef MILLRACE_SIMD_VECTORS_INL
#    else
#        define MILLRACE_SIMD_VECTORS_INL
#    endif

HWY_BEFORE_NAMESPACE();
namespace millrace::ws::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<std::uint8_t>;
using V = hn::Vec<D>;

// A masking key, again and again.
inline HWY_ATTR V repeated(std::uint32_t key) {
    return hn::BitCast(D(), hn::Set(hn::Repartition<std::uint32_t, D>(), key));
}

// Whether no byte has its top bit set.
template <class AnyD>
inline HWY_ATTR bool is_ascii(AnyD, hn::Vec<AnyD> v) {
    const hn::RebindToSigned<AnyD> signed_d;
    return hn::AllFalse(signed_d, hn::Lt(hn::BitCast(signed_d, v), hn::Zero(signed_d)));
}

}  // namespace millrace::ws::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
