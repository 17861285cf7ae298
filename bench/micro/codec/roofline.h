#pragma once
// What no unmasker can beat: each byte loaded, XORed with a constant and stored where it was, by the widest
// vectors of this machine.

#include <cstddef>

namespace millrace::bench {

// `bytes` is aligned to 64; `size` is a multiple of 64.
void xor_with_constant(std::byte* bytes, std::size_t size);

}  // namespace millrace::bench
