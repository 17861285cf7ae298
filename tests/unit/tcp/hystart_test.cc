// HyStart++ (RFC 9406): the sums, and connections that use them.

#include "netstack/tcp/hystart.h"

#include "netstack/tcp/cubic.h"
#include "netstack/tcp/newreno.h"
#include "tests/unit/tcp/sender.h"

namespace millrace::tcp::test {
namespace {

constexpr std::uint32_t kBase = 40'000;      // microseconds
constexpr std::uint32_t kThreshold = 5'000;  // an eighth of it

// A window on its own, in its first slow start.
template <class Algorithm = Cubic>
struct SlowStart {
    SlowStart() { start_window(c, kMss); }

    // A window's worth is acknowledged, a segment at a time, each after `rtt`.
    void round_trip(std::uint32_t rtt) {
        for (std::uint32_t n = segments(); n > 0; --n)
            ack(rtt);
    }
    // Until a round ends.
    void round(std::uint32_t rtt) {
        if (!g.slow_start.in_round) ack(rtt);
        for (const Seq end = g.slow_start.window_end; g.slow_start.window_end == end;)
            ack(rtt);
    }
    void ack(std::uint32_t rtt) {
        const Seq snd_nxt = una + c.cwnd;
        una += kMss;
        Algorithm::acked(c, g,
                         {.bytes = kMss,
                          .mss = kMss,
                          .now = 0,
                          .srtt = rtt,
                          .rtt = rtt,
                          .snd_una = una,
                          .snd_nxt = snd_nxt});
    }
    bool slowed() const { return g.slow_start.conservative; }
    std::uint32_t segments() const { return c.cwnd / kMss; }
    bool over() const { return c.cwnd >= c.ssthresh; }

    Congestion c;
    Growth g;
    Seq una{0xffff0000};  // wraps on the way
};

// In conservative slow start since the last round.
template <class Algorithm = Cubic>
SlowStart<Algorithm> conservative() {
    SlowStart<Algorithm> w;
    w.round(kBase);
    w.round(kBase + kThreshold);
    EXPECT_TRUE(w.slowed());
    return w;
}

TEST(TcpHyStart, DoublesWhileRoundTripsAreSteady) {  // section 4.2
    SlowStart w;
    for (std::uint32_t segments = 10; segments < 5000; segments *= 2) {
        EXPECT_EQ(w.segments(), segments);
        w.round_trip(kBase + segments);
    }
    EXPECT_FALSE(w.over());
}

TEST(TcpHyStart, AQueueThatBuildsUpSlowsGrowthToAQuarter) {  // section 4.2: CSS_GROWTH_DIVISOR
    SlowStart w = conservative();
    const std::uint32_t before = w.c.cwnd;
    w.ack(kBase + kThreshold);
    EXPECT_EQ(w.c.cwnd - before, kMss / 4);
}

TEST(TcpHyStart, AnEighthLongerIsAQueueALittleLessIsNone) {  // section 4.2: RttThresh
    SlowStart w;
    w.round(kBase);
    w.round(kBase + kThreshold - 1);
    EXPECT_FALSE(w.slowed());
}

TEST(TcpHyStart, TheThresholdIsFourMillisecondsAtLeast) {  // section 4.3: MIN_RTT_THRESH
    SlowStart w;
    w.round(1'000);
    w.round(4'999);
    EXPECT_FALSE(w.slowed());
    w.round(8'999);
    EXPECT_TRUE(w.slowed());
}

TEST(TcpHyStart, AndSixteenAtMost) {  // MAX_RTT_THRESH
    SlowStart w;
    w.round(1'000'000);
    w.round(1'015'999);
    EXPECT_FALSE(w.slowed());
    w.round(1'031'999);
    EXPECT_TRUE(w.slowed());
}

TEST(TcpHyStart, TheLeastOfTheRoundCounts) {  // currentRoundMinRTT: a delayed ACK is no queue
    SlowStart w;
    w.round(kBase);
    w.ack(kBase);
    w.round(kBase * 10);
    EXPECT_FALSE(w.slowed());
}

TEST(TcpHyStart, EightSamplesAreNeededToJudge) {  // N_RTT_SAMPLE
    SlowStart w;
    w.round(kBase);
    for (int i = 0; i < 7; ++i)
        w.ack(kBase * 2);
    EXPECT_FALSE(w.slowed());
    w.ack(kBase * 2);
    EXPECT_TRUE(w.slowed());
}

TEST(TcpHyStart, AnAckWithoutARoundTripIsNoSample) {
    SlowStart w;
    w.round(kBase);
    for (int i = 0; i < 9; ++i)
        w.ack(0);
    EXPECT_EQ(w.g.slow_start.samples, 0);
}

TEST(TcpHyStart, AfterFiveRoundsSlowStartIsOver) {  // CSS_ROUNDS; the one it began in counts
    SlowStart w = conservative();
    const std::uint32_t began = w.c.cwnd;
    int rounds = 1;
    while (!w.over() && rounds < 20) {
        w.round(kBase + kThreshold);
        ++rounds;
    }
    EXPECT_EQ(rounds, 5);
    EXPECT_EQ(w.c.ssthresh, w.c.cwnd);
    EXPECT_LT(w.c.cwnd, 3 * began) << "a quarter more in each round";
}

TEST(TcpHyStart, RoundTripsThatGetShorterAgainTakeItBack) {  // section 4.2: resume slow start
    SlowStart w = conservative();
    w.round(kBase + kThreshold - 1);
    EXPECT_FALSE(w.slowed());
    const std::uint32_t before = w.c.cwnd;
    w.ack(kBase);
    EXPECT_EQ(w.c.cwnd - before, kMss);
    // And it may begin again.
    w.round(kBase);
    w.round(kBase);
    w.round(kBase + kThreshold);
    EXPECT_TRUE(w.slowed());
}

TEST(TcpHyStart, NotAfterALoss) {  // section 4.3: only where ssthresh is arbitrarily high
    SlowStart w;
    w.c.ssthresh = 1000 * kMss;
    w.round_trip(kBase);
    w.round_trip(kBase * 3);
    EXPECT_EQ(w.segments(), 40u);
}

TEST(TcpHyStart, ServesNewRenoToo) {  // section 4.1
    auto w = conservative<NewReno>();
    const std::uint32_t before = w.c.cwnd;
    w.ack(kBase + kThreshold);
    EXPECT_EQ(w.c.cwnd - before, kMss / 4);
}

TEST(TcpHyStart, AConnectionMeasuresItsRoundTrips) {
    Sender s;
    std::uint32_t una = 0;
    const auto round = [&](Duration rtt) {
        const std::uint32_t segments = s.cwnd() / kMss;
        s.now += rtt - kRtt;
        for (std::uint32_t i = 0; i < segments; ++i)
            s.ack(++una);
        s.out.clear();
        s.pass(kRtt);
    };
    s.send(400);
    s.pass(kRtt);
    round(kRtt);
    EXPECT_EQ(s.cwnd(), 20 * kMss);
    round(kRtt + 15ms);
    EXPECT_LT(s.cwnd(), 40 * kMss) << "the queue went unnoticed";
}

}  // namespace
}  // namespace millrace::tcp::test
