// RST and the defences against blind attacks: RFC 9293 sections 3.5.2, 3.5.3, 3.10.7; RFC 5961.

#include <random>

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

TEST(TcpReset, SegmentToNoConnectionIsAnswered) {  // section 3.10.7.1
    Script s;
    const SocketAddress closed{kLocal.ip, 81};
    s.arrive({.flags = kSyn, .seq = 10, .data = "abc", .to = closed});
    Seg reset = s.next();
    EXPECT_EQ(reset.flags, kRst | kAck);
    EXPECT_EQ(reset.ack, 14u);  // SEG.SEQ + SEG.LEN, the SYN counted
    EXPECT_EQ(reset.seq + s.our_isn, 0u);
    s.arrive({.flags = kAck | kFin, .seq = 10, .ack = 99, .to = closed});
    reset = s.next();
    EXPECT_EQ(reset.flags, kRst);
    EXPECT_EQ(reset.seq, 99u);
    s.arrive({.flags = kRst, .seq = 10, .to = closed});
    s.arrive({.flags = kRst | kAck, .seq = 10, .to = closed});
    EXPECT_TRUE(s.quiet()) << "a RST is never answered";
    EXPECT_EQ(s.count(&Counters::out_resets), 2u);
}

TEST(TcpReset, ExactSequenceNumberEndsTheConnection) {  // RFC 5961 section 3.2
    Script s;
    const ConnId c = s.accept();
    EXPECT_TRUE(s.append(c, "unsent"));
    s.arrive({.flags = kRst, .seq = 1});
    const Happened closed = s.event();
    EXPECT_EQ(closed.kind, EventKind::kClosed);
    EXPECT_EQ(closed.reason, CloseReason::kReset);
    s.expect_empty();
}

// The engine hears of both only after the burst, and asks who it was.
TEST(TcpReset, InTheBurstThatOpenedItDoesNotHideThePeer) {
    Script s;
    s.arrive(s.syn());
    EXPECT_EQ(s.next().flags, kSyn | kAck);
    s.arrive({{.seq = 1, .ack = 1, .data = "x"}, {.flags = kRst, .seq = 2}});
    const Happened accepted = s.event();
    EXPECT_EQ(accepted.kind, EventKind::kAccepted);
    EXPECT_EQ(s.received(), "x");
    EXPECT_EQ(s.event().reason, CloseReason::kReset);
    EXPECT_EQ(s.tcp->peer(accepted.conn), kRemote);
    EXPECT_EQ(s.tcp->local(accepted.conn), kLocal);
    s.poll();
    s.expect_empty();
}

TEST(TcpReset, InWindowButNotExactIsChallenged) {
    Script s;
    s.accept();
    s.arrive({.flags = kRst, .seq = 2});
    const Seg challenge = s.next();
    EXPECT_EQ(challenge.flags, kAck);
    EXPECT_EQ(challenge.seq, 1u);
    EXPECT_EQ(challenge.ack, 1u);
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.count(&Counters::challenge_acks), 1u);
}

TEST(TcpReset, OutsideTheWindowIsDropped) {
    Script s;
    s.accept();
    s.arrive({.flags = kRst, .seq = 0});
    s.arrive({.flags = kRst, .seq = 3'000'000});
    EXPECT_TRUE(s.quiet());
    EXPECT_TRUE(s.events.empty());
}

TEST(TcpReset, SynInAnySynchronizedStateIsChallenged) {  // RFC 5961 section 4.2
    Script s;
    s.accept();
    s.arrive({.flags = kSyn, .seq = 1});
    EXPECT_EQ(s.next().flags, kAck);
    s.now += 1s;
    s.arrive({.flags = kSyn, .seq = 77'000'000});
    EXPECT_EQ(s.next().flags, kAck);
    s.now += 1s;
    s.arrive({.flags = kSyn | kAck, .seq = 0, .ack = 1});
    EXPECT_EQ(s.next().flags, kAck);
    EXPECT_TRUE(s.events.empty());
}

TEST(TcpReset, ChallengesAreLimited) {  // RFC 5961 section 7
    Script s;
    s.accept();
    for (int i = 0; i < 100; ++i)
        s.arrive({.flags = kRst, .seq = 2});
    EXPECT_EQ(s.out.size(), 1u);
    EXPECT_EQ(s.count(&Counters::acks_skipped), 99u);
    s.out.clear();
    s.now += 600ms;
    s.arrive({.flags = kRst, .seq = 2});
    EXPECT_EQ(s.out.size(), 1u);
}

TEST(TcpReset, TwoEndsThatDisagreeDoNotAnswerEachOtherForEver) {
    Script s;
    s.accept();
    for (int i = 0; i < 50; ++i)
        s.arrive({.flags = kAck, .seq = 40'000'000, .ack = 1});
    EXPECT_EQ(s.out.size(), 1u);
}

TEST(TcpReset, AckOfWhatWasNeverSentIsChallengedAndItsTextDropped) {  // RFC 5961 section 5.2
    Script s;
    s.accept();
    s.arrive({.seq = 1, .ack = 2, .data = "evil"});
    EXPECT_EQ(s.next().ack, 1u);
    EXPECT_TRUE(s.events.empty());
    s.now += 1s;
    s.arrive({.seq = 1, .ack = 0x80000000, .data = "evil"});
    EXPECT_EQ(s.next().ack, 1u);
    EXPECT_TRUE(s.events.empty());
}

TEST(TcpReset, OldAckWithinTheLargestWindowIsIgnoredAndItsTextTaken) {  // RFC 5961 section 5.2
    Script s;
    const ConnId c = s.accept();
    s.say(c, "abc");
    s.arrive({.seq = 1, .ack = 4});
    s.out.clear();
    s.arrive({.seq = 1, .ack = 2, .data = "late"});
    EXPECT_EQ(s.received(), "late");
}

TEST(TcpReset, SegmentWithoutAckIsDropped) {  // section 3.10.7.4, fifth check
    Script s;
    s.accept();
    s.arrive({.flags = kPsh, .seq = 1, .data = "no"});
    EXPECT_TRUE(s.events.empty());
    EXPECT_TRUE(s.quiet());
}

TEST(TcpReset, AbortSendsRstAndForgets) {  // section 3.10.5
    Script s;
    const ConnId c = s.accept();
    EXPECT_TRUE(s.append(c, "never leaves"));
    s.tcp->set_timer(c, s.now + 1s);
    s.tcp->abort(c);
    s.tcp->abort(c);  // once is enough
    EXPECT_FALSE(s.tcp->prepare(c, 1));
    s.flush();
    const Seg reset = s.next();
    EXPECT_EQ(reset.flags, kRst | kAck);
    EXPECT_EQ(reset.seq, 1u);
    EXPECT_TRUE(s.quiet());
    s.poll();
    EXPECT_TRUE(s.events.empty());
    s.expect_empty();
    s.arrive({.seq = 1, .ack = 1, .data = "too late"});  // RFC 9293 section 3.6.1: data to nobody
    EXPECT_EQ(s.next().flags, kRst);
}

TEST(TcpReset, AbortInSynSentIsSilent) {
    Script s;
    const ConnId c = s.start_connect();
    s.tcp->abort(c);
    s.flush();
    EXPECT_TRUE(s.quiet());
    s.poll();
    s.expect_empty();
}

TEST(TcpReset, MalformedSegmentsAreCountedAndDropped) {
    Script s;
    s.accept();
    const auto mangle = [&](auto&& change) {
        rte_mbuf* packet = s.build({.seq = 1, .ack = 1, .data = "x"});
        change(packet, rte_pktmbuf_mtod(packet, rte_tcp_hdr*));
        s.tcp->begin_poll();
        s.tcp->input(packet, kRemote.ip, kLocal.ip, s.tcp->flow_hash(packet, kRemote.ip, kLocal.ip), s.now);
    };
    mangle([](rte_mbuf* m, rte_tcp_hdr*) { m->data_len = m->pkt_len = 19; });
    mangle([](rte_mbuf* m, rte_tcp_hdr*) { m->data_len = m->pkt_len = 0; });
    mangle([](rte_mbuf*, rte_tcp_hdr* h) { h->data_off = 4 << 4; });
    mangle([](rte_mbuf*, rte_tcp_hdr* h) { h->data_off = 15 << 4; });
    EXPECT_EQ(s.count(&Counters::in_errors), 4u);
    EXPECT_TRUE(s.tcp->events().empty());
    EXPECT_TRUE(s.tcp->segments().empty());
    EXPECT_EQ(s.pools.missing(), 0u);
}

TEST(TcpReset, AnySegmentWhateverLeavesTheShardWhole) {
    Script s;
    std::mt19937 random(7);
    s.accept();
    for (int i = 0; i < 50000; ++i) {
        const auto near = [&] {
            return static_cast<std::uint32_t>(random() % 8 ? random() % 20 - 5 : random());
        };
        Seg seg{.flags = static_cast<std::uint8_t>(random() % 64),
                .seq = near(),
                .ack = near(),
                .window = static_cast<std::uint16_t>(random()),
                .data = std::string(random() % 3 ? random() % 30 : 0, 'r')};
        seg.from.port = static_cast<std::uint16_t>(40000 + random() % 4);
        if (random() % 4 == 0) seg.options.mss = static_cast<std::uint16_t>(random());
        s.now += Duration(random() % 10'000'000);
        s.arrive(seg);
        s.out.clear();
        for (const Happened& e : s.events) {
            if (e.kind == EventKind::kAccepted && random() % 2) s.append(e.conn, "hello");
            if (e.kind == EventKind::kPeerClosed && random() % 2) s.tcp->close(e.conn);
            if (e.kind == EventKind::kReceived && random() % 20 == 0) s.tcp->abort(e.conn);
        }
        s.events.clear();
    }
    for (std::uint32_t i = 0; i < 64; ++i)
        s.tcp->abort(ConnId{i});
    s.run(10min);
    s.expect_empty();
}

}  // namespace
}  // namespace millrace::tcp::test
