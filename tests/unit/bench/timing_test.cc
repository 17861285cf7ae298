// What a run records besides: by parts, over time, and of the loop itself.

#include <gtest/gtest.h>

#include "bench/timing/judge.h"
#include "bench/timing/latencies.h"
#include "bench/timing/poll_meter.h"

namespace millrace::bench {
namespace {

constexpr Time kBegin{1s};

TEST(Recorder, CountsWhatWasMeantToLeaveInTheTimeThatIsMeasured) {
    Recorder recorder;
    recorder.begin(kBegin, 1s);
    recorder.answered(kBegin - 1ns, kBegin, kBegin + 5us);
    recorder.answered(kBegin, kBegin, kBegin + 6us);
    recorder.answered(kBegin + 1s - 1ns, kBegin + 1s, kBegin + 9s);
    recorder.answered(kBegin + 1s, kBegin + 1s, kBegin + 1s + 8us);
    const Histogram rtt = recorder.latencies().rtt();
    EXPECT_EQ(rtt.count(), 2u);
    EXPECT_EQ(rtt.min(), 6000u);
    EXPECT_EQ(rtt.max(), 8'000'000'001u);
    EXPECT_EQ(recorder.latencies().rtt_parts.front().count(), 1u);
    EXPECT_EQ(recorder.latencies().rtt_parts.back().count(), 1u);
}

TEST(Recorder, PartsTogetherAreTheWhole) {
    Recorder recorder;
    recorder.begin(kBegin, 1s);
    Histogram all;
    for (int i = 0; i < 1000; ++i) {
        recorder.answered(kBegin + 1ms * i, kBegin + 1ms * i, kBegin + 1ms * i + 1us * i);
        all.record(Duration(1us * i));
    }
    EXPECT_EQ(recorder.latencies().rtt().packed(), all.packed());
    for (const Histogram& part : recorder.latencies().rtt_parts)
        EXPECT_NEAR(static_cast<double>(part.count()), 1000.0 / Latencies::kParts, 1);
}

TEST(HeatMap, EveryRowEndsWhereTheNextOneBegins) {
    for (std::size_t row = 8; row + 1 < HeatMap::kRows; ++row) {
        const std::uint64_t begin = HeatMap::begin_of(row), next = HeatMap::begin_of(row + 1);
        ASSERT_LT(begin, next);
        EXPECT_EQ(HeatMap::row_of(Duration(begin)), row);
        EXPECT_EQ(HeatMap::row_of(Duration(next - 1)), row);
        EXPECT_LE(4 * (next - begin), begin);
    }
    EXPECT_EQ(HeatMap::row_of(Duration(-3)), HeatMap::row_of(Duration(0)));
    EXPECT_EQ(HeatMap::row_of(1h), HeatMap::kRows - 1);
}

TEST(HeatMap, PutsEachMessageIntoItsColumn) {
    HeatMap heat;
    heat.begin(kBegin, 120s);
    heat.record(kBegin, 1us);
    heat.record(kBegin + 119999ms, 1us);
    heat.record(kBegin + 120s, 1us);  // after the end
    const std::size_t row = HeatMap::row_of(1us);
    EXPECT_EQ(heat.counts()[row], 1u);
    EXPECT_EQ(heat.counts()[119 * HeatMap::kRows + row], 1u);
    EXPECT_EQ(std::count(heat.counts().begin(), heat.counts().end(), 0u),
              static_cast<std::ptrdiff_t>(heat.counts().size() - 2));
}

TEST(PollMeter, TellsIdleFromBusyAndNotesGapsOfIdleTurnsAlone) {
    PollMeter meter;
    meter.begin(kBegin, kBegin + 1s, 3);
    meter.turn(kBegin - 5us, true);
    meter.turn(kBegin, true);              // began before: does not count
    meter.turn(kBegin + 100ns, true);      // idle
    meter.turn(kBegin + 30'100ns, true);   // idle, and away for 30 us
    meter.turn(kBegin + 90'100ns, false);  // busy for 60 us
    meter.turn(kBegin + 1s + 1ns, true);   // ended after: does not count
    const PollTrace& trace = meter.trace();
    EXPECT_EQ(trace.core, 3u);
    EXPECT_EQ(trace.idle, 30'100ns);
    EXPECT_EQ(trace.busy, 60us);
    ASSERT_EQ(trace.gaps.size(), 1u);
    EXPECT_EQ(trace.gaps[0].at, 100ns);
    EXPECT_EQ(trace.gaps[0].length, 30us);
    EXPECT_EQ(trace.all_gaps, 1u);
    EXPECT_EQ(trace.in_gaps, 30us);
}

TEST(PollMeter, KeepsTheLongestGapsAndCountsAll) {
    PollMeter meter;
    Time now = kBegin;
    meter.begin(now, now + 10s, 0);
    meter.turn(now, true);
    constexpr std::size_t kGaps = 2 * PollMeter::kMostGaps;
    for (std::size_t i = 1; i <= kGaps; ++i)
        meter.turn(now += 20us + Duration(i * 7919 % (kGaps + 1)), true);
    EXPECT_EQ(meter.trace().all_gaps, kGaps);
    ASSERT_EQ(meter.trace().gaps.size(), PollMeter::kMostGaps);
    const auto shortest = std::min_element(meter.trace().gaps.begin(), meter.trace().gaps.end(),
                                           [](const Gap& a, const Gap& b) { return a.length < b.length; });
    EXPECT_EQ(shortest->length, 20us + Duration(kGaps - PollMeter::kMostGaps + 1));
}

TEST(Judge, SaysWhyAnOpenLoopIsNotToBeBelieved) {
    std::vector<std::string> faults;
    judge_lag({.p99 = 100}, {.p99 = 1000}, faults);
    judge_rate(995, 1000, 10, Arrivals::kConstant, faults);
    EXPECT_TRUE(faults.empty());
    judge_lag({.p99 = 101}, {.p99 = 1000}, faults);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_NE(faults[0].find("the generator lagged"), std::string::npos);
    judge_rate(994, 1000, 10, Arrivals::kConstant, faults);
    ASSERT_EQ(faults.size(), 2u);
    EXPECT_NE(faults[1].find("994 messages a second came back of 1000"), std::string::npos);
}

// Of a Poisson process of 10,000 messages a hundred are one standard deviation.
TEST(Judge, LeavesToAPoissonProcessWhatIsChance) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Schedule schedule({.per_second = 1000, .arrivals = Arrivals::kPoisson, .seed = seed});
        Schedule::Turn turn;
        while (schedule.next(Time{} + 10s, turn)) {
        }
        std::vector<std::string> faults;
        judge_rate(static_cast<double>(schedule.turns()) / 10, 1000, 10, Arrivals::kPoisson, faults);
        EXPECT_TRUE(faults.empty()) << seed << ": " << faults.front();
    }
    std::vector<std::string> faults;
    judge_rate(950, 1000, 10, Arrivals::kPoisson, faults);
    EXPECT_EQ(faults.size(), 1u);
}

}  // namespace
}  // namespace millrace::bench
