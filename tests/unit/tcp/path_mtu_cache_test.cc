// What is known of paths: a bounded table, in which the oldest gives way.

#include "netstack/tcp/path_mtu_cache.h"

#include <gtest/gtest.h>

namespace millrace::tcp {
namespace {

class PathMtuCacheTest : public ::testing::Test {
  protected:
    static net::IpAddress host(std::uint64_t n) { return {0x20010db800000000, n}; }
    std::uint16_t mtu_of(std::uint64_t n) {
        const auto known = cache.find(host(n), now);
        return known ? known->mtu : std::uint16_t{0};
    }

    PathMtuCache cache = *PathMtuCache::create({1, 2});
    Time now = Time{} + 1h;
};

TEST_F(PathMtuCacheTest, KnowsWhatItLearnt) {
    EXPECT_EQ(mtu_of(1), 0);
    cache.learn(host(1), 1400, now);
    cache.learn(net::Ipv4{0x0a000001}, 1300, now);
    EXPECT_EQ(mtu_of(1), 1400);
    EXPECT_EQ(mtu_of(2), 0);
    ASSERT_TRUE(cache.find(net::Ipv4{0x0a000001}, now));
    EXPECT_EQ(cache.find(net::Ipv4{0x0a000001}, now)->mtu, 1300);
}

TEST_F(PathMtuCacheTest, TheLatestCounts) {
    cache.learn(host(1), 1300, now);
    EXPECT_FALSE(cache.learn(host(1), 1400, now)) << "nobody gives way to it";
    EXPECT_EQ(mtu_of(1), 1400);
    cache.forget(host(1), now);
    EXPECT_EQ(mtu_of(1), 0);
    cache.forget(host(1), now);
}

TEST_F(PathMtuCacheTest, ForgetsAfterTenMinutes) {  // RFC 1191 section 6.3
    cache.learn(host(1), 1400, now);
    const Time learnt = now;
    now += 9min;
    cache.learn(host(2), 1400, now);
    EXPECT_EQ(cache.find(host(1), now)->until, learnt + 10min);
    now = learnt + 10min;
    EXPECT_EQ(mtu_of(1), 0);
    EXPECT_EQ(mtu_of(2), 1400) << "each has its own time";
    now += 9min;
    EXPECT_EQ(mtu_of(2), 0);
}

TEST_F(PathMtuCacheTest, WhatIsForgottenGivesWaySilently) {
    for (std::uint64_t i = 0; i < 100'000; ++i)
        cache.learn(host(i), 1400, now);
    now += 10min;
    for (std::uint64_t i = 0; i < 100; ++i)
        EXPECT_FALSE(cache.learn(host(200'000 + i), 1400, now));
}

TEST_F(PathMtuCacheTest, TheOldestOfASetGivesWay) {
    constexpr std::size_t kMost = PathMtuCache::kSets * PathMtuCache::kWays;
    std::size_t evicted = 0;
    for (std::uint64_t i = 0; i < 4 * kMost; ++i) {
        now += 1ms;
        evicted += cache.learn(host(i), 1400, now);
    }
    std::size_t known = 0;
    for (std::uint64_t i = 0; i < 4 * kMost; ++i)
        known += mtu_of(i) != 0;
    EXPECT_LE(known, kMost);
    EXPECT_EQ(known + evicted, 4 * kMost);
    for (std::uint64_t i = 4 * kMost - 100; i < 4 * kMost; ++i)
        EXPECT_EQ(mtu_of(i), 1400) << "the youngest stay";
}

}  // namespace
}  // namespace millrace::tcp
