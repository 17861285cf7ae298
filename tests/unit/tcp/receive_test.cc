// Receiving: order, windows, acknowledgments (RFC 9293 sections 3.8.6, 3.10.7.4; RFC 5681 section 4.2; RFC
// 7323).

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

// Past the quick ACKs of a young connection; `bytes` have been received by then.
std::uint32_t grow_old(Script& s) {
    for (std::uint32_t i = 0; i < 16; ++i)
        s.arrive({.seq = 1 + i, .ack = 1, .data = "x"});
    s.received();
    s.out.clear();
    return 17;
}

TEST(TcpReceive, InOrderBytesAreHandedUpInTheirMbuf) {
    Script s;
    s.accept();
    s.arrive({{.seq = 1, .ack = 1, .data = "one "}, {.seq = 5, .ack = 1, .data = "two"}});
    EXPECT_EQ(s.events.size(), 2u);
    EXPECT_EQ(s.received(), "one two");
    EXPECT_EQ(s.next().ack, 8u);
    EXPECT_TRUE(s.quiet());  // one ACK for the poll
    EXPECT_EQ(s.count(&Counters::fast_path), 2u);
}

TEST(TcpReceive, EventsBytesMayOutliveThePoll) {
    Script s;
    s.accept();
    s.tcp->begin_poll();
    s.input({.seq = 1, .ack = 1, .data = "keep"});
    MbufBytes kept = std::move(s.tcp->events()[0].bytes);
    s.poll();
    EXPECT_EQ(std::memcmp(kept.bytes().data(), "keep", 4), 0);
}

TEST(TcpReceive, OutOfOrderIsHeldAndEachIsAcknowledgedAtOnce) {  // RFC 5681 section 4.2
    Script s;
    s.accept();
    s.arrive({{.seq = 5, .ack = 1, .data = "two "}, {.seq = 9, .ack = 1, .data = "three"}});
    EXPECT_TRUE(s.events.empty());
    for (int i = 0; i < 2; ++i) {
        const Seg duplicate = s.next();
        EXPECT_EQ(duplicate.ack, 1u);
        EXPECT_EQ(duplicate.flags, kAck);
    }
    s.arrive({.seq = 1, .ack = 1, .data = "one "});
    EXPECT_EQ(s.received(), "one two three");
    EXPECT_EQ(s.next().ack, 14u);  // filling the gap is acknowledged at once
    EXPECT_EQ(s.tcp->reassemblies(), 0u);
}

TEST(TcpReceive, DuplicateBytesAreCutOff) {
    Script s;
    s.accept();
    s.arrive({.seq = 1, .ack = 1, .data = "abcdef"});
    s.arrive({.seq = 4, .ack = 1, .data = "defghi"});
    EXPECT_EQ(s.received(), "abcdefghi");
    s.out.clear();
    s.arrive({.seq = 1, .ack = 1, .data = "abcdefghi"});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.next().ack, 10u);  // the peer missed our ACK
}

TEST(TcpReceive, BytesBeyondTheWindowAreCutOff) {  // RFC 9293 section 3.10.7.4
    Config config = Script::defaults();
    config.receive_window = 2000;
    Script s(config);
    s.accept();
    s.arrive({.seq = 1001, .ack = 1, .data = std::string(1400, 'b')});
    s.arrive({.seq = 1, .ack = 1, .data = std::string(1000, 'a')});
    EXPECT_EQ(s.received().size(), 2000u);
    s.out.clear();
    s.arrive({.flags = kAck | kFin, .seq = 4001, .ack = 1, .data = "outside"});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.next().ack, 2001u);
}

// Section 3.10.7.4: a peer has filled the window, and all of it is lost. Its ACKs, which come from its
// SND.NXT, count: or our own transmissions would time out though they arrive.
TEST(TcpReceive, AckFromTheWindowsRightEdgeCounts) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, "ping");
    EXPECT_EQ(s.next().data, "ping");
    const std::uint32_t edge = 1 + s.tcp->connection(c).receive_window();
    s.arrive({.seq = edge + 1, .ack = 5});
    EXPECT_EQ(s.tcp->unsent(c), 4u) << "beyond the edge";
    s.arrive({.seq = edge, .ack = 5});
    EXPECT_EQ(s.tcp->unsent(c), 0u);
    s.out.clear();
    s.arrive({.seq = edge, .ack = 5, .data = "x"});
    EXPECT_EQ(s.next().ack, 1u);
    EXPECT_EQ(s.tcp->reassemblies(), 0u);
}

TEST(TcpReceive, FinOutOfOrderWaitsForItsTurn) {
    Script s;
    s.accept();
    s.arrive({.flags = kAck | kFin, .seq = 4, .ack = 1, .data = "end"});
    EXPECT_TRUE(s.events.empty());
    s.arrive({.seq = 1, .ack = 1, .data = "the"});
    EXPECT_EQ(s.received(), "theend");
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.tcp->reassemblies(), 0u);

    Script t;  // a FIN without text
    t.accept();
    t.arrive({.flags = kAck | kFin, .seq = 3, .ack = 1});
    t.arrive({.seq = 1, .ack = 1, .data = "ab"});
    EXPECT_EQ(t.received(), "ab");
    EXPECT_EQ(t.event().kind, EventKind::kPeerClosed);
}

TEST(TcpReceive, UrgentBytesAreTakenInLine) {  // RFC 6093 section 6
    Script s;
    s.accept();
    s.arrive({.flags = kAck | kUrg, .seq = 1, .ack = 1, .data = "urgent"});
    EXPECT_EQ(s.received(), "urgent");
}

TEST(TcpReceive, SequenceNumbersWrap) {
    Script s;
    s.accept({.isn = 0xfffffff0});
    std::string all;
    for (std::uint32_t at = 1; at < 200; at += 10) {
        s.arrive({.seq = at, .ack = 1, .data = "0123456789"});
        all += "0123456789";
    }
    EXPECT_EQ(s.received(), all);
    s.arrive({{.seq = 211, .ack = 1, .data = "bb"}, {.seq = 201, .ack = 1, .data = "aaaaaaaaaa"}});
    EXPECT_EQ(s.received(), "aaaaaaaaaabb");
}

TEST(TcpReceive, PayloadOverSeveralMbufsIsHandedUpPieceByPiece) {
    Script s;
    s.accept();
    const auto chained = [&](std::uint32_t seq) {
        rte_mbuf* head = s.build({.seq = seq, .ack = 1, .data = "head-"});
        for (const char* more : {"middle-", "tail"}) {
            rte_mbuf* m = rte_pktmbuf_alloc(s.pools.data());
            std::memcpy(rte_pktmbuf_append(m, static_cast<std::uint16_t>(std::strlen(more))), more,
                        std::strlen(more));
            rte_pktmbuf_chain(head, m);
        }
        s.tcp->begin_poll();
        s.tcp->input(head, kRemote.ip, kLocal.ip, s.tcp->flow_hash(head, kRemote.ip, kLocal.ip), s.now);
        std::string all;
        for (const Event& e : s.tcp->events())
            all.append(reinterpret_cast<const char*>(e.bytes.bytes().data()), e.bytes.bytes().size());
        s.flush();
        return all;
    };
    EXPECT_EQ(chained(1), "head-middle-tail");
    EXPECT_EQ(chained(10), "ddle-tail");  // seven bytes are old: the first mbuf goes, the second is cut
    EXPECT_EQ(chained(100), "");          // out of order: held apart, in order again below
    EXPECT_EQ(chained(24), "ad-middle-tail");
    s.arrive({.seq = 40, .ack = 1, .data = std::string(60, '.')});
    EXPECT_EQ(s.received(), std::string(60, '.') + "head-middle-tail");
}

// --- delayed acknowledgments ---

TEST(TcpDelayedAck, FirstSegmentsAreAcknowledgedAtOnce) {
    Script s;
    s.accept();
    s.arrive({.seq = 1, .ack = 1, .data = "x"});
    EXPECT_EQ(s.next().ack, 2u);
}

TEST(TcpDelayedAck, WaitsNoLongerThanItsTime) {  // RFC 9293 section 3.8.6.3: less than 0.5 s; ours 40 ms
    Script s;
    s.accept();
    const std::uint32_t seq = grow_old(s);
    s.arrive({.seq = seq, .ack = 1, .data = "x"});
    EXPECT_TRUE(s.quiet());
    s.run(39ms);
    EXPECT_TRUE(s.quiet());
    s.run(2ms);
    EXPECT_EQ(s.next().ack, seq + 1);
    EXPECT_EQ(s.count(&Counters::delayed_acks), 1u);
    s.run(1s);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->timers_armed(), 0u);
}

TEST(TcpDelayedAck, EverySecondFullSegmentAtOnce) {
    Script s;
    s.accept();
    std::uint32_t seq = grow_old(s);
    s.arrive({.seq = seq, .ack = 1, .data = std::string(1460, 'f')});
    EXPECT_TRUE(s.quiet());
    s.arrive({.seq = seq + 1460, .ack = 1, .data = std::string(1460, 'f')});
    EXPECT_EQ(s.next().ack, seq + 2920);
}

TEST(TcpDelayedAck, RidesOnAReply) {
    Script s;
    const ConnId c = s.accept();
    const std::uint32_t seq = grow_old(s);
    s.arrive({.seq = seq, .ack = 1, .data = "request"});
    s.say(c, "reply");
    const Seg reply = s.next();
    EXPECT_EQ(reply.data, "reply");
    EXPECT_EQ(reply.ack, seq + 7);
    s.arrive({.seq = seq + 7, .ack = 6});
    s.run(1s);
    EXPECT_TRUE(s.quiet());
}

TEST(TcpDelayedAck, ThroughputAcknowledgesEveryEighthSegmentAtOnce) {  // a stretch ACK (RFC 5681 section 4.2)
    Config config = Script::defaults();
    apply(Preset::kThroughput, config);
    Script s(config);
    s.accept();
    std::uint32_t seq = grow_old(s);
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 7; ++i, seq += 1460) {
            s.arrive({.seq = seq, .ack = 1, .data = std::string(1460, 'f')});
            EXPECT_TRUE(s.quiet());
        }
        s.arrive({.seq = seq, .ack = 1, .data = std::string(1460, 'f')});
        seq += 1460;
        EXPECT_EQ(s.next().ack, seq);
    }
}

TEST(TcpDelayedAck, ThroughputStillAnswersSoon) {  // RFC 9293 section 3.8.6.3: less than 0.5 s
    Config config = Script::defaults();
    apply(Preset::kThroughput, config);
    Script s(config);
    s.accept();
    const std::uint32_t seq = grow_old(s);
    s.arrive({.seq = seq, .ack = 1, .data = std::string(1460, 'f')});
    s.run(21ms);
    EXPECT_EQ(s.next().ack, seq + 1460);
}

TEST(TcpDelayedAck, ThroughputStillAnswersGapsAtOnce) {  // RFC 5681 section 4.2: MUST, for loss recovery
    Config config = Script::defaults();
    apply(Preset::kThroughput, config);
    Script s(config);
    s.accept();
    const std::uint32_t seq = grow_old(s);
    s.arrive({.seq = seq + 1460, .ack = 1, .data = std::string(1460, 'f')});
    EXPECT_EQ(s.next().ack, seq);
    s.arrive({.seq = seq, .ack = 1, .data = std::string(1460, 'f')});
    EXPECT_EQ(s.next().ack, seq + 2920);
}

TEST(TcpDelayedAck, LatencyIsTheDefaultAndDelaysNothing) {
    Config config;
    EXPECT_EQ(config.delayed_ack, 0ms);
    Config applied;
    apply(Preset::kThroughput, applied);
    apply(Preset::kLatency, applied);
    EXPECT_EQ(applied.delayed_ack, config.delayed_ack);
    EXPECT_EQ(applied.ack_every, config.ack_every);
}

TEST(TcpDelayedAck, OneAckForAWholeBurst) {  // whatever the preset: ACKs leave with the flush
    Config config = Script::defaults();
    config.delayed_ack = 0ms;
    Script s(config);
    s.accept();
    std::vector<Seg> burst;
    for (std::uint32_t i = 0; i < 32; ++i)
        burst.push_back({.seq = 1 + i * 1460, .ack = 1, .data = std::string(1460, 'b')});
    s.arrive(burst);
    EXPECT_EQ(s.out.size(), 1u);
    EXPECT_EQ(s.next().ack, 1 + 32 * 1460u);
}

TEST(TcpDelayedAck, ZeroMeansEverySegment) {
    Config config = Script::defaults();
    config.delayed_ack = 0ms;
    Script s(config);
    s.accept();
    const std::uint32_t seq = grow_old(s);
    s.arrive({.seq = seq, .ack = 1, .data = "x"});
    EXPECT_EQ(s.next().ack, seq + 1);
}

// --- pause, resume and the window ---

TEST(TcpPause, NothingIsDeliveredTheWindowClosesAndResumeBringsItAll) {
    Config config = Script::defaults();
    config.receive_window = 4000;
    Script s(config);
    const ConnId c = s.accept();
    s.tcp->pause(c);
    std::string sent;
    for (std::uint32_t i = 0; i < 4; ++i) {
        s.arrive({.seq = 1 + 1000 * i, .ack = 1, .data = std::string(1000, static_cast<char>('a' + i))});
        sent += std::string(1000, static_cast<char>('a' + i));
        const Seg ack = s.next();
        EXPECT_EQ(ack.ack, 1 + 1000 * (i + 1));
        EXPECT_EQ(ack.window, 3000 - 1000 * i);
    }
    EXPECT_TRUE(s.events.empty());
    // A probe at the closed window is answered, and its byte is refused (section 3.8.6.1).
    s.arrive({.seq = 4001, .ack = 1, .data = "p"});
    EXPECT_EQ(s.next().ack, 4001u);
    EXPECT_TRUE(s.events.empty());
    s.tcp->resume(c);
    EXPECT_TRUE(s.events.empty());
    s.poll();
    EXPECT_EQ(s.received(), sent);
    const Seg update = s.next();
    EXPECT_EQ(update.window, 4000);
    EXPECT_EQ(s.tcp->reassemblies(), 0u);
    s.arrive({.seq = 4001, .ack = 1, .data = "p"});
    EXPECT_EQ(s.received(), "p");
}

TEST(TcpPause, AckAndRstCountAtAClosedWindow) {  // section 3.10.7.4, first check: special allowance
    Config config = Script::defaults();
    config.receive_window = 1500;
    Script s(config);
    const ConnId c = s.accept();
    s.tcp->pause(c);
    s.arrive({.seq = 1, .ack = 1, .data = std::string(1500, 'x')});
    EXPECT_EQ(s.next().window, 0);
    s.say(c, "data");
    s.next();
    s.arrive({.seq = 1501, .ack = 5, .data = "refused"});
    EXPECT_EQ(s.tcp->unsent(c), 0u);
    s.arrive({.flags = kRst, .seq = 1501});
    EXPECT_EQ(s.event().reason, CloseReason::kReset);
    s.expect_empty();
}

TEST(TcpPause, FinWaitsForTheBytesBeforeIt) {
    Script s;
    const ConnId c = s.accept();
    s.tcp->pause(c);
    s.arrive({.flags = kAck | kFin, .seq = 1, .ack = 1, .data = "last words"});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.next().ack, 11u);  // the FIN is not acknowledged before it is told
    s.tcp->resume(c);
    s.poll();
    EXPECT_EQ(s.received(), "last words");
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.next().ack, 12u);
}

TEST(TcpPause, ManyHeldMbufsAreDeliveredOverSeveralPollsInOrder) {
    Config config = Script::defaults();
    config.receive_window = config.first_window = 4 << 20;
    Script s(config, 8191);
    const ConnId c = s.accept({.window_scale = 7});
    s.tcp->pause(c);
    std::string sent;
    for (std::uint32_t i = 0; i < 2500; ++i) {
        const std::string piece(1200, static_cast<char>('a' + i % 26));
        s.arrive({.seq = 1 + 1200 * i, .ack = 1, .data = piece});
        sent += piece;
    }
    s.tcp->resume(c);
    std::string got;
    int polls = 0;
    for (; got.size() < sent.size() && polls < 20; ++polls) {
        s.poll();
        got += s.received();
    }
    EXPECT_GT(polls, 1);
    EXPECT_TRUE(got == sent);
}

TEST(TcpReassemblyBounds, EachConnectionAndTheShardHaveOne) {
    Config config = Script::defaults();
    config.receive_window = 65536;
    Script s(config);
    s.accept();
    for (std::uint32_t i = 0; i < 400; ++i)
        s.arrive({.seq = 101 + 3 * i, .ack = 1, .data = "x"});  // each leaves a gap
    EXPECT_GT(s.count(&Counters::out_of_order_drops), 0u);
    EXPECT_LE(s.pools.missing(), 65536u / 1024 + 64);
    s.out.clear();

    Config small = Script::defaults();
    small.max_reassembly = 4 * RTE_MBUF_DEFAULT_BUF_SIZE;
    Script t(small);
    t.accept();
    for (std::uint32_t i = 0; i < 20; ++i)
        t.arrive({.seq = 101 + 3 * i, .ack = 1, .data = "x"});
    EXPECT_EQ(t.pools.missing(), 4u);
    EXPECT_EQ(t.count(&Counters::out_of_order_drops), 16u);
    t.arrive({.seq = 1, .ack = 1, .data = std::string(100, 'y')});  // what fills the gap is always let in
    EXPECT_EQ(t.received().size(), 101u);
}

// --- timestamps ---

TEST(TcpTimestamps, EachSegmentEchoesTheLatestInOrder) {  // RFC 7323 section 4.3
    Script s;
    const ConnId c = s.accept({.timestamps = true});
    s.peer_clock = 6000;
    s.arrive({.seq = 1, .ack = 1, .data = "a"});
    EXPECT_EQ(s.next().options.ts_echo, 6000u);
    s.peer_clock = 6100;
    s.arrive({.seq = 5, .ack = 1, .data = "later"});  // out of order: not echoed
    EXPECT_EQ(s.next().options.ts_echo, 6000u);
    const std::uint32_t first = s.tcp->connection(c).ts_offset;
    s.advance(10ms);
    s.say(c, "b");
    EXPECT_EQ(s.next().options.ts_value - first, static_cast<std::uint32_t>(s.now.time_since_epoch() / 1ms));
}

TEST(TcpTimestamps, PawsRejectsWhatIsOlder) {  // RFC 7323 section 5.3 R1
    Script s;
    s.accept({.timestamps = true});
    s.arrive({.seq = 1, .ack = 1, .data = "a"});
    s.out.clear();
    s.received();
    s.peer_clock -= 10;
    s.arrive({.seq = 2, .ack = 1, .data = "old incarnation"});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.next().ack, 2u);
    EXPECT_EQ(s.count(&Counters::paws_rejected), 1u);
    s.arrive({.flags = kRst, .seq = 2});  // RSTs are exempt
    EXPECT_EQ(s.event().kind, EventKind::kClosed);
}

TEST(TcpTimestamps, PawsHoldsAtAClosedWindow) {  // its "special allowance" is for acceptable timestamps
    Config config = Script::defaults();
    config.receive_window = 1500;
    Script s(config);
    const ConnId c = s.accept({.timestamps = true});
    s.tcp->pause(c);
    s.arrive({.seq = 1, .ack = 1, .data = std::string(1500, 'x')});
    EXPECT_EQ(s.next().window, 0);
    s.say(c, "data");
    s.next();
    const std::uint32_t recent = s.tcp->connection(c).ts_recent;
    s.peer_clock -= 10;
    s.arrive({.seq = 1501, .ack = 5, .window = 0, .data = "replayed"});
    EXPECT_EQ(s.count(&Counters::paws_rejected), 1u);
    EXPECT_EQ(s.tcp->connection(c).ts_recent, recent);
    EXPECT_NE(s.tcp->connection(c).snd_una, s.tcp->connection(c).snd_nxt);
    EXPECT_EQ(s.tcp->connection(c).snd_wnd, 65535u);
}

TEST(TcpTimestamps, SegmentsWithoutThemAreDroppedWhereTheyWereAgreed) {  // RFC 7323 section 3.2
    Script s;
    s.accept({.timestamps = true});
    s.timestamps = false;
    s.arrive({.seq = 1, .ack = 1, .data = "x"});
    s.arrive({.seq = 1, .ack = 1});
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 1});
    EXPECT_TRUE(s.events.empty());
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.count(&Counters::timestamps_missing), 3u);
    s.arrive(s.syn());  // a peer that was restarted: RFC 5961 section 4.2
    EXPECT_EQ(s.next().flags, kAck);
    s.arrive({.flags = kRst, .seq = 1});
    EXPECT_EQ(s.event().reason, CloseReason::kReset);
}

TEST(TcpTimestamps, After24IdleDaysTheyProveNothing) {  // RFC 7323 section 5.5
    Script s;
    s.accept({.timestamps = true});
    s.advance(25 * 24h);
    s.peer_clock += 0x80000001;  // wrapped meanwhile
    s.arrive({.seq = 1, .ack = 1, .data = "good morning"});
    EXPECT_EQ(s.received(), "good morning");
}

TEST(TcpTimestamps, ClockWraps) {
    Script s;
    s.peer_clock = 0xfffffffe;
    s.accept({.timestamps = true});
    for (std::uint32_t i = 0; i < 5; ++i) {
        s.arrive({.seq = 1 + i, .ack = 1, .data = "w"});
        ++s.peer_clock;
    }
    EXPECT_EQ(s.received(), "wwwww");
}

}  // namespace
}  // namespace millrace::tcp::test
