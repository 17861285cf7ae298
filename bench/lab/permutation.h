#pragma once
// The numbers below a bound, each once, in a random order that follows from a seed: no memory and no time
// before the first, which a shuffled list of ten million would take.
//
// A Feistel network is a permutation of the numbers of its width; those that fall beyond the bound are
// permuted again until they do not.

#include <bit>
#include <cstdint>

namespace millrace::bench {

class Permutation {
  public:
    Permutation(std::uint64_t bound, std::uint64_t seed)
        : bound_(bound), half_((static_cast<unsigned>(std::bit_width(bound)) + 1) / 2), seed_(seed) {}

    // `i` is below the bound, and so is the result.
    std::uint64_t operator()(std::uint64_t i) const {
        do
            i = permuted(i);
        while (i >= bound_);
        return i;
    }

  private:
    std::uint64_t permuted(std::uint64_t i) const {
        const std::uint64_t mask = (std::uint64_t{1} << half_) - 1;
        std::uint64_t left = i >> half_, right = i & mask;
        for (unsigned round = 0; round < 4; ++round) {
            std::uint64_t mixed = (right + seed_ + round * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
            mixed = (mixed ^ mixed >> 29) * 0x94d049bb133111eb;
            const std::uint64_t next = left ^ (mixed >> 32 & mask);
            left = right;
            right = next;
        }
        return left << half_ | right;
    }

    std::uint64_t bound_;
    unsigned half_;  // bits
    std::uint64_t seed_;
};

}  // namespace millrace::bench
