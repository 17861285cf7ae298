#include "netstack/base/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace millrace {
namespace {

TEST(TscClock, AdvancesAsTheSystemsClockDoes) {
    const TscClock clock;
    const auto system_start = std::chrono::steady_clock::now();
    const Time start = clock.now();
    std::this_thread::sleep_for(50ms);
    const Duration elapsed = clock.now() - start;
    const auto system_elapsed = std::chrono::steady_clock::now() - system_start;
    EXPECT_LE(elapsed, system_elapsed + 100us);
    EXPECT_GE(elapsed, 50ms - 100us);
}

TEST(TscClock, AllInstancesShareOneTimeLine) {
    const TscClock a, b;
    const std::uint64_t ticks = rte_rdtsc();
    EXPECT_EQ(a.at(ticks), b.at(ticks));
    EXPECT_GE(a.at(ticks), Time{});
}

TEST(TscClock, LongDurationsDoNotOverflow) {
    const TscClock clock;
    const double year = 365.0 * 86400;
    const auto ticks = static_cast<std::uint64_t>(clock.ticks_per_second() * year);
    EXPECT_NEAR(std::chrono::duration<double>(clock.duration(ticks)).count(), year, 1.0);
}

}  // namespace
}  // namespace millrace
