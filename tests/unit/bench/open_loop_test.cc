// The open loop against arithmetic: a server with one queue, in virtual time, whose waiting times are known.

#include "bench/timing/open_loop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <queue>
#include <random>

#include "bench/timing/latencies.h"

namespace millrace::bench {
namespace {

constexpr Time kBegin{1s};
constexpr std::size_t kMost = 1 << 16;

// A server that takes one message after the other, each for as long as `service` says, and is away once. The
// generator looks at its timetable every `poll`.
struct Simulation {
    double rate = 1000;
    Arrivals arrivals = Arrivals::kConstant;
    Duration duration = 10s;
    std::function<Duration()> service = [] { return Duration(1000); };
    Time away_from{}, away_until{};
    Duration poll = 100ns;

    Latencies run() {
        OpenLoop loop({.begin = kBegin, .per_second = rate, .arrivals = arrivals, .seed = 3}, kMost);
        Recorder recorder;
        recorder.begin(kBegin, duration);
        Time idle_from = kBegin;  // the server
        std::queue<Time> answers;
        std::uint32_t connection = 0;
        // From event to event: polls in between change nothing.
        Schedule timetable({.begin = kBegin, .per_second = rate, .arrivals = arrivals, .seed = 3});
        Schedule::Turn turn;
        while (timetable.next(kBegin + duration - 1ns, turn)) {
            const auto polls = (turn.intended - kBegin + poll - 1ns) / poll;
            const Time now = kBegin + polls * poll;
            for (; !answers.empty() && answers.front() <= now; answers.pop())
                take_answer(loop, recorder, answers.front());
            while (loop.next(now, connection)) {
                recorder.sent(loop.sent(connection, now), now);
                Time start = std::max(idle_from, now);
                if (start >= away_from && start < away_until) start = away_until;
                idle_from = start + service();
                answers.push(idle_from);
            }
        }
        for (; !answers.empty(); answers.pop())
            take_answer(loop, recorder, answers.front());
        EXPECT_EQ(loop.unsent(kBegin + duration), 0u);
        return recorder.latencies();
    }

    static void take_answer(OpenLoop& loop, Recorder& recorder, Time at) {
        const OpenLoop::Message message = loop.answered(0);
        recorder.answered(message.intended, message.sent, at);
    }
};

double ns_of(std::uint64_t value) {
    return static_cast<double>(value);
}

// 1,000 a second for ten seconds to a server that is away for 100 ms: the hundred that were due meanwhile
// wait 100 ms, 99 ms, ... 1 ms, one in a hundred of all. A closed loop would have one slow answer in ten
// thousand.
TEST(OpenLoop, AStallIsChargedToAllThatWaitedForIt) {
    const Latencies all = Simulation{.away_from = kBegin + 5s, .away_until = kBegin + 5100ms}.run();
    const Histogram rtt = all.rtt();
    ASSERT_EQ(rtt.count(), 10'000u);
    EXPECT_LT(rtt.percentile(98.99), 3000u);
    EXPECT_NEAR(ns_of(rtt.percentile(99.10)), 10e6, 1.1e6);
    EXPECT_NEAR(ns_of(rtt.percentile(99.50)), 50e6, 1.1e6);
    EXPECT_NEAR(ns_of(rtt.percentile(99.90)), 90e6, 1.1e6);
    EXPECT_NEAR(ns_of(rtt.max()), 100e6, 0.1e6);
    // The messages did leave in time: what they waited for was the server.
    EXPECT_LE(all.send_lag.max(), 100u);
    EXPECT_NEAR(ns_of(all.service.percentile(99.5)), 50e6, 1.1e6);
}

// The generator itself is away: sent late and answered at once. The corrected figures say what a client saw
// who was there in time, those of the service what the server did.
TEST(OpenLoop, TheGeneratorsOwnStallIsSeenInTheLagAndNotInTheService) {
    OpenLoop loop({.begin = kBegin, .per_second = 1000}, kMost);
    Recorder recorder;
    recorder.begin(kBegin, 1s);
    std::uint32_t connection = 0;
    for (Time now = kBegin; now < kBegin + 1s; now += 1ms) {
        if (now > kBegin + 500ms && now < kBegin + 600ms) continue;
        while (loop.next(now, connection)) {
            recorder.sent(loop.sent(connection, now), now);
            Simulation::take_answer(loop, recorder, now + 10us);
        }
    }
    const Latencies& all = recorder.latencies();
    EXPECT_EQ(all.rtt().count(), 1000u);
    EXPECT_EQ(all.service.min(), 10'000u);
    EXPECT_EQ(all.service.max(), 10'000u);
    EXPECT_EQ(all.send_lag.max(), 99'000'000u);
    EXPECT_EQ(all.rtt().max(), 99'010'000u);
    EXPECT_NEAR(ns_of(all.rtt().percentile(95)), 50e6, 1.5e6);
}

// M/M/1: the time in the system is exponential with mean 1 / (mu - lambda).
TEST(OpenLoop, ExponentialServiceOfAPoissonProcessIsAnsweredExponentially) {
    std::mt19937_64 random(5);
    std::exponential_distribution<double> times(1.0 / 10'000);  // 10 us
    const Histogram rtt =
        Simulation{.rate = 50'000,
                   .arrivals = Arrivals::kPoisson,
                   .duration = 40s,
                   .service = [&] { return Duration(static_cast<std::int64_t>(times(random))); }}
            .run()
            .rtt();
    EXPECT_NEAR(rtt.mean(), 20'000, 400);
    for (const double p : {50.0, 90.0, 99.0, 99.9})
        EXPECT_NEAR(ns_of(rtt.percentile(p)) / (-std::log(1 - p / 100) * 20'000), 1, p > 99 ? 0.08 : 0.04)
            << p;
}

// M/D/1 (Pollaczek and Khinchine): at half its capacity a server that takes 10 us lets wait 5 us on average.
TEST(OpenLoop, ConstantServiceOfAPoissonProcessWaitsAsPollaczekAndKhinchineSay) {
    const Histogram rtt = Simulation{.rate = 50'000,
                                     .arrivals = Arrivals::kPoisson,
                                     .duration = 40s,
                                     .service = [] { return Duration(10'000); }}
                              .run()
                              .rtt();
    EXPECT_NEAR(rtt.mean(), 15'000, 250);
    EXPECT_GE(rtt.min(), 10'000u);
}

// Below its capacity nobody waits for a server that takes constant times, at constant intervals.
TEST(OpenLoop, ConstantServiceAtConstantIntervalsIsAnsweredConstantly) {
    const Histogram rtt =
        Simulation{.rate = 50'000, .duration = 1s, .service = [] { return Duration(10'000); }}.run().rtt();
    EXPECT_EQ(rtt.count(), 50'000u);
    EXPECT_EQ(rtt.min(), 10'000u);
    EXPECT_EQ(rtt.max(), 10'000u);
}

TEST(OpenLoop, WhatHasNoRoomStaysDueAtItsOwnTime) {
    OpenLoop loop({.begin = kBegin, .per_second = 1000, .connections = 2}, kMost);
    std::uint32_t connection = 9;
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(loop.next(kBegin + 3ms, connection));
    EXPECT_FALSE(loop.next(kBegin + 3ms, connection));
    ASSERT_TRUE(loop.has_unsent(1));
    EXPECT_EQ(loop.sent(1, kBegin + 5ms), kBegin + 1ms);
    EXPECT_EQ(loop.sent(1, kBegin + 6ms), kBegin + 3ms);
    EXPECT_FALSE(loop.has_unsent(1));
    EXPECT_TRUE(loop.has_unsent(0));
    const OpenLoop::Message first = loop.answered(1);
    EXPECT_EQ(first.intended, kBegin + 1ms);
    EXPECT_EQ(first.sent, kBegin + 5ms);
    EXPECT_EQ(loop.unsent(kBegin + 4ms), 2u);
}

TEST(OpenLoop, BeyondItsBoundTheTimetableWaitsAndForgetsNothing) {
    OpenLoop loop({.begin = kBegin, .per_second = 1000}, 2);
    std::uint32_t connection = 0;
    ASSERT_TRUE(loop.next(kBegin + 9ms, connection));
    ASSERT_TRUE(loop.next(kBegin + 9ms, connection));
    EXPECT_FALSE(loop.next(kBegin + 9ms, connection));
    loop.sent(0, kBegin + 9ms);
    loop.answered(0);
    ASSERT_TRUE(loop.next(kBegin + 10ms, connection));
    EXPECT_EQ(loop.sent(0, kBegin + 10ms), kBegin + 1ms);
    EXPECT_EQ(loop.sent(0, kBegin + 10ms), kBegin + 2ms);
    EXPECT_EQ(loop.unsent(kBegin + 10ms), 7u);
}

TEST(OpenLoop, AConnectionThatIsGoneKeepsItsTurnsAndGivesBackItsMessages) {
    OpenLoop loop({.begin = kBegin, .per_second = 1000, .connections = 2}, 2);
    std::uint32_t connection = 9;
    ASSERT_TRUE(loop.next(kBegin + 1ms, connection));
    ASSERT_TRUE(loop.next(kBegin + 1ms, connection));
    loop.sent(0, kBegin + 1ms);
    loop.gone(0);
    EXPECT_FALSE(loop.has_unsent(0));
    // Its place is free for the other's message; its own turn is passed over.
    ASSERT_TRUE(loop.next(kBegin + 3ms, connection));
    EXPECT_EQ(connection, 1u);
    EXPECT_EQ(loop.sent(1, kBegin + 3ms), kBegin + 1ms);
    EXPECT_EQ(loop.sent(1, kBegin + 3ms), kBegin + 3ms);
    EXPECT_EQ(loop.unsent(kBegin + 4ms), 1u);
}

}  // namespace
}  // namespace millrace::bench
