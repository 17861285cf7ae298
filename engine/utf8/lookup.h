#pragma once
// UTF-8 validation a vector at a time, for texts that are not ASCII.

#include <cstddef>
#include <span>

namespace millrace::ws {

inline constexpr std::size_t kLookupLeast = 16;  // bytes
inline constexpr std::size_t kLookupBefore = 3;  // bytes that are read before the first one

// Whether `bytes`, which follow kLookupBefore bytes of whole characters, could begin a valid text, but for
// what the last character lacks: the caller looks at that one again.
bool utf8_by_lookup(std::span<const std::byte> bytes);

}  // namespace millrace::ws
