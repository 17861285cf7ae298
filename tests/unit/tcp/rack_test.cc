// RACK (RFC 8985 section 6; steps without a section are 6.2's), and what a timeout makes of what it knows.

#include "netstack/tcp/rack.h"

#include <gtest/gtest.h>

#include "tests/unit/tcp/sender.h"

namespace millrace::tcp::test {
namespace {

TEST(TcpRack, ThreeSackedSegmentsLeaveNoDoubt) {  // step 4: while no reordering was seen
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 2}});
    s.ack(0, {{1, 3}});
    EXPECT_TRUE(s.quiet());
    s.ack(0, {{1, 4}});
    EXPECT_EQ(s.sent(), (Numbers{0}));
    EXPECT_EQ(s.count(&Counters::sack_recoveries), 1u);
}

TEST(TcpRack, OneSackedSegmentIsEnoughAfterAQuarterOfTheRoundTrip) {  // steps 4 and 5
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 2}});
    EXPECT_TRUE(s.c().has(kReorderTimer));
    s.run(kRtt / 4 - 1ms);
    EXPECT_TRUE(s.quiet());
    s.run(2ms);
    EXPECT_EQ(s.sent(), (Numbers{0}));
    EXPECT_TRUE(s.c().has(kRecovery));
}

TEST(TcpRack, ASegmentThatCameLaterDoesNotMakeLaterOnesLost) {
    Sender s;
    s.send(4);
    s.pass(50ms);
    s.send(4);
    s.out.clear();
    s.pass(50ms);
    s.ack(0, {{1, 4}});  // segments 4 to 7 were sent after these
    EXPECT_EQ(s.sent(), (Numbers{0}));
    EXPECT_EQ(s.q().lost_bytes, 0u);
}

TEST(TcpRack, FindsTheLossOfARetransmission) {  // section 3.1: what three duplicates cannot
    Sender s;
    s.send(20);
    s.out.clear();
    s.pass(kRtt);
    s.ack(0, {{1, 4}});
    EXPECT_EQ(s.sent().front(), 0u);
    s.pass(1ms);
    s.ack(0, {{1, 10}});  // lets new segments out, after the retransmission
    const Numbers fresh = s.sent();
    ASSERT_FALSE(fresh.empty());
    EXPECT_EQ(fresh.front(), 10u);
    s.pass(kRtt);
    s.ack(0, {{1, 11}});
    const Numbers again = s.sent();
    ASSERT_FALSE(again.empty());
    EXPECT_EQ(again.front(), 0u);
    EXPECT_EQ(s.count(&Counters::lost_retransmissions), 1u);
    EXPECT_EQ(s.count(&Counters::timeouts), 0u);
}

TEST(TcpRack, ALostRetransmissionReducesTheWindowOnceMore) {  // RFC 5681 section 4.3
    Sender s;
    s.send(20);
    s.pass(kRtt);
    s.ack(0, {{1, 4}});
    const std::uint32_t once = s.c().congestion.ssthresh;
    s.pass(1ms);
    s.ack(0, {{1, 10}});
    EXPECT_EQ(s.c().congestion.ssthresh, once);
    s.out.clear();
    s.pass(kRtt);
    s.ack(0, {{1, 11}});
    EXPECT_EQ(s.count(&Counters::lost_retransmissions), 1u);
    const std::uint32_t twice = s.c().congestion.ssthresh;
    EXPECT_EQ(twice, static_cast<std::uint32_t>(once * Cubic::kBeta));
    s.pass(kRtt);
    s.ack(0, {{1, 12}});  // lost a third time: of the same sign
    EXPECT_EQ(s.c().congestion.ssthresh, twice);
}

TEST(TcpRack, ReorderingIsSeenWhenAnOriginalComesLate) {  // step 3
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 2}});
    EXPECT_FALSE(s.c().has(kReordering));
    s.ack(2);
    EXPECT_TRUE(s.c().has(kReordering));
    EXPECT_EQ(s.count(&Counters::sack_reorder), 1u);
    s.run(50ms);
    EXPECT_TRUE(s.quiet());
}

TEST(TcpRack, ARetransmissionThatFillsAHoleIsNoReordering) {  // step 3
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 4}});
    s.out.clear();
    s.pass(kRtt);
    s.ack(10);
    EXPECT_FALSE(s.c().has(kReordering));
}

TEST(TcpRack, BlocksInOneAckAreNoReordering) {  // most recent first is not most recently sent
    Sender s;
    s.fly(10);
    s.ack(0, {{7, 8}, {5, 6}, {3, 4}});
    EXPECT_FALSE(s.c().has(kReordering));
}

TEST(TcpRack, OnceReorderingWasSeenTheWindowIsWaitedFor) {  // step 4
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 2}});
    s.ack(10);
    s.fly(10);
    s.ack(10, {{11, 16}});
    EXPECT_TRUE(s.quiet());
    s.run(20ms);
    EXPECT_TRUE(s.quiet());
    s.ack(16);  // in time
    s.run(50ms);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.count(&Counters::sack_recoveries), 0u);
}

TEST(TcpRack, AndALossIsFoundWhenItIsOver) {
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 2}});
    s.ack(10);
    s.fly(10);
    s.ack(10, {{11, 16}});
    s.run(30ms);
    EXPECT_EQ(s.sent(), (Numbers{10}));
}

// A machine that slept: half of 2^32 microseconds later the time of sending seems yet to come.
TEST(TcpRack, AndAfterTheClockHasJumped) {
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 2}});
    s.ack(10);
    s.fly(10);
    s.ack(10, {{11, 16}});
    s.advance(36min);
    EXPECT_EQ(s.sent(), (Numbers{10}));
}

// Times lie on a circle of 72 minutes: what was delivered before seems later than what is sent 40 minutes on.
TEST(TcpRack, WhatWasDeliveredBeforeAJumpOfTheClockDoesNotJudgeWhatIsSentAfter) {
    Sender s;
    s.fly(6);
    s.ack(0, {{1, 2}});
    s.advance(40min);
    EXPECT_FALSE(s.sent().empty());
    for (int i = 0; i < 5; ++i)
        s.advance(30ms);
    EXPECT_EQ(s.sent(), (Numbers{})) << "before the next timeout";
    EXPECT_EQ(s.count(&Counters::lost_retransmissions), 0u);
}

TEST(TcpRack, ARoundTripAcrossAJumpOfTheClockTellsNothing) {
    Sender s;
    s.fly(10);
    s.now += 40min;
    s.ack(0, {{1, 2}});
    EXPECT_EQ(s.q().rack().rtt, 0u);
}

TEST(TcpRack, AnAckThatMayBeOfTheFirstTransmissionTellsNoRoundTrip) {  // step 2
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 4}});
    s.out.clear();
    const std::uint32_t rtt = s.q().rack().rtt;
    EXPECT_NEAR(rtt, 100'000, 1000);
    s.pass(10ms);  // a tenth of a round trip after the retransmission: the original was late
    s.ack(4);
    EXPECT_EQ(s.q().rack().rtt, rtt);
}

TEST(TcpRack, TimestampsTellTheSame) {  // step 2
    Sender s({.timestamps = true, .sack = true});
    s.send(10);
    const std::uint32_t old_echo = s.out.back().options.ts_value;
    s.out.clear();
    s.pass(kRtt);
    s.ack(0, {{1, 4}});
    s.out.clear();
    const std::uint32_t xmit_ts = s.q().rack().xmit_ts;
    s.pass(kRtt + 50ms);
    Seg late = Script::sack(at(4), {{at(8), at(9)}});
    late.options.has_timestamps = true;
    late.options.ts_value = s.peer_clock;
    late.options.ts_echo = old_echo;
    s.arrive(late);
    EXPECT_LT(s.q().rack().xmit_ts - xmit_ts, 1000u);  // segment 8's, not the retransmission's
}

// An ACK that does not advance SND.UNA echoes the segment that last advanced RCV.NXT (RFC 7323 section 4.3),
// which may be from before a long silence: nothing of what it SACKs.
TEST(TcpRack, AnEchoFromLongAgoSaysNothingOfASackedRetransmission) {  // step 2; section 7.4.1
    Sender s({.timestamps = true, .sack = true});
    s.send(1);
    const std::uint32_t old_echo = s.out.back().options.ts_value;
    s.out.clear();
    s.pass(kRtt);
    s.ack(1);
    s.pass(30s);
    s.send(4);  // 1 to 4, all lost
    s.out.clear();
    s.run(2 * kRtt + 1ms);
    EXPECT_EQ(s.sent(), (Numbers{4}));
    s.pass(kRtt);
    const RttEstimate before = s.c().rtt;
    Seg answer = Script::sack(at(1), {{at(4), at(5)}});
    answer.options.has_timestamps = true;
    answer.options.ts_value = s.peer_clock;
    answer.options.ts_echo = old_echo;
    s.arrive(answer);
    EXPECT_TRUE(s.c().has(kRecovery));
    EXPECT_EQ(s.sent(), (Numbers{1}));
    EXPECT_EQ(s.q().lost_bytes, 2 * kMss);
    EXPECT_EQ(s.c().rtt.srtt8, before.srtt8) << "RFC 7323 section 4.1: no sample where SND.UNA stays";
    EXPECT_EQ(s.c().rtt.rttvar4, before.rttvar4);
    s.pass(kRtt);
    s.ack(2, {{4, 5}});
    EXPECT_EQ(s.sent(), (Numbers{2, 3}));
}

// A window that was closed for longer than a 32-bit clock of microseconds can tell apart.
TEST(TcpRack, WhatWasDeliveredBeforeALongStallJudgesNothingAfterIt) {  // section 6.2 step 2
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 10}});
    EXPECT_EQ(s.sent(), (Numbers{0}));
    s.pass(kRtt);
    s.append(s.id, std::string(8 * kMss, 'd'));
    s.arrive({.seq = 1, .ack = at(10), .window = 0});
    EXPECT_TRUE(s.quiet());
    ASSERT_NE(s.tcp->send_queue(s.id), nullptr);
    s.out.clear();
    for (int i = 0; i < 40; ++i) {
        s.run(1min);
        s.arrive({.seq = 1, .ack = at(10), .window = 0});
    }
    s.out.clear();
    s.ack(10);
    const std::size_t flight = s.sent().size();
    ASSERT_GE(flight, 4u);
    s.pass(kRtt);
    const std::uint64_t before = s.count(&Counters::retransmitted_segments);
    s.ack(11, {{12, 13}});
    s.run(30ms);  // the reordering window of 11; what follows 12 was sent no earlier
    EXPECT_EQ(s.count(&Counters::retransmitted_segments), before + 1);
    EXPECT_EQ(s.q().lost_bytes, 0u);
}

TEST(TcpRack, EachRoundWithADsackWidensTheWindow) {  // step 4: reo_wnd_mult
    Rack rack{.min_rtt = 40'000};
    EXPECT_EQ(rack.reordering_window(1'000'000), 10'000u);
    rack.duplicate_reported(Seq{100}, Seq{500});
    EXPECT_EQ(rack.reordering_window(1'000'000), 20'000u);
    rack.duplicate_reported(Seq{200}, Seq{600});  // the same round trip
    EXPECT_EQ(rack.reordering_window(1'000'000), 20'000u);
    rack.duplicate_reported(Seq{500}, Seq{900});
    EXPECT_EQ(rack.reordering_window(1'000'000), 30'000u);
    EXPECT_EQ(rack.reordering_window(25'000), 25'000u);  // never more than SRTT
}

TEST(TcpRack, SixteenRecoveriesWithoutADsackNarrowItAgain) {
    Rack rack{.min_rtt = 40'000};
    rack.duplicate_reported(Seq{100}, Seq{500});
    for (int i = 0; i < 15; ++i)
        rack.recovery_ended();
    EXPECT_EQ(rack.reo_wnd_mult, 2);
    rack.recovery_ended();
    EXPECT_EQ(rack.reo_wnd_mult, 1);
}

TEST(TcpRack, ADsackFromThePeerWidensTheWindow) {
    Sender s;
    s.send(30);
    s.out.clear();
    s.pass(kRtt);
    s.ack(0, {{1, 4}});
    EXPECT_EQ(s.sent().front(), 0u);
    s.ack(4);
    s.arrive(Script::sack(at(4), {{at(0), at(1)}}));
    EXPECT_EQ(s.q().rack().reo_wnd_mult, 2);
}

TEST(TcpRack, ATimeoutMarksTheFirstAndWhatWasSentLongAgo) {  // section 6.3
    Sender s;
    s.fly(4);
    s.ack(2);
    s.send(2);
    s.out.clear();
    // The head is late; what follows was sent a moment before the timeout.
    while (!s.c().has(kTailProbe))
        s.run(5ms);
    s.out.clear();
    while (s.count(&Counters::timeouts) == 0)
        s.run(5ms);
    const Numbers first = s.sent();
    ASSERT_FALSE(first.empty());
    EXPECT_EQ(first.front(), 2u);
    EXPECT_EQ(first.size(), 1u);  // one segment: the loss window
    EXPECT_TRUE(s.c().has(kTimeoutRecovery));
}

TEST(TcpRack, ATimeoutAfterALongSleepMarksAllThatWasSentBeforeIt) {  // section 6.3
    Sender s;
    s.fly(5);
    s.ack(1);
    s.now += 40min;  // the virtual machine slept: half the range of a 32-bit clock of microseconds, and more
    while (s.count(&Counters::timeouts) == 0)
        s.run(5ms);
    EXPECT_EQ(s.q().lost_bytes, 3u * s.c().mss);  // and the first is on its way
}

TEST(TcpRack, AfterATimeoutASegmentLargerThanTheMssLeavesInPieces) {  // RFC 1191 section 6.4
    Sender s;
    s.fly(2);
    s.ack(1);
    s.tcp->path_mtu(s.our_end, kRemote, 1000, s.our_isn + at(1), s.now);
    s.flush();
    const auto until_timeout = [&] {
        return s.c().rexmit_at - static_cast<std::uint32_t>(s.now.time_since_epoch() / 1us);
    };
    while (until_timeout() > 3000)
        s.run(1ms);
    s.say(s.id, "still in flight when the timer expires");
    s.out.clear();
    while (s.count(&Counters::timeouts) == 0)
        s.run(1ms);
    ASSERT_FALSE(s.quiet());
    EXPECT_EQ(s.next().seq, at(1));
}

TEST(TcpRack, AfterATimeoutTheWindowOpensBySlowStart) {  // RFC 5681 section 3.1
    Sender s;
    s.fly(10);
    s.ack(0, {{9, 10}});
    s.out.clear();
    const Connection& c = s.c();
    while (!c.has(kTimeoutRecovery) && s.now < Time{1h} + 20s)
        s.run(10ms);
    s.out.clear();
    s.pass(kRtt);
    s.ack(1, {{9, 10}});
    EXPECT_EQ(s.sent().size(), 2u);
    s.pass(kRtt);
    s.ack(2, {{9, 10}});
    s.ack(3, {{9, 10}});
    EXPECT_EQ(s.sent().size(), 4u);
    EXPECT_EQ(s.count(&Counters::slow_start_retransmits), 7u);
    s.ack(10);
    EXPECT_FALSE(c.has(kTimeoutRecovery));
}

TEST(TcpRack, AfterATimeoutAnAckOpensTheWindowByOneSegmentHoweverFarItJumps) {  // RFC 3465 section 2.3
    for (const bool sack : {true, false}) {
        Sender s({.sack = sack});
        s.fly(10);
        while (s.count(&Counters::timeouts) == 0)
            s.run(5ms);
        EXPECT_EQ(s.cwnd(), kMss);
        EXPECT_GT(s.ssthresh(), 6 * kMss);
        s.pass(kRtt);
        s.ack(10);  // the first alone was lost, and with it all that told of the others
        EXPECT_EQ(s.cwnd(), 2 * kMss);
    }
}

TEST(TcpRack, ATimeoutOfTheSameSegmentReducesSsthreshNoFurther) {  // RFC 5681 section 3.1, equation (4)
    for (const std::uint16_t window : {65535, 0}) {
        Sender s;
        s.fly(10);
        while (s.count(&Counters::timeouts) == 0)
            s.run(5ms);
        const std::uint32_t ssthresh = s.ssthresh();
        EXPECT_GT(ssthresh, 6 * kMss);
        for (int i = 0; i < 3; ++i) {
            s.arrive(
                {.seq = 1, .ack = 1, .window = window});  // the peer lives, and its window may have closed
            s.run(std::chrono::seconds(1 << i));
        }
        EXPECT_GE(s.count(&Counters::timeouts), 3u);
        EXPECT_EQ(s.ssthresh(), ssthresh);
    }
}

TEST(TcpRack, ATimeoutInFastRecoveryIsAnotherReduction) {  // RFC 5681 sections 3.1 and 4.3
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 10}});
    const std::uint32_t ssthresh = s.ssthresh();
    EXPECT_EQ(ssthresh, 7 * kMss);
    while (s.count(&Counters::timeouts) == 0)
        s.run(5ms);
    EXPECT_EQ(s.ssthresh(), static_cast<std::uint32_t>(ssthresh * 0.7));
}

}  // namespace
}  // namespace millrace::tcp::test
