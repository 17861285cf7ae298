// Pools run dry: new work is refused, what is held goes on, and who waits is woken when there is memory.

#include "tests/unit/tcp/payload.h"
#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

TEST(TcpDry, DataPoolRefusesNewBytesAndWakesWhenItRecovers) {
    Script s(Script::defaults(), 31);
    const ConnId c = s.accept();
    EXPECT_TRUE(s.append(c, letters(8 * kMss)));
    EXPECT_FALSE(s.tcp->prepare(c, 30 * kMss));
    EXPECT_EQ(s.count(&Counters::data_pool_dry), 1u);
    EXPECT_EQ(s.pools.missing(), 8u);
    EXPECT_TRUE(s.tcp->under_pressure());
    s.flush();
    EXPECT_EQ(s.out.size(), 8u);
    s.out.clear();
    s.arrive({.seq = 1, .ack = 1 + 8 * kMss});
    s.run(10ms);
    EXPECT_EQ(s.event().kind, EventKind::kWritable);
    EXPECT_FALSE(s.tcp->under_pressure());
}

// Who has asked before he took a packet in, has room for the answers to it.
TEST(TcpDry, PressureIsSaidWhileAnswersStillFindRoom) {
    Script s(Script::defaults(), 255);
    const ConnId c = s.accept();
    for (int i = 0; !s.tcp->under_pressure(); ++i) {
        ASSERT_LT(i, 255);
        ASSERT_TRUE(s.append(c, letters(kMss)));
    }
    EXPECT_TRUE(s.append(c, letters(10 * kMss)));
    EXPECT_EQ(s.count(&Counters::data_pool_dry), 0u);
    s.flush();
    s.out.clear();
}

// A peer that stood still had a hundred thousand of them looked at each poll, to no avail.
TEST(TcpDry, ManyWritersThatWaitAreLookedAtAFewAPoll) {
    constexpr unsigned kWriters = 200, kAPoll = 64;
    Config config = Script::defaults();
    config.max_connections = kWriters;
    Script s(config, 255);
    std::vector<rte_mbuf*> taken;
    while (rte_mbuf* m = rte_pktmbuf_alloc(s.pools.data()))
        taken.push_back(m);
    for (unsigned i = 0; i < kWriters; ++i)
        ASSERT_FALSE(s.tcp->prepare(s.tcp->connect(kRemote, s.now), 1));
    s.flush();
    s.out.clear();
    s.advance(10ms);
    EXPECT_TRUE(s.events.empty());
    for (rte_mbuf* m : taken)
        rte_pktmbuf_free(m);
    std::size_t woken = 0;
    for (int polls = 0; woken < kWriters; ++polls) {
        ASSERT_LT(polls, 10);
        s.advance(10ms);
        EXPECT_LE(s.events.size(), kAPoll);
        for (; !s.events.empty(); ++woken)
            EXPECT_EQ(s.event().kind, EventKind::kWritable);
    }
    EXPECT_EQ(woken, kWriters);
}

TEST(TcpDry, HeaderPoolDelaysAcksAndReferencesButLosesNothing) {
    Script s(Script::defaults(), 255, 15);
    const ConnId c = s.accept();
    std::vector<rte_mbuf*> taken;
    while (rte_mbuf* m = rte_pktmbuf_alloc(s.pools.header()))
        taken.push_back(m);
    s.arrive({.seq = 1, .ack = 1, .data = "hello"});
    EXPECT_EQ(s.received(), "hello");
    EXPECT_TRUE(s.quiet());  // no mbuf for the ACK
    EXPECT_FALSE(s.tcp->append(c, s.tcp->make_shared(bytes_of(letters(1000)))));
    s.say(c, "by copy");  // needs none
    const Seg data = s.next();
    EXPECT_EQ(data.data, "by copy");
    EXPECT_EQ(data.ack, 6u);
    s.arrive({.seq = 6, .ack = 8, .data = "more"});
    EXPECT_TRUE(s.quiet());
    Seg syn = s.syn();
    syn.from.port = 1;
    s.arrive(syn);
    EXPECT_TRUE(s.quiet());
    for (rte_mbuf* m : taken)
        rte_pktmbuf_free(m);
    s.run(2s);
    bool acknowledged = false, answered = false;
    while (!s.quiet()) {
        const Seg late = s.next();
        acknowledged |= late.flags == kAck && late.ack == 10;
        answered |= late.flags == (kSyn | kAck);
    }
    EXPECT_TRUE(acknowledged);
    EXPECT_TRUE(answered);
    EXPECT_EQ(s.received(), "more");
    EXPECT_EQ(s.event().kind, EventKind::kWritable);
}

TEST(TcpDry, RefusedReferencesOnAnIdleConnectionAreWokenToo) {
    Script s(Script::defaults(), 255, 3);
    const ConnId c = s.accept();
    EXPECT_FALSE(s.tcp->append(c, s.tcp->make_shared(bytes_of(letters(8000)))));
    s.flush();
    EXPECT_EQ(s.pools.missing(), 0u);
    s.run(20ms);
    EXPECT_EQ(s.event().kind, EventKind::kWritable);
}

// Were the references that wait to be sent to take all header mbufs, none would be left to send them with.
TEST(TcpDry, ReferencesLeaveTheHeadersThatTheyAreSentWith) {
    Script s(Script::defaults(), 255, 63);
    const ConnId c = s.accept();
    const Tcp::Shared shared = s.tcp->make_shared(bytes_of(letters(1000)));
    unsigned appended = 0;
    while (appended < 100 && s.tcp->append(c, shared))
        ++appended;
    EXPECT_EQ(appended, 56u);  // all but an eighth
    s.flush();
    std::uint32_t acknowledged = 1;
    for (int polls = 0; polls < 100 && !s.quiet(); ++polls) {
        while (!s.quiet()) {
            const Seg data = s.next();
            EXPECT_EQ(data.seq, acknowledged);
            acknowledged += static_cast<std::uint32_t>(data.data.size());
        }
        s.arrive({.seq = 1, .ack = acknowledged});
    }
    EXPECT_EQ(acknowledged, 1 + 56 * 1000u);
    s.run(10ms);
    EXPECT_EQ(s.event().kind, EventKind::kWritable);
}

// The retransmission timer of the data before it, which stops with their acknowledgment, was its only one.
TEST(TcpDry, AFinThatFoundNoMbufFollowsTheAcknowledgmentOfTheData) {
    Script s(Script::defaults(), 255, 15);
    const ConnId c = s.accept();
    s.say(c, "data");
    EXPECT_EQ(s.next().data, "data");
    std::vector<rte_mbuf*> taken;
    while (rte_mbuf* m = rte_pktmbuf_alloc(s.pools.header()))
        taken.push_back(m);
    s.tcp->close(c);
    s.flush();
    EXPECT_TRUE(s.quiet());
    s.arrive({.seq = 1, .ack = 5});
    for (rte_mbuf* m : taken)
        rte_pktmbuf_free(m);
    s.run(2s);
    EXPECT_EQ(s.next().flags, kFin | kAck);
}

// What is written before the connection is established waits; what is refused leaves nothing behind.
TEST(TcpDry, ARefusalInSynSentLeavesNothingBehind) {
    Script s(Script::defaults(), 31);
    const ConnId c = s.start_connect();
    EXPECT_FALSE(s.tcp->prepare(c, 100 * kMss));
    EXPECT_TRUE(s.tcp->prepare(c, 1));
    s.flush();
    EXPECT_EQ(s.tcp->send_queues(), 0u);
    EXPECT_EQ(s.pools.missing(), 0u);
    s.run(10ms);
    EXPECT_EQ(s.event().kind, EventKind::kWritable);
}

}  // namespace
}  // namespace millrace::tcp::test
