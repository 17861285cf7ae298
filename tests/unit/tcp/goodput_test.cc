// What a connection achieves on a path that loses or reorders, in virtual time.

#include <cmath>

#include "tests/unit/tcp/wire_pair.h"

namespace millrace::tcp::test {
namespace {

Config bulk() {
    Config c;
    c.max_connections = 4;
    c.time_wait = 10min;
    c.send_limit = 256u << 10;
    c.receive_window = 4u << 20;
    return c;
}

constexpr WirePair::Plan kNothing{.bytes = 0, .closes_first = false};
constexpr Duration kGigabit = 12us;  // a full-sized packet takes so long

// RFC 9438 section 5.2: the window, in segments, that CUBIC is to have on average. Its Reno-friendly region
// holds where the cubic is below.
double predicted_window(double rtt, double p) {
    return std::max(1.054 * std::pow(rtt, 0.75) / std::pow(p, 0.75), std::sqrt(1.5 / p));
}

class TcpGoodput : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(TcpGoodput, AtOnePercentLossIsWhatCubicsResponseFunctionPredicts) {
    constexpr double kLoss = 0.01, kRtt = 0.010;
    constexpr std::uint64_t kBytes = 30'000'000;
    WirePair pair(GetParam(), {.loss = kLoss, .delay = 5ms, .spacing = kGigabit}, bulk(), bulk(),
                  {.bytes = kBytes, .most_at_once = 300000}, kNothing);
    pair.run(1);
    const double seconds = std::chrono::duration<double>(pair.transfer_time()).count();
    const double goodput = kBytes * 8 / seconds;
    const double predicted = predicted_window(kRtt, kLoss) * 1448 * 8 / kRtt;
    const Counters& counters = pair.client().counters();
    RecordProperty("goodput_kbit_per_s", static_cast<int>(goodput / 1000));
    RecordProperty("predicted_kbit_per_s", static_cast<int>(predicted / 1000));
    EXPECT_GE(goodput, predicted);
    EXPECT_LT(goodput, predicted * 1.5);  // or the path did not lose what it was told to
    // Hardly more is sent again than was lost.
    const double segments = kBytes / 1448.0;
    EXPECT_LT(static_cast<double>(counters.retransmitted_segments.value()), segments * kLoss * 1.2);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TcpGoodput, ::testing::Values(1, 2, 3));

// RFC 8985 section 3.2: reordering is not taken for loss.
TEST(TcpReordering, CostsHardlyAnything) {
    constexpr std::uint64_t kBytes = 10'000'000;
    double seconds[2];
    for (int reordered = 0; reordered < 2; ++reordered) {
        WirePair pair(7, {.reordering = reordered * 0.3, .delay = 5ms, .jitter = 2ms, .spacing = kGigabit},
                      bulk(), bulk(), {.bytes = kBytes, .most_at_once = 300000}, kNothing);
        pair.run(1);
        seconds[reordered] = std::chrono::duration<double>(pair.transfer_time()).count();
        const Counters& counters = pair.client().counters();
        EXPECT_LT(counters.retransmitted_segments.value(), kBytes / 1448 / 100);
        EXPECT_EQ(pair.server().counters().out_of_order.value() > 500, reordered == 1);
    }
    EXPECT_LT(seconds[1], seconds[0] * 1.5);
}

// A tail that is lost costs a probe, not a timeout.
TEST(TcpHeavyLoss, StillMovesAndHardlyTimesOut) {
    constexpr std::uint64_t kBytes = 2'000'000;
    WirePair pair(3, {.loss = 0.05, .delay = 5ms, .spacing = kGigabit}, bulk(), bulk(),
                  {.bytes = kBytes, .most_at_once = 300000}, kNothing);
    pair.run(1);
    const Counters& counters = pair.client().counters();
    EXPECT_GT(counters.sack_recoveries.value(), 5u);
    EXPECT_LT(counters.timeouts.value(), counters.sack_recoveries.value() / 4 + 5);
}

}  // namespace
}  // namespace millrace::tcp::test
