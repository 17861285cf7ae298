// What is said of long turns of a shard's loop, and whose time they were.

#include "bench/lab/stalls.h"

#include <gtest/gtest.h>

namespace millrace::bench {
namespace {

// A thread that may be without its core for a while.
class StallsTest : public ::testing::Test {
  protected:
    struct CpuTime {
        const Duration* had;
        Duration operator()() const { return *had; }
    };
    void turn(Duration own, Duration taken = {}) {
        now += own + taken;
        had += own;
        meter.turn(now);
    }

    Time now{1s};
    Duration had{};
    StallMeter<CpuTime> meter{CpuTime{&had}};
};

TEST_F(StallsTest, ShortTurnsAreCountedAndNoneIsLong) {
    meter.turn(now);
    for (int i = 0; i < 1000; ++i)
        turn(2us);
    turn(900us);
    EXPECT_EQ(meter.stalls().turns.count(), 1001u);
    EXPECT_EQ(meter.stalls().turns.percentile(50), 2000u);
    EXPECT_EQ(meter.stalls().over_1ms, 0u);
    EXPECT_EQ(meter.stalls().own_max, 900us);
}

TEST_F(StallsTest, ALongTurnOfOurOwnIsToldFromTimeThatTheMachineTook) {
    meter.turn(now);
    turn(5us, 30ms);
    EXPECT_EQ(meter.stalls().over_1ms, 1u);
    EXPECT_EQ(meter.stalls().own_over_1ms, 0u);
    EXPECT_EQ(meter.stalls().own_max, 5us);
    turn(3ms);
    EXPECT_EQ(meter.stalls().over_1ms, 2u);
    EXPECT_EQ(meter.stalls().own_over_1ms, 1u);
    EXPECT_EQ(meter.stalls().own_max, 3ms);
    turn(2ms, 8ms);
    EXPECT_EQ(meter.stalls().own_over_1ms, 2u);
    EXPECT_EQ(meter.stalls().turns.max(), 30'005'000u);
}

TEST_F(StallsTest, ATurnThatObeysAnOrderDoesNotCount) {
    meter.turn(now);
    turn(1us);
    meter.leave_out();
    turn(50ms);
    turn(1us);
    EXPECT_EQ(meter.stalls().turns.count(), 2u);
    EXPECT_EQ(meter.stalls().over_1ms, 0u);
    meter.reset();
    turn(50ms);
    EXPECT_EQ(meter.stalls().turns.count(), 0u);
}

}  // namespace
}  // namespace millrace::bench
