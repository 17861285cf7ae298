// The open loop's timetable: what is due when, and on which connection, of shards that take turns.

#include "bench/load/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace millrace::bench {
namespace {

constexpr Time kBegin{1s};

TEST(Schedule, MessagesLeaveAtEqualIntervals) {
    Schedule schedule(kBegin, 1000, 0, 1, 2);
    EXPECT_EQ(schedule.intended(0, 0), kBegin);
    EXPECT_EQ(schedule.intended(1, 0), kBegin + 1ms);
    EXPECT_EQ(schedule.intended(0, 1), kBegin + 2ms);
    EXPECT_EQ(schedule.intended(1, 500), kBegin + 1001ms);
}

TEST(Schedule, ShardsTogetherKeepTheRate) {
    std::vector<Time> all;
    for (unsigned shard = 0; shard < 3; ++shard) {
        const Schedule schedule(kBegin, 3000, shard, 3, 2);
        for (std::uint32_t connection = 0; connection < 2; ++connection)
            for (std::uint64_t sequence = 0; sequence < 5; ++sequence)
                all.push_back(schedule.intended(connection, sequence));
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), 30u);
    for (std::size_t i = 1; i < all.size(); ++i)
        EXPECT_NEAR(static_cast<double>((all[i] - all[i - 1]).count()), 1e6 / 3, 1) << i;
}

TEST(Schedule, ATurnComesOnceAndInOrder) {
    Schedule schedule(kBegin, 1000, 0, 1, 3);
    std::uint32_t connection = 99;
    EXPECT_FALSE(schedule.next(kBegin - 1ns, connection));
    std::vector<std::uint32_t> order;
    while (schedule.next(kBegin + 4ms, connection))
        order.push_back(connection);
    EXPECT_EQ(order, (std::vector<std::uint32_t>{0, 1, 2, 0, 1}));
    EXPECT_EQ(schedule.turns(), 5u);
    EXPECT_EQ(schedule.due(0), 2u);
    EXPECT_EQ(schedule.due(1), 2u);
    EXPECT_EQ(schedule.due(2), 1u);
}

// What was late stays due, and its time stays what it was: nothing is left out of the latencies.
TEST(Schedule, ALateMessageIsMeasuredFromItsOwnTime) {
    Schedule schedule(kBegin, 1'000'000, 0, 1, 1);
    std::uint32_t connection = 0;
    std::uint64_t turns = 0;
    for (; schedule.next(kBegin + 100ms, connection); ++turns)
        EXPECT_EQ(schedule.intended(connection, turns), kBegin + 1us * turns);
    EXPECT_EQ(turns, 100'001u);
}

// A day at ten million a second: the arithmetic loses no message and no microsecond.
TEST(Schedule, StaysExactForLong) {
    const Schedule schedule(kBegin, 1e7, 0, 1, 1000);
    EXPECT_EQ(schedule.intended(0, 864'000'000), kBegin + 24h);
}

}  // namespace
}  // namespace millrace::bench
