// Loss and recovery: RFC 6298, RFC 5681, RFC 6582, RFC 3042.

#include "tests/unit/tcp/payload.h"
#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

Config newreno() {
    Config config = Script::defaults();
    config.congestion = CongestionAlgorithm::kNewReno;
    return config;
}

// `segments` full ones have been sent and wait to be acknowledged.
ConnId in_flight(Script& s, unsigned segments, const Peer& peer = {}) {
    const ConnId c = s.accept(peer);
    s.say(c, std::string(segments * kMss, 'd'));
    EXPECT_EQ(s.out.size(), std::min(segments, 10u));
    s.out.clear();
    return c;
}

void duplicate_acks(Script& s, std::uint32_t ack, int times) {
    for (int i = 0; i < times; ++i)
        s.arrive({.seq = 1, .ack = ack});
}

TEST(TcpRtoTimer, RetransmitsWithBackOffAndGivesUp) {  // RFC 6298 (5.4) to (5.6); RFC 9293 section 3.8.3
    Script s;
    const ConnId c = s.accept();
    s.say(c, "lost");
    s.next();
    const Time began = s.now;
    std::vector<long> tenths;
    while (s.events.empty() && s.now < began + 20min) {
        s.run(10ms);
        while (!s.quiet()) {
            const Seg again = s.next();
            EXPECT_EQ(again.data, "lost");
            EXPECT_EQ(again.seq, 1u);
            tenths.push_back((s.now - began) / 100ms);
        }
    }
    // The handshake took no time, so the RTO began at its minimum, 200 ms.
    EXPECT_EQ(tenths, (std::vector<long>{2, 6, 14, 30, 62, 126, 254, 510, 1022, 1622, 2222, 2822}));
    EXPECT_GE(s.now - began, 100s);
    const Happened closed = s.event();
    EXPECT_EQ(closed.reason, CloseReason::kTimedOut);
    EXPECT_EQ(s.count(&Counters::aborts_on_timeout), 1u);
    s.expect_empty();
}

// A machine that slept: 32 bits of microseconds wrap after 71 minutes, and half of that is already "before".
TEST(TcpRtoTimer, FiresAfterTheClockHasJumpedByAnHour) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, "lost");
    s.next();
    s.advance(1h);
    EXPECT_EQ(s.next().data, "lost");
    s.arrive({.seq = 1, .ack = 5, .data = "text"});
    s.advance(1h);
    EXPECT_EQ(s.next().ack, 5u);  // the delayed ACK
    EXPECT_TRUE(s.quiet());
}

TEST(TcpRtoTimer, AJumpOfTheClockIsNoRoundTrip) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, "text");
    const std::uint32_t before = s.tcp->connection(c).rtt.srtt8;
    s.now += 10min;
    s.arrive({.seq = 1, .ack = 5});
    EXPECT_EQ(s.tcp->connection(c).rtt.srtt8, before);
}

// RFC 6298 section 3: the back-off ends with a round trip that was measured, and that was none.
TEST(TcpRtoTimer, NorDoesAJumpOfTheClockEndTheBackOff) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, "a");
    s.run(300ms);
    s.arrive({.seq = 1, .ack = 2});  // of which transmission?
    s.say(c, "b");
    const unsigned backoff = s.tcp->connection(c).backoff;
    ASSERT_GT(backoff, 0u);
    s.now += 10min;
    s.arrive({.seq = 1, .ack = 3});
    EXPECT_EQ(s.tcp->connection(c).backoff, backoff);
    s.say(c, "c");
    s.arrive({.seq = 1, .ack = 4});
    EXPECT_EQ(s.tcp->connection(c).backoff, 0u);
}

TEST(TcpRtoTimer, IsRestartedByEachAckOfNewDataAndStoppedByTheLast) {  // (5.2), (5.3)
    Script s;
    const ConnId c = in_flight(s, 2);
    s.run(150ms);
    s.arrive({.seq = 1, .ack = 1 + kMss});
    s.run(150ms);
    EXPECT_TRUE(s.quiet());
    s.arrive({.seq = 1, .ack = 1 + 2 * kMss});
    s.run(10s);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->timers_armed(), 0u);
    EXPECT_EQ(s.tcp->send_queues(), 0u);
    EXPECT_EQ(s.tcp->unsent(c), 0u);
}

TEST(TcpRtoTimer, SlowStartsFromOneSegmentAndSendsAllThatWasLost) {  // RFC 5681 section 3.1
    Script s(newreno());
    const ConnId c = in_flight(s, 10);
    s.run(210ms);
    EXPECT_EQ(s.next().seq, 1u);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->connection(c).congestion.cwnd, kMss);
    EXPECT_EQ(s.tcp->connection(c).congestion.ssthresh, 5 * kMss);
    s.arrive({.seq = 1, .ack = 1 + kMss});
    EXPECT_EQ(s.next().seq, 1 + kMss);
    EXPECT_EQ(s.next().seq, 1 + 2 * kMss);
    EXPECT_TRUE(s.quiet());
    s.arrive({.seq = 1, .ack = 1 + 10 * kMss});
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpRtoTimer, KarnTakesNoSampleFromWhatWasSentTwice) {  // RFC 6298 section 3
    Script s;
    const ConnId c = in_flight(s, 1);
    const RttEstimate before = s.tcp->connection(c).rtt;
    s.run(210ms);
    s.next();
    s.now += 50ms;
    s.arrive({.seq = 1, .ack = 1 + kMss});
    EXPECT_EQ(s.tcp->connection(c).rtt.srtt8, before.srtt8);
    EXPECT_EQ(s.tcp->connection(c).backoff, 1);  // stays until there is a sample
    s.say(c, "x");
    s.next();
    s.now += 50ms;
    s.arrive({.seq = 1, .ack = 2 + kMss});
    EXPECT_EQ(s.tcp->connection(c).backoff, 0);
    EXPECT_GT(s.tcp->connection(c).rtt.srtt8, before.srtt8);
}

TEST(TcpRtoTimer, TimestampsTellWhichOfTheTwoWasAcknowledged) {  // RFC 7323 section 4
    Script s;
    const ConnId c = s.accept({.timestamps = true});
    s.now += 1s;
    s.say(c, "x");
    s.next();
    s.run(210ms);
    s.next();  // its timestamp is the one that the script echoes
    s.now += 30ms;
    s.arrive({.seq = 1, .ack = 2});
    EXPECT_EQ(s.tcp->connection(c).backoff, 0);
    EXPECT_LT(s.tcp->connection(c).rtt.srtt8 / 8, 10'000u);
    EXPECT_GT(s.tcp->connection(c).rtt.srtt8 / 8, 3'000u);
}

TEST(TcpFastRetransmit, AtTheThirdDuplicate) {  // RFC 5681 section 3.2
    Script s(newreno());
    const ConnId c = in_flight(s, 10);
    duplicate_acks(s, 1, 2);
    EXPECT_TRUE(s.quiet());
    duplicate_acks(s, 1, 1);
    const Seg again = s.next();
    EXPECT_EQ(again.seq, 1u);
    EXPECT_EQ(again.data.size(), kMss);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.count(&Counters::fast_retransmits), 1u);
    EXPECT_EQ(s.tcp->connection(c).congestion.ssthresh, 5 * kMss);
    EXPECT_EQ(s.tcp->connection(c).congestion.cwnd, 8 * kMss);
}

TEST(TcpFastRetransmit, FirstTwoDuplicatesLetNewSegmentsOut) {  // RFC 3042
    Script s;
    in_flight(s, 14);
    duplicate_acks(s, 1, 1);
    EXPECT_EQ(s.next().seq, 1 + 10 * kMss);
    duplicate_acks(s, 1, 1);
    EXPECT_EQ(s.next().seq, 1 + 11 * kMss);
    EXPECT_TRUE(s.quiet());
}

TEST(TcpFastRetransmit, NewRenoFillsOneHoleARoundTrip) {  // RFC 6582 section 3.2
    Script s(newreno());
    const ConnId c = in_flight(s, 10);
    duplicate_acks(s, 1, 3);
    EXPECT_EQ(s.next().seq, 1u);
    // Segment 1 was lost too: a partial ACK.
    s.arrive({.seq = 1, .ack = 1 + kMss});
    EXPECT_EQ(s.next().seq, 1 + kMss);
    EXPECT_TRUE(s.tcp->connection(c).has(kRecovery));
    // The full ACK ends it: cwnd = min(ssthresh, max(flight, MSS) + MSS).
    s.arrive({.seq = 1, .ack = 1 + 10 * kMss});
    EXPECT_FALSE(s.tcp->connection(c).has(kRecovery));
    EXPECT_EQ(s.tcp->connection(c).congestion.cwnd, 2 * kMss);
    EXPECT_TRUE(s.quiet());
}

TEST(TcpFastRetransmit, FurtherDuplicatesInflateTheWindowForNewData) {  // RFC 5681 section 3.2 step 4
    Script s;
    in_flight(s, 20);
    duplicate_acks(s, 1, 2);
    s.out.clear();
    duplicate_acks(s, 1, 1);
    EXPECT_EQ(s.next().seq, 1u);
    s.out.clear();
    duplicate_acks(s, 1, 6);
    ASSERT_FALSE(s.quiet());
    EXPECT_EQ(s.next().seq, 1 + 12 * kMss);
}

TEST(TcpFastRetransmit, NotTwiceForOneWindow) {  // RFC 6582 section 3.2 step 2: "recover"
    Script s;
    const ConnId c = in_flight(s, 10);
    s.run(210ms);  // a timeout: everything is sent again
    s.arrive({.seq = 1, .ack = 1 + 5 * kMss});
    s.out.clear();
    duplicate_acks(s, 1 + 5 * kMss, 5);
    EXPECT_EQ(s.count(&Counters::fast_retransmits), 0u);
    EXPECT_FALSE(s.tcp->connection(c).has(kRecovery));
}

// What was sent again in vain is answered with duplicates of the ACK that ended the recovery.
TEST(TcpFastRetransmit, NotOfDuplicatesRightBehindARecovery) {  // RFC 6582 section 3.2 step 2
    Script s;
    const ConnId c = in_flight(s, 10);
    duplicate_acks(s, 1, 3);
    ASSERT_TRUE(s.tcp->connection(c).has(kRecovery));
    const std::uint64_t before = s.count(&Counters::fast_retransmits);
    s.say(c, std::string(5 * kMss, 'n'));
    s.arrive({.seq = 1, .ack = 1 + 10 * kMss});  // full: "recover" itself
    ASSERT_FALSE(s.tcp->connection(c).has(kRecovery));
    duplicate_acks(s, 1 + 10 * kMss, 4);
    EXPECT_EQ(s.count(&Counters::fast_retransmits), before);
    EXPECT_FALSE(s.tcp->connection(c).has(kRecovery));
    s.arrive({.seq = 1, .ack = 1 + 11 * kMss});  // beyond it they tell of a loss again
    duplicate_acks(s, 1 + 11 * kMss, 3);
    EXPECT_EQ(s.count(&Counters::fast_retransmits), before + 1);
}

TEST(TcpFastRetransmit, WindowUpdatesAndDataAreNoDuplicates) {  // RFC 5681 section 2
    Script s;
    in_flight(s, 5);
    for (std::uint16_t i = 0; i < 5; ++i)
        s.arrive({.seq = 1, .ack = 1, .window = static_cast<std::uint16_t>(60000 + i)});
    for (std::uint32_t i = 0; i < 5; ++i)
        s.arrive({.seq = 1 + i, .ack = 1, .window = 60004, .data = "x"});
    EXPECT_EQ(s.count(&Counters::fast_retransmits), 0u);
}

TEST(TcpRetransmission, LostFinAlone) {
    Script s;
    const ConnId c = s.accept();
    s.tcp->close(c);
    s.flush();
    EXPECT_EQ(s.next().flags, kFin | kAck);
    s.run(210ms);
    const Seg again = s.next();
    EXPECT_EQ(again.flags, kFin | kAck);
    EXPECT_EQ(again.seq, 1u);
    s.arrive({.seq = 1, .ack = 2});
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait2);
}

// --- retransmission copies nothing, whatever the port does with the mbufs ---

TEST(TcpRetransmission, WhileThePortStillHoldsTheFirst) {
    Script s;
    s.port_is_slow = true;
    const ConnId c = s.accept();
    s.say(c, "payload");
    EXPECT_EQ(s.next().data, "payload");
    const unsigned before = rte_mempool_in_use_count(s.pools.data());
    s.run(210ms);
    s.run(410ms);
    EXPECT_EQ(s.next().data, "payload");
    EXPECT_EQ(s.next().data, "payload");
    EXPECT_EQ(rte_mempool_in_use_count(s.pools.data()), before) << "a retransmission took a data mbuf";
    s.arrive({.seq = 1, .ack = 8});  // acknowledged while the port has all three
    EXPECT_EQ(s.tcp->unsent(c), 0u);
    s.release_held();
    EXPECT_EQ(s.pools.missing(), 0u);
}

TEST(TcpRetransmission, OnceThePortIsDoneTheHeaderIsRewrittenInPlace) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, "payload");
    s.next();
    const unsigned headers = rte_mempool_in_use_count(s.pools.header());
    s.arrive({.seq = 1, .ack = 1, .data = "peer's"});
    s.out.clear();
    s.run(210ms);
    const Seg again = s.next();
    EXPECT_EQ(again.data, "payload");
    EXPECT_EQ(again.ack, 7u);  // the header is new
    EXPECT_EQ(rte_mempool_in_use_count(s.pools.header()), headers);
    EXPECT_EQ(s.tcp->unsent(c), 7u);
}

TEST(TcpRetransmission, OfTheRestOfAPartlyAcknowledgedUnit) {
    for (const bool slow : {false, true}) {
        Script s;
        s.port_is_slow = slow;
        const ConnId c = s.accept();
        s.say(c, "0123456789");
        s.next();
        s.arrive({.seq = 1, .ack = 5});
        s.run(210ms);
        const Seg rest = s.next();
        EXPECT_EQ(rest.data, "456789");
        EXPECT_EQ(rest.seq, 5u);
        s.arrive({.seq = 1, .ack = 11});
        s.release_held();
        EXPECT_EQ(s.pools.missing(), 0u);
        EXPECT_EQ(s.tcp->unsent(c), 0u);
    }
}

TEST(TcpCongestionWindow, IdleRestartsIt) {  // RFC 5681 section 4.1
    Script s;
    const ConnId c = in_flight(s, 10);
    for (std::uint32_t i = 1; i <= 10; ++i)
        s.arrive({.seq = 1, .ack = 1 + i * kMss});
    EXPECT_GT(s.tcp->connection(c).congestion.cwnd, 12 * kMss);
    s.run(2s);
    s.say(c, std::string(20 * kMss, 'i'));
    EXPECT_EQ(s.out.size(), 10u);
}

TEST(TcpCongestionWindow, DoesNotGrowWhileUnused) {  // RFC 7661
    Script s;
    const ConnId c = s.accept();
    for (std::uint32_t i = 1; i <= 50; ++i) {
        s.say(c, "x");
        s.arrive({.seq = 1, .ack = 1 + i});
    }
    EXPECT_EQ(s.tcp->connection(c).congestion.cwnd, 10 * kMss);
}

}  // namespace
}  // namespace millrace::tcp::test
