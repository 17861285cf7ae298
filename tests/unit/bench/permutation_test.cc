// Every number once, in an order of the seed's own.

#include "bench/lab/permutation.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::bench {
namespace {

TEST(Permutation, NamesEachNumberOnce) {
    for (const std::uint64_t bound : {1ull, 2ull, 3ull, 16ull, 17ull, 1000ull, 65'537ull, 300'000ull}) {
        const Permutation order(bound, bound + 5);
        std::vector<bool> named(bound);
        for (std::uint64_t i = 0; i < bound; ++i) {
            const std::uint64_t at = order(i);
            ASSERT_LT(at, bound);
            ASSERT_FALSE(named[at]) << at << " of " << bound;
            named[at] = true;
        }
    }
}

// Neighbours lie far apart, and another seed is another order.
TEST(Permutation, IsScatteredByItsSeed) {
    constexpr std::uint64_t kBound = 100'000;
    const Permutation order(kBound, 1), other(kBound, 2);
    std::uint64_t distance = 0, same = 0;
    for (std::uint64_t i = 1; i < kBound; ++i) {
        const std::uint64_t a = order(i - 1), b = order(i);
        distance += a < b ? b - a : a - b;
        same += order(i) == other(i);
    }
    EXPECT_NEAR(static_cast<double>(distance) / kBound, kBound / 3.0, kBound / 50.0);
    EXPECT_LT(same, 20u);
}

}  // namespace
}  // namespace millrace::bench
