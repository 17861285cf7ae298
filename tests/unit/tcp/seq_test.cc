// Sequence space (RFC 9293 section 3.4), RTO arithmetic (RFC 6298), congestion window (RFC 5681), ISNs (RFC
// 6528).

#include "netstack/tcp/seq.h"

#include <gtest/gtest.h>

#include <set>

#include "netstack/tcp/isn.h"
#include "netstack/tcp/newreno.h"
#include "netstack/tcp/rto.h"

namespace millrace::tcp {
namespace {

TEST(TcpSeq, ComparesAcrossTheWrap) {
    constexpr Seq before{0xfffffff0};
    constexpr Seq after{0x10};
    EXPECT_LT(before, after);
    EXPECT_GT(after, before);
    EXPECT_LE(before, before);
    EXPECT_EQ(after - before, 0x20u);
    EXPECT_EQ(before + 0x20, after);
    EXPECT_EQ(max(before, after), after);
    EXPECT_EQ(min(before, after), before);
    EXPECT_LT(Seq{0}, Seq{0x7fffffff});
    EXPECT_GT(Seq{0}, Seq{0x80000001});
}

TEST(TcpRto, FollowsRfc6298) {
    RttEstimate rtt;
    EXPECT_EQ(rtt.rto(0, 0), 1'000'000u);  // (2.1)
    EXPECT_EQ(rtt.rto(0, 3), 8'000'000u);  // (5.5)
    rtt.sample(100'000);                   // (2.2): SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR
    EXPECT_EQ(rtt.rto(0, 0), 300'000u);
    rtt.sample(180'000);  // (2.3): RTTVAR = 3/4 * 50 + 1/4 * 80 ms, SRTT = 7/8 * 100 + 1/8 * 180 ms
    EXPECT_EQ(rtt.srtt8 / 8, 110'000u);
    EXPECT_EQ(rtt.rttvar4, 230'000u);
    EXPECT_EQ(rtt.rto(0, 0), 340'000u);
    EXPECT_EQ(rtt.rto(200'000, 1), 680'000u);
    EXPECT_EQ(rtt.rto(0, 16), kMaxRto);  // (2.5)
}

TEST(TcpRto, SteadyPathSettlesAtTheMinimumAboveTheRoundTrip) {
    RttEstimate rtt;
    for (int i = 0; i < 200; ++i)
        rtt.sample(50'000);
    EXPECT_EQ(rtt.srtt8 / 8, 50'000u);
    EXPECT_EQ(rtt.rto(200'000, 0), 250'000u);
}

TEST(TcpCongestion, InitialWindowOfRfc6928) {
    EXPECT_EQ(initial_window(1460), 14600u);
    EXPECT_EQ(initial_window(536), 5360u);
    EXPECT_EQ(initial_window(8960), 17920u);
}

TEST(TcpCongestion, SlowStartThenOneSegmentARoundTrip) {  // RFC 5681 section 3.1
    Congestion c;
    Growth g;
    const auto acked = [&](std::uint32_t bytes) {
        NewReno::acked(c, g, {.bytes = bytes, .mss = 1000, .now = 0, .srtt = 0});
    };
    start_window(c, 1000);
    EXPECT_EQ(c.cwnd, 10000u);
    for (int i = 0; i < 10; ++i)
        acked(1000);
    EXPECT_EQ(c.cwnd, 20000u);  // doubled in a round trip
    acked(9000);
    EXPECT_EQ(c.cwnd, 22000u);  // RFC 3465: at most two segments an ACK
    NewReno::lost(c, g, 20000, 1000);
    EXPECT_EQ(c.ssthresh, 10000u);
    c.cwnd = c.ssthresh;
    for (int i = 0; i < 9; ++i)
        acked(1000);
    EXPECT_EQ(c.cwnd, 10000u);
    acked(1000);
    EXPECT_EQ(c.cwnd, 11000u);
    NewReno::timed_out(c, g, 3000, 1000);
    EXPECT_EQ(c.ssthresh, 2000u);  // never below two segments
}

TEST(TcpIsn, SipHashKnownAnswer) {  // of 00..0f under the key 00..0f, from the reference implementation
    const Secret key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    EXPECT_EQ(siphash(key, 0x0706050403020100, 0x0f0e0d0c0b0a0908), 0x3f2acc7f57c29bdbu);
}

TEST(TcpIsn, DependsOnFlowSecretAndTime) {  // RFC 6528 section 3
    const net::SocketAddress local{net::Ipv4{1}, 80};
    const net::SocketAddress remote{net::Ipv4{2}, 1234};
    const Time now{1h};
    const Seq isn = initial_sequence({1, 2}, local, remote, now);
    EXPECT_EQ(isn, initial_sequence({1, 2}, local, remote, now));
    EXPECT_EQ(isn + 250,
              initial_sequence({1, 2}, local, remote, now + 1ms));  // a tick each four microseconds
    EXPECT_NE(isn, initial_sequence({1, 3}, local, remote, now));
    std::set<std::uint32_t> seen;
    for (std::uint16_t port = 1; port <= 1000; ++port)
        seen.insert(initial_sequence({1, 2}, local, {net::Ipv4{2}, port}, now).value);
    EXPECT_GT(seen.size(), 995u);
}

}  // namespace
}  // namespace millrace::tcp
