#pragma once
// What no unmasker can beat: each byte loaded, XORed with a constant and stored where it was, by the widest
// vectors of this machine.

#include <cstddef>

#include "engine/simd/kernel.h"

namespace millrace::bench {

// `bytes` is aligned to 64; `size` is a multiple of 64.
using XorWithConstant = void(std::byte* bytes, std::size_t size);
extern const simd::Kernel<XorWithConstant> xor_with_constant;

}  // namespace millrace::bench
