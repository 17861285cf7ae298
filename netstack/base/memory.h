#pragma once
// How much memory there is, for those who say before they begin that theirs will not do.

#include <cstdint>
#include <filesystem>

namespace millrace {

// Bytes that can be had now without swapping: what this machine can give (MemAvailable in /proc/meminfo), or
// what is left of the control group's limit where that is less, as in a container. The largest number there
// is where neither is said. `root` is where /proc and /sys are found.
std::uint64_t available_memory(const std::filesystem::path& root = "/");

}  // namespace millrace
