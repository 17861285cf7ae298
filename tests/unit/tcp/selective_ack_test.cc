// The sender's side of SACK: the scoreboard (RFC 2018 sections 5 and 8, RFC 6675, RFC 2883) and fast recovery
// (RFC 6937).

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/tcp/sender.h"

namespace millrace::tcp::test {
namespace {

TEST(TcpScoreboard, SackedSegmentsLeaveThePipeAndNewOnesFollow) {  // RFC 6675 section 4, RFC 3042
    Sender s;
    s.send(14);
    s.out.clear();
    s.pass(kRtt);
    s.ack(0, {{1, 2}});
    EXPECT_EQ(s.q().sacked_bytes, kMss);
    EXPECT_EQ(s.sent(), (Numbers{10}));
    s.ack(0, {{1, 3}});
    EXPECT_EQ(s.sent(), (Numbers{11}));
    EXPECT_FALSE(s.c().has(kRecovery));
}

TEST(TcpScoreboard, WhatIsSackedIsNotSentAgain) {  // RFC 2018 section 5
    Sender s;
    s.fly(10);
    s.ack(0, {{8, 10}, {5, 7}, {2, 4}});
    Numbers all = s.sent();
    // Two segments that were lost, and the ACKs of them let out the others.
    for (std::uint32_t una = 1; una < 10 && all.size() < 4; ++una) {
        s.ack(una, {{8, 10}, {5, 7}, {2, 4}});
        for (const std::uint32_t n : s.sent())
            all.push_back(n);
    }
    EXPECT_EQ(all, (Numbers{0, 1, 4, 7}));
}

TEST(TcpScoreboard,
     BlocksOutsideWhatIsOutstandingAreIgnoredAndCounted) {  // RFC 2018 section 5, RFC 9293 3.10.7.4
    Sender s;
    s.fly(4);
    s.ack(1);
    const std::pair<std::uint32_t, std::uint32_t> wrong[] = {
        {at(3), at(5)},              // beyond SND.NXT
        {at(1), at(2)},              // at SND.UNA: it would have been acknowledged
        {at(0), at(2)},              // across SND.UNA
        {at(3), at(2)},              // backwards
        {at(3), at(3)},              // empty
        {at(9), at(10)},             // of the future
        {at(2) + 0x80000000, at(3)}  // half the circle away
    };
    std::uint64_t discarded = 0;
    for (const auto& block : wrong) {
        s.arrive(Script::sack(at(1), {block}));
        EXPECT_EQ(s.q().sacked_units, 0u);
        EXPECT_EQ(s.count(&Counters::sack_discards), ++discarded);
    }
    EXPECT_TRUE(s.quiet());
    s.ack(4);
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpScoreboard, APartOfASegmentDoesNotCount) {
    Sender s;
    s.fly(4);
    s.arrive(Script::sack(1, {{at(1) + 1, at(3)}}));
    EXPECT_EQ(s.q().sacked_units, 1u);
    EXPECT_EQ(s.q().sacked_bytes, kMss);
    s.arrive(Script::sack(1, {{at(1), at(3)}}));
    EXPECT_EQ(s.q().sacked_units, 2u);
}

TEST(TcpScoreboard, OldAcksStillBringBlocks) {  // ACKs may be reordered
    Sender s;
    s.fly(10);
    s.ack(2);
    s.ack(1, {{5, 6}});
    EXPECT_EQ(s.q().sacked_units, 1u);
    EXPECT_EQ(s.c().snd_una.value - s.our_isn, at(2));
}

TEST(TcpScoreboard, IsEmptyWhenTheHoleIsFilled) {
    Sender s;
    s.fly(6);
    s.ack(0, {{1, 6}});
    EXPECT_EQ(s.sent(), (Numbers{0}));
    EXPECT_TRUE(s.c().has(kSacked));
    s.pass(kRtt);
    s.ack(6);
    EXPECT_FALSE(s.c().has(kSacked | kRecovery));
    EXPECT_EQ(s.tcp->send_queues(), 0u);
    s.run(5s);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->timers_armed(), 0u);
}

TEST(TcpScoreboard, AcknowledgmentInTheMiddleOfASackedSegment) {  // the peer contradicts itself
    Sender s;
    s.fly(4);
    s.ack(0, {{1, 2}});
    s.arrive({.seq = 1, .ack = at(1) + 100});
    EXPECT_EQ(s.q().sacked_bytes, kMss - 100);
    s.arrive({.seq = 1, .ack = at(2)});
    EXPECT_EQ(s.q().sacked_bytes, 0u);
    EXPECT_EQ(s.q().sacked_units, 0u);
    s.ack(4);
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpScoreboard, ATimeoutKeepsTheBlocks) {  // RFC 6675 section 5.1
    Sender s;
    s.fly(6);
    s.ack(0, {{2, 3}});
    s.run(2s);
    EXPECT_GE(s.count(&Counters::timeouts), 1u);
    EXPECT_EQ(s.q().sacked_units, 1u);
    EXPECT_EQ(s.count(&Counters::sack_reneging), 0u);
}

TEST(TcpScoreboard, AReceiverThatRenegesIsBelievedNoMore) {  // RFC 2018 section 8
    Sender s;
    s.fly(4);
    s.ack(0, {{1, 4}});
    EXPECT_EQ(s.sent(), (Numbers{0}));
    s.pass(kRtt);
    s.ack(1);  // the hole is filled, and yet what was reported behind it is not acknowledged
    s.run(500ms);
    EXPECT_EQ(s.count(&Counters::sack_reneging), 1u);
    Numbers all = s.sent();
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.front(), 1u);
    EXPECT_EQ(s.q().sacked_units, 0u);
    s.ack(2);
    EXPECT_EQ(s.sent(), (Numbers{2, 3}));
    s.ack(4);
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpScoreboard, LongRunsAndScatteredBlocksCountRight) {
    // Against a plain array, with blocks in any order and any size.
    std::mt19937_64 random(5);
    for (int round = 0; round < 100; ++round) {
        Pools pools(255, 15);
        SendQueue q;
        q.end = Seq{random() % 2 ? 0xffffff00 : 77};
        const Seq start = q.end;
        constexpr std::uint32_t kUnits = 60;
        std::vector<std::uint32_t> begins;
        for (std::uint32_t i = 0; i < kUnits; ++i) {
            begins.push_back(q.end - start);
            q.push(rte_pktmbuf_alloc(pools.data()), static_cast<std::uint16_t>(1 + random() % 50));
        }
        begins.push_back(q.end - start);
        const Seq nxt = q.end;
        q.unsent = nullptr;
        std::vector<char> sacked(kUnits), lost(kUnits);
        std::uint32_t una = 0;
        for (int step = 0; step < 80; ++step) {
            Arrival arrival{.now = static_cast<std::uint32_t>(step)};
            std::uint32_t expected = 0;
            if (random() % 3 != 0) {
                const std::uint32_t from = random() % begins.back();
                const std::uint32_t to = from + 1 + random() % 300;
                q.sack({start + from, start + std::min(to, begins.back())}, arrival);
                for (std::uint32_t i = una; i < kUnits; ++i) {
                    if (begins[i] < from || begins[i + 1] > to || sacked[i]) continue;
                    sacked[i] = true;
                    lost[i] = false;
                    expected += begins[i + 1] - begins[i];
                }
            } else if (random() % 2) {
                const std::uint32_t to = std::min<std::uint32_t>(una + random() % 4, kUnits);
                for (; una < to; ++una)
                    if (!sacked[una]) expected += begins[una + 1] - begins[una];
                q.acknowledge(start + begins[una], nxt, arrival);
            } else {
                q.mark_all_lost(nxt);
                for (std::uint32_t i = una; i < kUnits; ++i)
                    lost[i] = !sacked[i];
            }
            ASSERT_EQ(arrival.bytes, expected);
            std::uint32_t sacked_bytes = 0, lost_bytes = 0, units = 0, first_lost = kUnits;
            for (std::uint32_t i = una; i < kUnits; ++i) {
                if (sacked[i]) sacked_bytes += begins[i + 1] - begins[i], ++units;
                if (lost[i]) {
                    lost_bytes += begins[i + 1] - begins[i];
                    first_lost = std::min(first_lost, i);
                }
            }
            ASSERT_EQ(q.sacked_bytes, sacked_bytes);
            ASSERT_EQ(q.sacked_units, units);
            ASSERT_EQ(q.lost_bytes, lost_bytes);
            if (lost_bytes > 0) {
                ASSERT_EQ(meta(q.first_lost()).seq - start, begins[first_lost]);
                if (random() % 2) {
                    q.clear_lost(q.first_lost(), nxt);
                    lost[first_lost] = false;
                }
            }
        }
        q.free_all();
    }
}

// --- fast recovery ---

TEST(TcpSackRecovery, EveryHoleIsFilledWithinOneRoundTrip) {  // unlike NewReno's one hole a round trip
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 2}});
    s.ack(0, {{3, 4}, {1, 2}});
    s.ack(0, {{5, 6}, {3, 4}, {1, 2}});
    s.ack(0, {{7, 10}, {5, 6}, {3, 4}, {1, 2}});
    s.run(40ms);  // the reordering window, at most
    Numbers all = s.sent();
    s.pass(kRtt - 40ms);
    s.ack(2, {{7, 10}, {5, 6}, {3, 4}});
    for (const std::uint32_t n : s.sent())
        all.push_back(n);
    EXPECT_EQ(all, (Numbers{0, 2, 4, 6}));
    EXPECT_EQ(s.count(&Counters::sack_recoveries), 1u);
    EXPECT_EQ(s.count(&Counters::fast_retransmits), 4u);
    EXPECT_EQ(s.count(&Counters::timeouts), 0u);
}

TEST(TcpSackRecovery, EndsWhenAllThatWasOutstandingIsAcknowledged) {  // RFC 6675 section 5: RecoveryPoint
    Sender s;
    s.send(20);
    s.out.clear();
    s.pass(kRtt);
    s.ack(0, {{1, 4}});
    EXPECT_TRUE(s.c().has(kRecovery));
    const std::uint32_t high = s.c().snd_nxt.value - s.our_isn;
    s.pass(kRtt);
    s.arrive({.seq = 1, .ack = high - kMss});
    EXPECT_TRUE(s.c().has(kRecovery));
    s.arrive({.seq = 1, .ack = high});
    EXPECT_FALSE(s.c().has(kRecovery));
    EXPECT_NEAR(s.cwnd(), s.ssthresh(), kMss);
}

TEST(TcpSackRecovery, ReducesTheWindowOnceHoweverManyAreLost) {
    Sender s;
    s.fly(10);
    s.ack(0, {{7, 10}});
    const std::uint32_t ssthresh = s.ssthresh();
    EXPECT_LT(ssthresh, 10 * kMss);
    EXPECT_GE(ssthresh, 5 * kMss);
    s.pass(kRtt);
    s.ack(2, {{7, 10}});
    s.ack(3, {{7, 10}});
    EXPECT_EQ(s.ssthresh(), ssthresh);
    EXPECT_EQ(s.count(&Counters::sack_recoveries), 1u);
}

TEST(TcpSackRecovery, FirstRetransmissionIsNotHeldBack) {  // RFC 6937 section 3.1, "fast retransmit"
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 4}});
    EXPECT_EQ(s.sent(), (Numbers{0}));
}

TEST(TcpSackRecovery, NewDataFollowWhenAllHolesAreFilled) {  // RFC 6675 section 4, NextSeg() (2)
    Sender s;
    s.send(30);
    EXPECT_EQ(s.sent().size(), 10u);
    s.pass(kRtt);
    s.ack(0, {{1, 4}});
    EXPECT_EQ(s.sent().front(), 0u);
    Numbers all;
    for (std::uint32_t high = 5; high <= 10; ++high) {
        s.ack(0, {{1, high}});
        for (const std::uint32_t n : s.sent())
            all.push_back(n);
    }
    ASSERT_GE(all.size(), 3u);
    EXPECT_EQ(all[0], 10u);
    EXPECT_EQ(all[1], 11u);
}

TEST(TcpSackRecovery, DuplicateAcksWithoutBlocksMeanNothing) {  // RFC 8985 section 6.2: only deliveries count
    Sender s;
    s.fly(10);
    for (int i = 0; i < 8; ++i)
        s.ack(0);
    EXPECT_TRUE(s.quiet());
    EXPECT_FALSE(s.c().has(kRecovery));
}

TEST(TcpSackRecovery, SegmentsWithTextBringBlocksToo) {
    Sender s;
    s.fly(10);
    Seg both = Script::sack(1, {{at(1), at(4)}});
    both.data = "text";
    s.arrive(both);
    EXPECT_EQ(s.received(), "text");
    EXPECT_EQ(s.next().seq, 1u);
    EXPECT_TRUE(s.c().has(kRecovery));
}

TEST(TcpSackRecovery, OrdinarySegmentsStayOnTheFastPath) {
    Sender s;
    s.fly(10);
    const std::uint64_t before = s.count(&Counters::fast_path);
    for (std::uint32_t i = 1; i <= 5; ++i)
        s.ack(i);
    EXPECT_EQ(s.count(&Counters::fast_path), before + 5);
    s.ack(5, {{6, 7}});
    EXPECT_EQ(s.count(&Counters::fast_path), before + 5);
}

TEST(TcpSackRecovery, ALostFinIsRepairedWithItsSegment) {
    Sender s;
    s.append(s.id, std::string(4 * kMss, 'd'));
    s.tcp->close(s.id);
    s.flush();
    s.out.clear();
    s.pass(kRtt);
    s.ack(3);  // the last, with the FIN, is lost
    s.run(400ms);
    const Seg again = s.next();
    EXPECT_EQ(again.seq, at(3));
    EXPECT_TRUE(again.flags & kFin);
    s.arrive({.seq = 1, .ack = at(4) + 1});
    EXPECT_EQ(s.c().state, State::kFinWait2);
}

TEST(TcpSackRecovery, AFinMayBeSacked) {
    Sender s;
    s.append(s.id, std::string(4 * kMss, 'd'));
    s.tcp->close(s.id);
    s.flush();
    s.out.clear();
    s.pass(kRtt);
    s.arrive(Script::sack(1, {{at(1), at(4) + 1}}));
    EXPECT_EQ(s.q().sacked_units, 3u);
    EXPECT_EQ(s.count(&Counters::sack_discards), 0u);
    EXPECT_EQ(s.sent(), (Numbers{0}));
    s.pass(kRtt);
    s.arrive({.seq = 1, .ack = at(4) + 1});
    EXPECT_EQ(s.c().state, State::kFinWait2);
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpSackRecovery, SurvivesAPoolThatIsDry) {
    Sender s;
    s.port_is_slow = true;  // retransmissions need header mbufs
    s.fly(10);
    std::vector<rte_mbuf*> taken;
    while (rte_mbuf* m = rte_pktmbuf_alloc(s.pools.header()))
        taken.push_back(m);
    s.ack(0, {{1, 10}});
    EXPECT_TRUE(s.quiet());
    EXPECT_GT(s.q().lost_bytes, 0u);
    for (rte_mbuf* m : taken)
        rte_pktmbuf_free(m);
    s.run(1s);
    EXPECT_EQ(s.next().seq, 1u);
    s.ack(10);
    s.release_held();
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

// --- proportional rate reduction: the sums of RFC 6937 section 3.1 ---

TEST(TcpPrr, LetsOutAShareOfWhatIsDelivered) {
    Prr prr{.recover_fs = 20 * kMss};
    std::uint32_t pipe = 19 * kMss, sent = 0;
    // ssthresh is half of the flight: one segment leaves for each two delivered.
    for (int i = 0; i < 8; ++i) {
        const std::uint32_t count = prr.allowance(kMss, pipe, 10 * kMss, kMss, false);
        pipe -= kMss;
        const std::uint32_t segments = count / kMss;
        prr.out += segments * kMss;
        pipe += segments * kMss;
        sent += segments;
    }
    EXPECT_EQ(sent, 4u);
}

TEST(TcpPrr, FallsBackToPacketConservationBelowSsthresh) {  // PRR-CRB
    Prr prr{.recover_fs = 20 * kMss, .delivered = 10 * kMss, .out = 10 * kMss};
    EXPECT_EQ(prr.allowance(2 * kMss, 4 * kMss, 10 * kMss, kMss, false), 2 * kMss);
}

TEST(TcpPrr, SlowStartsBelowSsthreshWhenThatIsSafe) {  // PRR-SSRB
    Prr prr{.recover_fs = 20 * kMss, .delivered = 10 * kMss, .out = 10 * kMss};
    EXPECT_EQ(prr.allowance(2 * kMss, 4 * kMss, 10 * kMss, kMss, true), 3 * kMss);
}

TEST(TcpPrr, NeverExceedsSsthresh) {
    Prr prr{.recover_fs = 20 * kMss, .delivered = 18 * kMss, .out = 2 * kMss};
    EXPECT_EQ(prr.allowance(5 * kMss, 9 * kMss, 10 * kMss, kMss, true), kMss);
}

TEST(TcpPrr, SendsNothingWhileTheShareIsSpent) {
    Prr prr{.recover_fs = 20 * kMss, .delivered = kMss, .out = 5 * kMss};
    EXPECT_EQ(prr.allowance(kMss, 15 * kMss, 10 * kMss, kMss, false), 0u);
}

// --- D-SACK as the sender hears it (RFC 2883 section 4, RFC 3522, RFC 4015) ---

TEST(TcpDsackReceived, BelowTheAcknowledgment) {
    Sender s;
    s.fly(4);
    s.arrive(Script::sack(at(2), {{at(0), at(1)}}));
    EXPECT_EQ(s.count(&Counters::dsacks_received), 1u);
    EXPECT_EQ(s.count(&Counters::sack_discards), 0u);
    EXPECT_EQ(s.q().sacked_units, 0u);
}

TEST(TcpDsackReceived, WithinTheSecondBlock) {
    Sender s;
    s.fly(6);
    s.arrive(Script::sack(at(1), {{at(3), at(4)}, {at(2), at(5)}}));
    EXPECT_EQ(s.count(&Counters::dsacks_out_of_order_received), 1u);
    EXPECT_EQ(s.q().sacked_units, 3u);
}

TEST(TcpDsackReceived, OnAnIdleConnectionIsOnlyCounted) {
    Sender s;
    s.fly(2);
    s.ack(2);
    s.arrive(Script::sack(at(2), {{at(0), at(1)}}));
    EXPECT_EQ(s.count(&Counters::dsacks_received), 1u);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpUndo, WhenAllRetransmissionsProveToBeDuplicates) {  // RFC 4015 section 3, by D-SACK
    Sender s;
    s.send(20);
    s.out.clear();
    s.pass(kRtt);
    const std::uint32_t before = s.cwnd();
    s.ack(0, {{1, 4}});
    s.out.clear();
    EXPECT_TRUE(s.c().has(kRecovery));
    s.ack(4);  // the original of 0 was late
    s.ack(5);
    s.arrive(Script::sack(at(5), {{at(0), at(1)}}));
    EXPECT_EQ(s.count(&Counters::full_undos), 1u);
    EXPECT_FALSE(s.c().has(kRecovery));
    EXPECT_GE(s.cwnd(), before);
    EXPECT_GT(s.ssthresh(), before);
}

TEST(TcpUndo, NotWhileOneRetransmissionIsInDoubt) {
    Sender s;
    s.send(20);
    s.out.clear();
    s.pass(kRtt);
    s.ack(0, {{2, 6}});
    s.run(40ms);
    EXPECT_GE(s.q().undo().unproved, 1u);
    s.ack(1, {{2, 7}});
    s.out.clear();
    ASSERT_EQ(s.q().undo().unproved, 2u);
    s.arrive(Script::sack(at(7), {{at(0), at(1)}}));
    EXPECT_EQ(s.count(&Counters::full_undos), 0u);
    s.arrive(Script::sack(at(7), {{at(1), at(2)}}));
    EXPECT_EQ(s.count(&Counters::full_undos), 1u);
}

// The data came, all their ACKs were lost, and the fourth copy is answered with the timestamp of the first
// (RFC 7323 section 5.3, R2: a segment that is not acceptable sets none). Seconds of back-off are no round
// trip.
TEST(TcpRoundTrip, NoneIsTakenFromTheAckOfADuplicate) {  // RFC 6298 section 3
    Sender s({.timestamps = true, .sack = true});
    const RttEstimate before = s.c().rtt;
    s.send(1);
    const std::uint32_t first = s.out.front().options.ts_value;
    s.run(20s);
    EXPECT_GE(s.out.size(), 4u);
    s.out.clear();
    Seg ack{.seq = 1, .ack = at(1)};
    ack.options.has_timestamps = true;
    ack.options.ts_value = s.peer_clock;
    ack.options.ts_echo = first;
    ack.options.sack[ack.options.sack_count++] = {Seq{at(0)}, Seq{at(1)}};
    s.arrive(ack);
    EXPECT_EQ(s.tcp->unsent(s.id), 0u);
    EXPECT_EQ(s.c().rtt.srtt8, before.srtt8);
    s.say(s.id, "x");  // the next that is measured ends the back-off
    s.pass(kRtt);
    s.arrive({.seq = 1, .ack = at(1) + 1});
    EXPECT_EQ(s.c().backoff, 0);
    EXPECT_LT(s.c().rtt.srtt8 / 8, 110'000u);
}

// RFC 3708 section 2: a duplicate of what was never sent again is the network's, and proves nothing.
TEST(TcpUndo, NotForADuplicateOfWhatWasNeverSentAgain) {
    Sender s;
    s.send(30);
    s.out.clear();
    s.pass(kRtt);
    const std::uint32_t before = s.cwnd();
    s.ack(0, {{1, 4}});
    ASSERT_EQ(s.q().undo().unproved, 1u);
    s.ack(10);
    ASSERT_FALSE(s.c().has(kRecovery));
    ASSERT_GE(s.c().snd_nxt, Seq{at(16)});
    s.arrive(Script::sack(at(16), {{at(15), at(16)}}));
    EXPECT_EQ(s.count(&Counters::dsacks_received), 1u);
    EXPECT_EQ(s.count(&Counters::full_undos), 0u);
    EXPECT_LT(s.ssthresh(), before);
}

TEST(TcpUndo, WhenAnOldTimestampIsEchoed) {  // RFC 3522 section 3.2, Eifel
    Sender s({.timestamps = true, .sack = true});
    s.send(20);
    const std::uint32_t old_echo = s.out.back().options.ts_value;
    s.out.clear();
    s.pass(kRtt);
    const std::uint32_t before = s.cwnd();
    s.ack(0, {{1, 4}});
    EXPECT_TRUE(s.c().has(kRecovery));
    s.out.clear();
    s.pass(2ms);
    Seg late{.seq = 1, .ack = at(4)};
    late.options.has_timestamps = true;
    late.options.ts_value = s.peer_clock;
    late.options.ts_echo = old_echo;
    s.arrive(late);
    EXPECT_EQ(s.count(&Counters::full_undos), 1u);
    EXPECT_FALSE(s.c().has(kRecovery));
    EXPECT_GE(s.cwnd(), before);
}

TEST(TcpUndo, NotWhenTheRetransmissionIsEchoed) {
    Sender s({.timestamps = true, .sack = true});
    s.send(20);
    s.out.clear();
    s.pass(kRtt);
    s.ack(0, {{1, 4}});
    s.out.clear();
    s.pass(kRtt);
    s.ack(4);  // the script echoes the newest timestamp
    EXPECT_EQ(s.count(&Counters::full_undos), 0u);
}

TEST(TcpUndo, OfATimeoutThatCameTooSoon) {  // RFC 4015 section 3.2
    for (const bool sack : {true, false}) {
        Sender s({.timestamps = true, .sack = sack});
        s.send(8);
        const std::uint32_t old_echo = s.out.back().options.ts_value;
        s.out.clear();
        const std::uint32_t before = s.cwnd();
        while (s.count(&Counters::timeouts) == 0) {
            s.run(10ms);
            s.peer_clock += 10;
        }
        s.out.clear();
        EXPECT_EQ(s.cwnd(), kMss);
        s.pass(30ms);
        Seg late{.seq = 1, .ack = at(2)};
        late.options.has_timestamps = true;
        late.options.ts_value = s.peer_clock;
        late.options.ts_echo = old_echo;
        s.arrive(late);
        EXPECT_EQ(s.count(&Counters::spurious_rtos), 1u);
        EXPECT_FALSE(s.c().has(kTimeoutRecovery));
        EXPECT_GE(s.cwnd(), before);
        EXPECT_TRUE(s.quiet()) << "nothing was lost, so nothing more is sent again";
        s.ack(8);
        EXPECT_EQ(s.tcp->send_queues(), 0u);
    }
}

}  // namespace
}  // namespace millrace::tcp::test
