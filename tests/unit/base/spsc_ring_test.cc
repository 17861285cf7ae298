#include "netstack/base/spsc_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>

namespace millrace {
namespace {

TEST(SpscRing, KeepsOrderAndRefusesWhenFull) {
    SpscRing<int> ring(4);
    for (int i = 0; i < 4; ++i)
        EXPECT_TRUE(ring.push(i));
    EXPECT_FALSE(ring.push(4));
    std::array<int, 3> out{};
    ASSERT_EQ(ring.pop(out), 3u);
    EXPECT_EQ(out, (std::array{0, 1, 2}));
    EXPECT_EQ(ring.free_slots(), 3u);
    EXPECT_TRUE(ring.push(4));
    ASSERT_EQ(ring.pop(out), 2u);
    EXPECT_EQ(out[0], 3);
    EXPECT_EQ(out[1], 4);
    EXPECT_EQ(ring.pop(out), 0u);
}

TEST(SpscRing, SeveralArePushedTogetherOrNotAtAll) {
    SpscRing<int> ring(4);
    const std::array<int, 3> three{1, 2, 3};
    EXPECT_TRUE(ring.push(std::span(three)));
    EXPECT_FALSE(ring.push(std::span(three)));
    EXPECT_EQ(ring.size(), 3u);
    int out = 0;
    for (const int expected : three) {
        ASSERT_TRUE(ring.pop(out));
        EXPECT_EQ(out, expected);
    }
    EXPECT_TRUE(ring.push(std::span(three)));
    EXPECT_TRUE(ring.push(4));
    EXPECT_FALSE(ring.push(5));
    EXPECT_EQ(ring.size(), 4u);
}

TEST(SpscRing, RefusedValueStaysWithTheSender) {
    SpscRing<std::unique_ptr<int>> ring(1);
    EXPECT_TRUE(ring.push(std::make_unique<int>(1)));
    auto second = std::make_unique<int>(2);
    EXPECT_FALSE(ring.push(std::move(second)));
    ASSERT_TRUE(second);
    std::unique_ptr<int> out;
    EXPECT_TRUE(ring.pop(out));
    EXPECT_EQ(*out, 1);
}

TEST(SpscRing, BetweenTwoThreadsNothingIsLost) {
    SpscRing<std::uint64_t> ring(64);
    constexpr std::uint64_t kCount = 200000;
    std::thread sender([&] {
        for (std::uint64_t i = 0; i < kCount;)
            if (ring.push(i))
                ++i;
            else
                std::this_thread::yield();
    });
    std::uint64_t expected = 0;
    std::array<std::uint64_t, 16> out;
    while (expected < kCount) {
        const auto n = ring.pop(out);
        for (std::size_t i = 0; i < n; ++i)
            ASSERT_EQ(out[i], expected++);
        if (n == 0) std::this_thread::yield();
    }
    sender.join();
}

}  // namespace
}  // namespace millrace
