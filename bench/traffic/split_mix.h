#pragma once

#include <cstdint>

namespace millrace::bench {

inline constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;  // of 2^64: what SplitMix64 steps by

// The finalizer of SplitMix64: every bit of its result depends on every bit of what it is given.
constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

}  // namespace millrace::bench
