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
    // The calibration knows the rate to a few millionths. A unit or a sign that is wrong is far beyond this
    // bound, and the machine taking the core away in those 20 ms is not.
    EXPECT_LT(std::abs(drift.ppm()), 200'000);
}

}  // namespace
}  // namespace millrace
