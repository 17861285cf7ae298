#pragma once
// How much memory there is, for those who say before they begin that theirs will not do.

#include <cstdint>

namespace millrace {

// Bytes that this machine can give now without swapping (MemAvailable in /proc/meminfo); the largest number
// there is where that is not said.
std::uint64_t available_memory();

}  // namespace millrace
