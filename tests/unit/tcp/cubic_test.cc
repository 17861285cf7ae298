// CUBIC (RFC 9438): the sums, and a connection that uses them.

#include "netstack/tcp/cubic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/tcp/sender.h"

namespace millrace::tcp::test {
namespace {

// A window on its own, with a constant round trip.
struct Window {
    explicit Window(double rtt) : rtt_us(rtt * 1e6) { start_window(c, kMss); }

    double segments() const { return static_cast<double>(c.cwnd) / kMss; }
    double seconds() const { return now_us * 1e-6; }
    // One segment is acknowledged; a window of them takes a round trip.
    void ack() {
        now_us += rtt_us / segments();
        Cubic::acked(c, g,
                     {.bytes = kMss,
                      .mss = kMss,
                      .now = static_cast<std::uint32_t>(static_cast<std::uint64_t>(now_us)),
                      .srtt = static_cast<std::uint32_t>(rtt_us)});
    }
    void round_trip() {
        for (std::uint32_t n = c.cwnd / kMss; n > 0; --n)
            ack();
    }
    void lose() {
        Cubic::lost(c, g, c.cwnd, kMss);
        c.cwnd = c.ssthresh;
    }

    Congestion c;
    Growth g;
    double now_us = 0;
    double rtt_us;
};

// A window of `segments` in congestion avoidance, after a loss there.
Window after_loss_at(std::uint32_t segments, double rtt) {
    Window w(rtt);
    w.c.cwnd = segments * kMss;
    w.lose();
    return w;
}

TEST(TcpCubic, SlowStartDoublesTheWindowEachRoundTrip) {  // section 4.10
    Window w(0.1);
    w.round_trip();
    EXPECT_EQ(w.c.cwnd, 20 * kMss);
    // An ACK of very many segments opens it by eight (RFC 9406 section 4.2).
    Cubic::acked(w.c, w.g, {.bytes = 40 * kMss, .mss = kMss, .now = 0, .srtt = 0});
    EXPECT_EQ(w.c.cwnd, 28 * kMss);
}

TEST(TcpCubic, ALossTakesThreeTenths) {  // section 4.6
    const Window w = after_loss_at(100, 0.1);
    EXPECT_EQ(w.c.ssthresh, 70 * kMss);
    EXPECT_EQ(w.c.w_max, 100 * kMss);
}

TEST(TcpCubic, NeverBelowTwoSegments) {  // section 4.6
    Window w = after_loss_at(2, 0.1);
    EXPECT_EQ(w.c.ssthresh, 2 * kMss);
}

TEST(TcpCubic, AWindowThatDidNotComeBackGivesWay) {  // section 4.7, fast convergence
    Window w = after_loss_at(100, 0.1);
    w.lose();
    EXPECT_EQ(w.c.w_max, static_cast<std::uint32_t>(70 * kMss * 0.85));
}

TEST(TcpCubic, ReturnsToWhereTheLossWasAfterK) {  // section 4.2, equations (1) and (2)
    Window w = after_loss_at(1000, 0.1);
    const double k = std::cbrt(1000 * 0.3 / 0.4);
    double half = 0;
    while (w.seconds() < k) {
        w.round_trip();
        if (half == 0 && w.seconds() >= k / 2) half = w.segments();
    }
    EXPECT_NEAR(w.segments(), 1000, 5);
    EXPECT_NEAR(half, 1000 - 0.4 * std::pow(k / 2, 3), 15);  // seven eighths of the way in half of the time
    // Beyond, it is convex: as much in the next K as it took.
    while (w.seconds() < 2 * k)
        w.round_trip();
    EXPECT_NEAR(w.segments(), 1300, 20);
}

TEST(TcpCubic, GrowsByHalfARoundTripAtMost) {  // section 4.2: target <= 1.5 cwnd
    Window w = after_loss_at(20, 0.1);
    w.round_trip();
    w.now_us += 60e6;  // the curve has gone far away
    const double before = w.segments();
    w.round_trip();
    EXPECT_LE(w.segments(), before * 1.7);
    EXPECT_GE(w.segments(), before * 1.3);
}

TEST(TcpCubic, IsNeverSlowerThanReno) {  // section 4.3: on short paths the cubic is the slower one
    Window w = after_loss_at(20, 0.01);
    for (int i = 0; i < 10; ++i)
        w.round_trip();
    EXPECT_NEAR(w.segments(), 14 + 10 * Cubic::kAlpha, 0.7);
    while (w.segments() < 20)
        w.round_trip();
    const double before = w.segments();
    for (int i = 0; i < 10; ++i)
        w.round_trip();
    EXPECT_NEAR(w.segments(), before + 10, 1.1);  // from the old window on Reno's own pace
}

TEST(TcpCubic, AfterATimeoutTheCurveBeginsAtItsPlateau) {  // section 4.8
    Window w(0.1);
    w.c.cwnd = 100 * kMss;
    Cubic::timed_out(w.c, w.g, w.c.cwnd, kMss);
    w.c.cwnd = kMss;
    EXPECT_EQ(w.c.ssthresh, 70 * kMss);
    while (w.c.cwnd < w.c.ssthresh)
        w.round_trip();
    w.round_trip();
    EXPECT_EQ(w.g.k, 0);
    EXPECT_NEAR(w.g.origin, 70, 1);
    w.round_trip();
    EXPECT_LT(w.segments(), 73);
}

TEST(TcpCubic, TimeWithoutUseDoesNotCount) {  // section 5.8
    Window w = after_loss_at(1000, 0.1);
    for (int i = 0; i < 20; ++i)
        w.round_trip();
    const double before = w.segments();
    w.now_us += 100e6;
    w.g.in_epoch = false;  // as grow_window() says when the window was not used
    w.round_trip();
    EXPECT_LT(w.segments() - before, 20);
    // The way to the plateau is as long as it was.
    EXPECT_NEAR(w.g.origin, 1000, 1e-3);
}

// Section 5.2: one loss each 1/p segments. For short round trips and frequent losses it is Reno's function,
// for others 1.054 (RTT / p)^(3/4).
double average_window(double rtt, double p) {
    Window w = after_loss_at(10, rtt);
    const auto between = static_cast<std::uint32_t>(1 / p);
    double begun = 0;
    constexpr int kLosses = 60;
    for (int losses = 0; losses < kLosses; ++losses) {
        if (losses == kLosses / 2) begun = w.now_us;
        for (std::uint32_t i = 0; i < between; ++i)
            w.ack();
        w.lose();
    }
    return kLosses / 2.0 * between / ((w.now_us - begun) / w.rtt_us);
}

TEST(TcpCubic, AverageWindowIsThatOfTheResponseFunction) {
    struct {
        double rtt, p, segments;
    } table[] = {{0.1, 1e-2, 12},  {0.1, 1e-3, 38},  {0.1, 1e-4, 187},  {0.1, 1e-5, 1054},
                 {0.01, 1e-2, 12}, {0.01, 1e-3, 38}, {0.01, 1e-4, 120}, {0.01, 1e-5, 379}};
    for (const auto& [rtt, p, segments] : table) {
        SCOPED_TRACE(testing::Message() << "RTT " << rtt << " s, p " << p);
        const double average = average_window(rtt, p);
        EXPECT_GT(average, segments * 0.9);
        EXPECT_LT(average, segments * 1.25);
    }
}

// --- on a connection ---

TEST(TcpCubic, IsTheDefault) {
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 4}});
    EXPECT_EQ(s.ssthresh(), 7 * kMss);
    EXPECT_EQ(s.c().congestion.w_max, 10 * kMss);
}

TEST(TcpCubic, NewRenoMayBeChosen) {
    Config config = Script::defaults();
    config.congestion = CongestionAlgorithm::kNewReno;
    Sender s({.sack = true}, config);
    s.fly(10);
    s.ack(0, {{1, 4}});
    EXPECT_EQ(s.ssthresh(), 5 * kMss);
}

TEST(TcpCubic, AnUndoneReductionLeavesNoTrace) {  // section 4.9
    Sender s;
    s.send(20);
    s.out.clear();
    s.pass(kRtt);
    s.ack(0, {{1, 4}});
    s.out.clear();
    EXPECT_EQ(s.c().congestion.w_max, 10 * kMss);
    s.ack(4);
    s.arrive(Script::sack(at(4), {{at(0), at(1)}}));
    EXPECT_EQ(s.count(&Counters::full_undos), 1u);
    EXPECT_EQ(s.c().congestion.w_max, 0u);
    EXPECT_GE(s.cwnd(), 10 * kMss);
    EXPECT_GT(s.ssthresh(), 1u << 20);
}

TEST(TcpCubic, DoesNotGrowForAnApplicationThatSendsLittle) {  // section 5.8, RFC 7661
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 4}});
    s.out.clear();
    s.pass(kRtt);
    s.ack(10);
    const std::uint32_t before = s.cwnd();
    for (std::uint32_t i = 0; i < 50; ++i) {
        s.fly(4);
        s.ack(14 + 4 * i);
    }
    EXPECT_EQ(s.cwnd(), before);
}

TEST(TcpCubic, TimeBehindAClosedWindowDoesNotCount) {  // sections 4.2 and 5.8
    for (const Duration closed : {Duration{150ms}, Duration{30s}}) {
        Sender s;
        const auto sent = [&] { return (s.c().snd_nxt - Seq{s.our_isn} - 1) / kMss; };
        s.send(100);
        s.pass(kRtt);
        s.ack(0, {{1, 10}});
        s.pass(kRtt);
        s.ack(sent());  // the end of recovery
        s.pass(kRtt);
        s.ack(sent());  // the beginning of the curve
        s.pass(kRtt);
        ASSERT_TRUE(s.q().window_limited);
        s.arrive({.seq = 1, .ack = at(sent()), .window = 0});
        for (Duration waited{}; waited < closed; waited += 50ms) {
            s.run(50ms);
            s.arrive({.seq = 1, .ack = at(sent()), .window = 0});
        }
        s.out.clear();
        const std::uint32_t before = s.cwnd();
        s.ack(sent());
        ASSERT_EQ(s.sent().size(), before / kMss);
        s.pass(kRtt);
        s.ack(sent());
        EXPECT_LT(s.cwnd(), before + kMss);
        const Growth growth = s.q().growth();
        EXPECT_EQ(growth.epoch_start, static_cast<std::uint32_t>(s.now.time_since_epoch() / 1us));
    }
}

TEST(TcpCubic, GrowsWhileTheWindowHoldsTheApplicationBack) {
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 4}});
    s.out.clear();
    s.pass(kRtt);
    s.ack(10);
    const std::uint32_t before = s.cwnd();
    s.send(400);
    std::uint32_t una = 10;
    for (int i = 0; i < 20; ++i) {
        una += static_cast<std::uint32_t>(s.out.size());
        s.out.clear();
        s.pass(kRtt);
        s.ack(una);
    }
    EXPECT_GT(s.cwnd(), before + 5 * kMss);
}

}  // namespace
}  // namespace millrace::tcp::test
