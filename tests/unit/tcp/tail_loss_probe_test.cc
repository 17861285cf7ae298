// Tail loss probes (RFC 8985 section 7).

#include <gtest/gtest.h>

#include "tests/unit/tcp/sender.h"

namespace millrace::tcp::test {
namespace {

TEST(TcpTailLossProbe, SendsTheLastSegmentAgainAfterTwoRoundTrips) {  // sections 7.2 and 7.3
    Sender s;
    s.send(4);
    s.out.clear();
    EXPECT_TRUE(s.c().has(kProbeTimer));
    s.run(2 * kRtt - 1ms);
    EXPECT_TRUE(s.quiet());
    s.run(2ms);
    EXPECT_EQ(s.sent(), (Numbers{3}));
    EXPECT_EQ(s.count(&Counters::loss_probes), 1u);
    EXPECT_EQ(s.count(&Counters::timeouts), 0u);
    EXPECT_EQ(s.cwnd(), 10 * kMss);
}

TEST(TcpTailLossProbe, PrefersNewDataBeyondTheCongestionWindow) {  // section 7.3
    Sender s;
    s.send(12);
    EXPECT_EQ(s.sent().size(), 10u);
    s.run(2 * kRtt + 1ms);
    EXPECT_EQ(s.sent(), (Numbers{10}));
    EXPECT_FALSE(s.c().has(kProbeResent));
}

TEST(TcpTailLossProbe, RespectsThePeersWindow) {
    Sender s({.sack = true, .window = 4 * kMss});
    s.send(6);
    EXPECT_EQ(s.sent().size(), 4u);
    s.run(2 * kRtt + 1ms);
    EXPECT_EQ(s.sent(), (Numbers{3}));
}

TEST(TcpTailLossProbe, ForOneSegmentWaitsForADelayedAck) {  // section 7.2: TLP.max_ack_delay
    Sender s;
    s.send(1);
    s.out.clear();
    s.run(2 * kRtt + 50ms);
    EXPECT_TRUE(s.quiet());
    // And never beyond the retransmission timeout: 100 ms + max(4 * 50 ms, 200 ms).
    s.run(51ms);
    EXPECT_EQ(s.sent(), (Numbers{0}));
    EXPECT_EQ(s.count(&Counters::loss_probes), 1u);
}

TEST(TcpTailLossProbe, NewDataPutItOff) {  // section 7.2
    Sender s;
    s.send(2);
    s.out.clear();
    s.run(150ms);
    s.send(2);
    s.out.clear();
    s.run(100ms);
    EXPECT_TRUE(s.quiet());
}

TEST(TcpTailLossProbe, NewDataPutItOffNoFurtherThanTheTimeout) {  // section 7.2: TCP_RTO_expiry()
    Sender s;
    const Time began = s.now;
    while (s.count(&Counters::loss_probes) == 0 && s.now < began + 5s) {
        s.say(s.id, std::string(100, 'd'));
        s.run(155ms);
    }
    EXPECT_LE(s.now - began, 310ms);
    while (s.count(&Counters::timeouts) == 0 && s.now < began + 5s) {
        s.say(s.id, std::string(100, 'd'));
        s.run(155ms);
    }
    EXPECT_LE(s.now - began, 620ms);
    EXPECT_EQ(s.count(&Counters::loss_probes), 1u);
}

TEST(TcpTailLossProbe, AFinThatRidesOnItIsCounted) {  // RFC 9293 section 3.4: SND.NXT covers what was sent
    Sender s;
    s.fly(4);
    s.ack(3);
    std::vector<rte_mbuf*> taken;  // a FIN by itself finds no mbuf
    while (rte_mbuf* m = rte_pktmbuf_alloc(s.pools.header()))
        taken.push_back(m);
    s.tcp->close(s.id);
    s.flush();
    EXPECT_TRUE(s.quiet());
    while (s.quiet())
        s.run(10ms);
    const Seg probe = s.next();
    EXPECT_EQ(probe.seq, at(3));
    ASSERT_TRUE(probe.flags & kFin);
    EXPECT_EQ(s.c().snd_nxt - Seq{s.our_isn}, at(4) + 1);
    s.arrive({.seq = 1, .ack = at(4) + 1});
    EXPECT_EQ(s.c().state, State::kFinWait2);
    EXPECT_TRUE(s.quiet());
    for (rte_mbuf* m : taken)
        rte_pktmbuf_free(m);
}

TEST(TcpTailLossProbe, OneOnlyThenTheTimeout) {  // section 7.3
    Sender s;
    s.send(4);
    s.out.clear();
    s.run(2 * kRtt + 1ms);
    EXPECT_EQ(s.sent(), (Numbers{3}));
    s.run(2 * kRtt + 50ms);
    EXPECT_TRUE(s.quiet());
    s.run(100ms);
    EXPECT_EQ(s.count(&Counters::loss_probes), 1u);
    EXPECT_EQ(s.count(&Counters::timeouts), 1u);
    EXPECT_EQ(s.sent(), (Numbers{0}));
}

TEST(TcpTailLossProbe, ItsSackRevealsALostTail) {  // section 3.3, figure 1
    Sender s;
    s.fly(6);
    s.ack(2);  // 2 to 5 are lost
    s.run(2 * kRtt + 1ms);
    EXPECT_EQ(s.sent(), (Numbers{5}));
    s.pass(kRtt);
    s.ack(2, {{5, 6}});
    EXPECT_TRUE(s.c().has(kRecovery));
    Numbers all = s.sent();
    s.pass(kRtt);
    s.ack(3, {{5, 6}});
    for (const std::uint32_t n : s.sent())
        all.push_back(n);
    EXPECT_EQ(all, (Numbers{2, 3, 4}));
    EXPECT_EQ(s.count(&Counters::timeouts), 0u);
}

TEST(TcpTailLossProbe, ARepairedLossReducesTheWindow) {  // section 7.4.2: TLP_process_ack(), case 2
    Sender s;
    s.fly(10);
    s.ack(9);  // the last is lost
    s.run(310ms);
    EXPECT_EQ(s.sent(), (Numbers{9}));
    const std::uint32_t before = s.cwnd();
    s.pass(kRtt);
    s.ack(10);  // by the original or by the probe: not known yet
    EXPECT_EQ(s.count(&Counters::loss_probe_recoveries), 0u);
    EXPECT_EQ(s.cwnd(), before);
    s.fly(1);
    s.ack(11);  // no D-SACK has come: the original was lost
    EXPECT_EQ(s.count(&Counters::loss_probe_recoveries), 1u);
    EXPECT_LT(s.cwnd(), before);
    EXPECT_FALSE(s.c().has(kTailProbe));
}

TEST(TcpTailLossProbe, ADsackTellsThatNothingWasLost) {  // section 7.4.2, case 1
    Sender s;
    s.fly(10);
    s.ack(9);
    s.run(310ms);
    s.out.clear();
    const std::uint32_t before = s.cwnd();
    s.ack(10);
    s.arrive(Script::sack(at(10), {{at(9), at(10)}}));
    EXPECT_FALSE(s.c().has(kTailProbe));
    s.fly(1);
    s.ack(11);
    EXPECT_EQ(s.count(&Counters::loss_probe_recoveries), 0u);
    EXPECT_GE(s.cwnd(), before);
}

TEST(TcpTailLossProbe, SoDoesADuplicateAckOfAPeerWithoutDsack) {  // section 7.4.2, case 3
    Sender s;
    s.fly(10);
    s.ack(9);
    s.run(310ms);
    s.out.clear();
    s.ack(10);
    s.ack(10);
    EXPECT_FALSE(s.c().has(kTailProbe));
    EXPECT_EQ(s.count(&Counters::loss_probe_recoveries), 0u);
}

// Section 7.4.2: a loss that a probe has repaired is one. What the next probe turns out to be says nothing of
// it.
TEST(TcpTailLossProbe, AReductionIsNotUndoneByTheNextProbe) {
    Sender s;
    s.fly(10);
    s.ack(9);
    s.run(310ms);
    ASSERT_EQ(s.sent(), Numbers{9});
    s.pass(kRtt);
    s.ack(10);
    s.send(3);
    s.out.clear();
    s.pass(kRtt);
    s.ack(11);
    ASSERT_EQ(s.count(&Counters::loss_probe_recoveries), 1u);
    const std::uint32_t reduced = s.ssthresh();
    s.run(500ms);
    ASSERT_EQ(s.sent(), Numbers{12});
    s.arrive(Script::sack(at(13), {{at(12), at(13)}}));
    EXPECT_EQ(s.count(&Counters::dsacks_received), 1u);
    EXPECT_EQ(s.count(&Counters::full_undos), 0u);
    EXPECT_EQ(s.ssthresh(), reduced);
}

TEST(TcpTailLossProbe, NoneWithoutSack) {  // section 7.2
    Sender s({.sack = false});
    s.send(4);
    s.out.clear();
    s.run(2 * kRtt + 50ms);
    EXPECT_TRUE(s.quiet());
    s.run(100ms);
    EXPECT_EQ(s.count(&Counters::loss_probes), 0u);
    EXPECT_EQ(s.count(&Counters::timeouts), 1u);
}

// Beyond section 7.2, which has none in recovery: a retransmission after which nothing else is sent, or its
// only acknowledgment, may be lost too.
TEST(TcpTailLossProbe, InRecoveryTheFirstSegmentIsSentOnceMore) {
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 10}});
    EXPECT_EQ(s.sent(), Numbers{0});
    const std::uint32_t window = s.cwnd(), threshold = s.ssthresh();
    s.run(2 * kRtt + 10ms);
    EXPECT_EQ(s.sent(), Numbers{0});
    EXPECT_EQ(s.count(&Counters::loss_probes), 1u);
    EXPECT_EQ(s.count(&Counters::timeouts), 0u);
    EXPECT_EQ(s.cwnd(), window);
    EXPECT_EQ(s.ssthresh(), threshold);
    s.ack(10);
    EXPECT_FALSE(s.c().has(kRecovery));
}

TEST(TcpTailLossProbe, InRecoveryOnlyOneThenTheTimeout) {
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 10}});
    s.out.clear();
    s.run(2 * kRtt + 10ms);
    EXPECT_EQ(s.sent(), Numbers{0});
    s.run(1s);
    EXPECT_GE(s.count(&Counters::timeouts), 1u);
    EXPECT_EQ(s.count(&Counters::loss_probes), 1u);
}

// Two were sent again and one is reported: there was a loss.
TEST(TcpTailLossProbe, InRecoveryItsDsackUndoesNothing) {  // RFC 3708 section 3
    Sender s;
    s.fly(10);
    s.ack(0, {{1, 10}});
    s.run(2 * kRtt + 10ms);
    const std::uint32_t threshold = s.ssthresh();
    s.ack(10, {{0, 1}});
    EXPECT_EQ(s.count(&Counters::dsacks_received), 1u);
    EXPECT_EQ(s.count(&Counters::full_undos), 0u);
    EXPECT_EQ(s.ssthresh(), threshold);
}

TEST(TcpTailLossProbe, NoneForAFinAlone) {
    Sender s;
    s.tcp->close(s.id);
    s.flush();
    s.out.clear();
    s.run(310ms);
    EXPECT_EQ(s.count(&Counters::loss_probes), 0u);
    EXPECT_EQ(s.next().flags, kFin | kAck);
}

}  // namespace
}  // namespace millrace::tcp::test
