// The open loop's timetable: what is due when, and on which connection, of shards that take turns.

#include "bench/timing/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace millrace::bench {
namespace {

constexpr Time kBegin{1s};

std::vector<Schedule::Turn> turns(const Schedule::Setup& setup, Duration during) {
    Schedule schedule(setup);
    std::vector<Schedule::Turn> all;
    Schedule::Turn turn;
    while (schedule.next(setup.begin + during, turn))
        all.push_back(turn);
    EXPECT_EQ(schedule.turns(), all.size());
    return all;
}

TEST(Schedule, MessagesLeaveAtEqualIntervals) {
    const auto all = turns({.begin = kBegin, .per_second = 1000, .connections = 2}, 1001ms);
    ASSERT_EQ(all.size(), 1002u);
    EXPECT_EQ(all[0].intended, kBegin);
    EXPECT_EQ(all[1].intended, kBegin + 1ms);
    EXPECT_EQ(all[2].intended, kBegin + 2ms);
    EXPECT_EQ(all[1001].intended, kBegin + 1001ms);
    for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_EQ(all[i].connection, i % 2);
}

TEST(Schedule, ShardsTogetherKeepTheRate) {
    std::vector<Time> all;
    for (unsigned shard = 0; shard < 3; ++shard)
        for (const auto& turn :
             turns({.begin = kBegin, .per_second = 3000, .shard = shard, .shards = 3, .connections = 2},
                   9999us))
            all.push_back(turn.intended);
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), 30u);
    for (std::size_t i = 1; i < all.size(); ++i)
        EXPECT_NEAR(static_cast<double>((all[i] - all[i - 1]).count()), 1e6 / 3, 1) << i;
}

TEST(Schedule, ATurnComesWhenItIsDueAndOnce) {
    Schedule schedule({.begin = kBegin, .per_second = 1000, .connections = 3});
    Schedule::Turn turn;
    EXPECT_FALSE(schedule.next(kBegin - 1ns, turn));
    EXPECT_TRUE(schedule.next(kBegin, turn));
    EXPECT_FALSE(schedule.next(kBegin + 1ms - 1ns, turn));
    EXPECT_TRUE(schedule.next(kBegin + 1ms, turn));
    EXPECT_EQ(turn.connection, 1u);
}

// What was late stays due, and its time stays what it was: nothing is left out of the latencies.
TEST(Schedule, ALateMessageIsMeasuredFromItsOwnTime) {
    Schedule schedule({.begin = kBegin, .per_second = 1e6});
    Schedule::Turn turn;
    std::uint64_t count = 0;
    for (; schedule.next(kBegin + 100ms, turn); ++count)
        EXPECT_EQ(turn.intended, kBegin + 1us * count);
    EXPECT_EQ(count, 100'001u);
}

// Intervals of a Poisson process are exponential: their mean is the interval, as is their deviation, and of
// them 1 - 1/e are below it; how many fall into a second has the variance of its mean.
TEST(Schedule, APoissonProcessHasExponentialIntervals) {
    constexpr double kRate = 10'000;
    std::vector<Time> all;
    for (unsigned shard = 0; shard < 2; ++shard)
        for (const auto& turn : turns({.begin = kBegin,
                                .per_second = kRate,
                                .arrivals = Arrivals::kPoisson,
                                .seed = 7,
                                .shard = shard,
                                .shards = 2},
                                      20s))
            all.push_back(turn.intended);
    std::sort(all.begin(), all.end());
    const auto n = static_cast<double>(all.size());
    EXPECT_NEAR(n, 20 * kRate, 4 * std::sqrt(20 * kRate));
    double sum = 0, squares = 0, below = 0;
    for (std::size_t i = 1; i < all.size(); ++i) {
        const double gap = static_cast<double>((all[i] - all[i - 1]).count()) * kRate / 1e9;
        sum += gap;
        squares += gap * gap;
        below += gap < 1;
    }
    EXPECT_NEAR(sum / n, 1, 0.01);
    EXPECT_NEAR(squares / n - sum / n * (sum / n), 1, 0.03);
    EXPECT_NEAR(below / n, 1 - std::exp(-1), 0.005);
}

TEST(Schedule, APoissonProcessFollowsFromItsSeed) {
    const Schedule::Setup one{.begin = kBegin, .per_second = 1000, .arrivals = Arrivals::kPoisson, .seed = 1};
    Schedule::Setup two = one;
    two.seed = 2;
    const auto a = turns(one, 1s), again = turns(one, 1s), b = turns(two, 1s);
    ASSERT_FALSE(a.empty());
    ASSERT_EQ(a.size(), again.size());
    EXPECT_EQ(a.back().intended, again.back().intended);
    // Nor is one the other begun later: no interval of the first is found again in the second.
    std::set<Duration> intervals;
    for (std::size_t i = 1; i < a.size(); ++i)
        intervals.insert(a[i].intended - a[i - 1].intended);
    std::size_t again_found = 0;
    for (std::size_t i = 1; i < b.size(); ++i)
        again_found += intervals.count(b[i].intended - b[i - 1].intended);
    EXPECT_LT(again_found, 10u);
}

}  // namespace
}  // namespace millrace::bench
