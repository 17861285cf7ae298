// The shards' clock beside the kernel's.

#include "netstack/base/clock_drift.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

namespace millrace {
namespace {

TEST(ClockDrift, TheTscKeepsToTheKernelsClock) {
    const ClockDrift drift;
    std::this_thread::sleep_for(50ms);
    // 20 ms of calibration know the rate to a few millionths, unless the machine takes the core away in it.
    EXPECT_LT(std::abs(drift.ppm()), 1000);
}

TEST(ClockDrift, OfAMomentIsAFiniteNumber) {
    EXPECT_TRUE(std::isfinite(ClockDrift().ppm()));
}

}  // namespace
}  // namespace millrace
