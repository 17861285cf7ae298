#pragma once
// RFC 6455 section 5.3: masking, in place and while copying, behind run-time dispatch (Google Highway).

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::ws {

// A masking key as its four octets lie in the frame, loaded as a native 32-bit word. `phase` (0 to 3) is the
// payload offset modulo 4 at which the bytes begin.
using MaskKey = std::uint32_t;

void apply_mask(std::span<std::byte> bytes, MaskKey key, std::size_t phase = 0);
// `out` has at least the size of `in` and does not overlap it.
void copy_masked(std::span<const std::byte> in, std::byte* out, MaskKey key, std::size_t phase = 0);

// The oracle: one octet at a time, as the RFC says it.
void apply_mask_scalar(std::span<std::byte> bytes, MaskKey key, std::size_t phase = 0);

}  // namespace millrace::ws
