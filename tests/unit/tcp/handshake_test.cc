// Opening: RFC 9293 sections 3.5 and 3.10.7.2 to 3.10.7.4, and what the SYNs negotiate.

#include <set>

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

TEST(TcpHandshake, PassiveOpenThreeWay) {  // figure 6
    Script s;
    const ConnId c = s.accept();
    EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
    EXPECT_EQ(s.tcp->peer(c), kRemote);
    EXPECT_EQ(s.tcp->local(c), kLocal);
    EXPECT_EQ(s.tcp->half_open(), 0u);
    EXPECT_EQ(s.tcp->connections(), 1u);
}

TEST(TcpHandshake, ActiveOpenThreeWay) {
    Script s;
    const ConnId c = s.connect();
    EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
    EXPECT_EQ(s.tcp->peer(c), kRemote);
    EXPECT_GE(s.tcp->local(c).port, 1024);  // RFC 6056 section 3.2
}

TEST(TcpHandshake, DataOnTheHandshakesAckFollowInTheSameBatch) {
    Script s;
    s.arrive(s.syn());
    s.next();
    s.arrive({.seq = 1, .ack = 1, .data = "first"});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
    EXPECT_EQ(s.received(), "first");
}

TEST(TcpHandshake, OurSynOffersMssScaleAndTimestamps) {
    Script s;
    const ConnId c = s.tcp->connect(kRemote, s.now);
    ASSERT_NE(c, net::kNoConn);
    s.flush();
    const Seg syn = s.next();
    EXPECT_EQ(syn.flags, kSyn);
    EXPECT_EQ(syn.options.mss, 1460);  // RFC 6691: MTU less 40, options not counted
    EXPECT_TRUE(syn.options.has_window_scale);
    EXPECT_EQ(syn.options.window_scale, 5);  // 1 MiB in 16 bits
    EXPECT_TRUE(syn.options.has_timestamps);
    EXPECT_EQ(syn.options.ts_echo, 0u);
    EXPECT_EQ(syn.window, 65535);
}

TEST(TcpHandshake, OurSynAckOffersNoMoreThanTheSyn) {  // RFC 7323 sections 2.2, 3.2
    Script s;
    s.arrive(s.syn());
    const Seg plain = s.next();
    EXPECT_FALSE(plain.options.has_window_scale);
    EXPECT_FALSE(plain.options.has_timestamps);
    EXPECT_EQ(plain.options.mss, 1460);

    Script t;
    t.arrive(t.syn({.timestamps = true, .window_scale = 7}));
    const Seg full = t.next();
    EXPECT_TRUE(full.options.has_window_scale);
    EXPECT_TRUE(full.options.has_timestamps);
    EXPECT_EQ(full.options.ts_echo, t.peer_clock);
}

TEST(TcpHandshake, WithoutMssOptionSegmentsAre536) {  // RFC 9293 section 3.7.1
    Script s;
    const ConnId c = s.accept({.mss = 0});
    s.say(c, std::string(1000, 'x'));
    EXPECT_EQ(s.next().data.size(), 536u);
    EXPECT_EQ(s.next().data.size(), 464u);
}

TEST(TcpHandshake, TimestampsTakeTheirRoomFromTheMss) {  // RFC 6691
    Script s;
    const ConnId c = s.accept({.timestamps = true});
    s.say(c, std::string(1460, 'x'));
    EXPECT_EQ(s.next().data.size(), 1448u);
    EXPECT_EQ(s.next().data.size(), 12u);
}

TEST(TcpHandshake, PeersWindowIsScaledAfterTheSynOnly) {  // RFC 7323 section 2.2
    Script s;
    const ConnId c = s.accept({.window_scale = 7, .window = 512});
    EXPECT_EQ(s.tcp->connection(c).snd_wnd, 512u << 7);
    Script t;
    const ConnId d = t.connect({.window_scale = 7, .window = 512});
    EXPECT_EQ(t.tcp->connection(d).snd_wnd, 512u);
}

TEST(TcpHandshake, BytesAppendedBeforeTheHandshakeLeaveAfterIt) {
    Script s;
    const ConnId c = s.start_connect();
    EXPECT_TRUE(s.append(c, "early"));
    s.flush();
    EXPECT_TRUE(s.quiet());
    Seg answer = s.syn();
    answer.flags = kSyn | kAck;
    answer.ack = 1;
    s.arrive(answer);
    EXPECT_EQ(s.event().kind, EventKind::kConnected);
    const Seg data = s.next();
    EXPECT_EQ(data.data, "early");
    EXPECT_EQ(data.seq, 1u);
    EXPECT_EQ(data.ack, 1u);
    EXPECT_TRUE(s.quiet());  // it is the ACK of the SYN, too
}

// Sizes of the segments that carry the first `bytes`, which were appended in SYN-SENT.
std::vector<std::size_t> early_segments(std::uint16_t mss, std::size_t bytes) {
    Script s;
    const ConnId c = s.start_connect();
    EXPECT_TRUE(s.append(c, std::string(bytes, 'e')));
    Seg answer = s.syn({.mss = mss});
    answer.flags = kSyn | kAck;
    answer.ack = 1;
    s.arrive(answer);
    std::vector<std::size_t> sizes;
    std::uint32_t at = 1;
    while (!s.quiet()) {
        const Seg segment = s.next();
        EXPECT_EQ(segment.seq, at);
        at += static_cast<std::uint32_t>(segment.data.size());
        sizes.push_back(segment.data.size());
    }
    EXPECT_EQ(at, bytes + 1);
    return sizes;
}

// RFC 9293 section 3.7.1: no larger than the peer's MSS, nor cut to the 536 of a peer that has named none.
TEST(TcpHandshake, BytesAppendedBeforeTheHandshakeLeaveInSegmentsOfThePeersMss) {
    EXPECT_EQ(early_segments(1460, 4000), (std::vector<std::size_t>{1448, 1448, 1104}));
    EXPECT_EQ(early_segments(1448, 4000), (std::vector<std::size_t>{1448, 1448, 1104}));
    EXPECT_EQ(early_segments(1000, 2896), (std::vector<std::size_t>{1000, 448, 1000, 448}));
    EXPECT_EQ(early_segments(0, 1448), (std::vector<std::size_t>{536, 536, 376}));
}

TEST(TcpHandshake, SimultaneousOpen) {  // figure 7
    Script s;
    s.start_connect();
    s.arrive(s.syn());
    const Seg answer = s.next();
    EXPECT_EQ(answer.flags, kSyn | kAck);
    EXPECT_EQ(answer.seq, 0u);
    EXPECT_EQ(answer.ack, 1u);
    Seg theirs = s.syn();
    theirs.flags = kSyn | kAck;
    theirs.ack = 1;
    s.arrive(theirs);
    EXPECT_EQ(s.event().kind, EventKind::kConnected);
    s.arrive({.seq = 1, .ack = 1, .data = "hi"});
    EXPECT_EQ(s.received(), "hi");
}

TEST(TcpHandshake, SimultaneousOpensSynAckHasAnUnscaledWindow) {  // RFC 7323 section 2.2
    Script s;
    const Peer peer{.window_scale = 7, .window = 1280};
    const ConnId c = s.start_connect(peer);
    s.arrive(s.syn(peer));
    s.next();
    Seg theirs = s.syn(peer);
    theirs.flags = kSyn | kAck;
    theirs.ack = 1;
    s.arrive(theirs);
    EXPECT_EQ(s.event().kind, EventKind::kConnected);
    EXPECT_EQ(s.tcp->connection(c).snd_wnd, 1280u);
    EXPECT_EQ(s.tcp->connection(c).max_send_window(), 1280u);
    s.arrive({.seq = 1, .ack = 1, .window = 1280});
    EXPECT_EQ(s.tcp->connection(c).snd_wnd, 1280u << 7);
}

TEST(TcpHandshake, SimultaneousOpenCompletedByAPlainAck) {
    Script s;
    const ConnId c = s.start_connect();
    s.arrive(s.syn());
    s.next();
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.event().kind, EventKind::kConnected);
    EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
}

TEST(TcpHandshake, SynSentRefusesAnAckThatIsNotOurs) {  // figure 8, section 3.10.7.3 first check
    Script s;
    s.start_connect();
    Seg old = s.syn();
    old.flags = kSyn | kAck;
    old.ack = 77;
    s.arrive(old);
    const Seg reset = s.next();
    EXPECT_EQ(reset.flags, kRst);
    EXPECT_EQ(reset.seq, 77u);
    EXPECT_TRUE(s.events.empty());
}

TEST(TcpHandshake, RstRefusesOurSyn) {
    Script s;
    s.start_connect();
    s.arrive({.flags = kRst, .seq = 0});  // without ACK it proves nothing
    EXPECT_TRUE(s.events.empty());
    s.arrive({.flags = kRst | kAck, .seq = 0, .ack = 1});
    const Happened closed = s.event();
    EXPECT_EQ(closed.kind, EventKind::kClosed);
    EXPECT_EQ(closed.reason, CloseReason::kRefused);
    s.expect_empty();
}

TEST(TcpHandshake,
     SynIsRetransmittedWithBackOffAndGivesUpAfterThreeMinutes) {  // RFC 6298, RFC 9293 section 3.8.3
    Script s;
    s.start_connect();
    const Time began = s.now;
    std::vector<long> seconds;
    while (s.events.empty() && s.now < began + 10min) {
        s.run(100ms);
        while (!s.quiet()) {
            EXPECT_EQ(s.next().flags, kSyn);
            seconds.push_back((s.now - began) / 1s);
        }
    }
    EXPECT_EQ(seconds, (std::vector<long>{1, 3, 7, 15, 31, 63, 123}));
    EXPECT_GE(s.now - began, 3min);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
    s.expect_empty();
}

TEST(TcpHandshake, SynAckIsRetransmittedAndForgotten) {
    Script s;
    s.arrive(s.syn());
    EXPECT_EQ(s.next().flags, kSyn | kAck);
    EXPECT_EQ(s.tcp->half_open(), 1u);
    s.run(5min);
    int again = 0;
    for (; !s.quiet(); ++again)
        EXPECT_EQ(s.next().flags, kSyn | kAck);
    EXPECT_EQ(again, 5);
    EXPECT_TRUE(s.events.empty());  // nobody was told of it
    s.expect_empty();
}

TEST(TcpHandshake, AgainstALostSynTheFirstRtoIsThreeSeconds) {  // RFC 6298 (5.7)
    Script s;
    const ConnId c = s.start_connect();
    s.run(1001ms);
    EXPECT_EQ(s.next().flags, kSyn);
    Seg answer = s.syn();
    answer.flags = kSyn | kAck;
    answer.ack = 1;
    s.arrive(answer);
    s.next();
    s.say(c, "x");
    s.next();
    s.run(2900ms);
    EXPECT_TRUE(s.quiet());
    s.run(200ms);
    EXPECT_EQ(s.next().data, "x");
    EXPECT_EQ(s.tcp->connection(c).congestion.cwnd,
              1460u);  // RFC 5681 section 3.1: one segment after a lost SYN
}

TEST(TcpHandshake, RepeatedSynIsAnsweredWithTheSameSynAck) {
    Script s;
    s.arrive(s.syn());
    s.next();
    const std::uint32_t isn = s.our_isn;
    s.arrive(s.syn());
    const Seg again = s.next();
    EXPECT_EQ(again.flags, kSyn | kAck);
    EXPECT_EQ(s.our_isn, isn);
    EXPECT_EQ(s.tcp->half_open(), 1u);
}

TEST(TcpHandshake, WrongAckInSynReceivedIsReset) {  // section 3.10.7.4, fifth check
    Script s;
    s.arrive(s.syn());
    s.next();
    s.arrive({.seq = 1, .ack = 500});
    const Seg reset = s.next();
    EXPECT_EQ(reset.flags, kRst);
    EXPECT_EQ(reset.seq, 500u);
    EXPECT_EQ(s.tcp->half_open(), 1u);  // a blind guess does not end the handshake
}

TEST(TcpHandshake, RstOrSynInSynReceivedReturnsToListen) {  // section 3.10.7.4, second and fourth checks
    for (const std::uint8_t flags : {kRst, kSyn}) {
        Script s;
        s.arrive(s.syn());
        s.next();
        s.arrive({.flags = flags, .seq = 1});
        EXPECT_TRUE(s.events.empty());
        s.poll();
        s.expect_empty();
        EXPECT_TRUE(s.tcp->listen({{}, 80}).has_value());
    }
}

TEST(TcpHandshake, ListenerAnswersAckWithRstAndIgnoresRst) {  // section 3.10.7.2
    Script s;
    s.arrive({.flags = kAck, .seq = 5, .ack = 9});
    const Seg reset = s.next();
    EXPECT_EQ(reset.flags, kRst);
    EXPECT_EQ(reset.seq, 9u);
    s.arrive({.flags = kRst, .seq = 5});
    s.arrive({.flags = kFin, .seq = 5});
    EXPECT_TRUE(s.quiet());
    s.expect_empty();
}

TEST(TcpHandshake, FullSlabDropsSynsAndExistingConnectionsGoOn) {
    Config config = Script::defaults();
    config.max_connections = 3;
    Script s(config);
    std::vector<ConnId> open;
    for (int i = 0; i < 3; ++i) {
        Seg syn = s.syn();
        syn.from.port = static_cast<std::uint16_t>(5000 + i);
        s.arrive(syn);
        s.next();
        s.arrive({.seq = 1, .ack = 1, .from = syn.from});
        open.push_back(s.event().conn);
    }
    Seg syn = s.syn();
    s.arrive(syn);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.count(&Counters::listen_drops_full), 1u);
    EXPECT_EQ(s.tcp->connect(kRemote, s.now), net::kNoConn);
    s.arrive({.seq = 1, .ack = 1, .data = "still", .from = {kRemote.ip, 5002}});
    EXPECT_EQ(s.received(), "still");
    s.tcp->abort(open[0]);
    s.flush();
    s.out.clear();
    s.arrive(syn);  // the next poll: the slot is free
    EXPECT_EQ(s.next().flags, kSyn | kAck);
}

TEST(TcpHandshake, SlotIsNotReusedInThePollThatFreedIt) {  // netstack/carrier.h
    Config config = Script::defaults();
    config.max_connections = 1;
    Script s(config);
    const ConnId c = s.accept();
    Seg syn = s.syn();
    syn.from.port = 7;
    s.arrive({{.flags = kRst, .seq = 1}, syn});
    EXPECT_EQ(s.event().kind, EventKind::kClosed);
    EXPECT_TRUE(s.quiet());
    s.arrive(syn);
    EXPECT_EQ(s.next().flags, kSyn | kAck);
    s.arrive({.seq = 1, .ack = 1, .from = syn.from});
    EXPECT_EQ(s.event().conn, c);
}

TEST(TcpHandshake, UnreachableEndsOnlyWhatHasNotBegun) {  // RFC 5927 section 4.1, RFC 5461 section 4
    Script s;
    s.start_connect();
    s.tcp->begin_poll();
    s.tcp->unreachable(s.our_end, kRemote, s.our_isn + 9, s.now);  // quotes no segment of ours
    EXPECT_TRUE(s.tcp->events().empty());
    s.tcp->unreachable(s.our_end, kRemote, s.our_isn, s.now);
    ASSERT_EQ(s.tcp->events().size(), 1u);
    EXPECT_EQ(s.tcp->events()[0].reason, CloseReason::kUnreachable);
    s.poll();
    s.expect_empty();

    Script t;
    t.accept();
    t.tcp->begin_poll();
    t.tcp->unreachable(kLocal, kRemote, t.our_isn + 1, t.now);
    EXPECT_TRUE(t.tcp->events().empty());
}

TEST(TcpHandshake, CloseInSynSentIsToldWithTheNextPoll) {  // section 3.10.4
    Script s;
    const ConnId c = s.start_connect();
    EXPECT_TRUE(s.append(c, "never sent"));
    s.tcp->close(c);
    s.flush();
    EXPECT_TRUE(s.quiet());
    s.poll();
    const Happened closed = s.event();
    EXPECT_EQ(closed.kind, EventKind::kClosed);
    EXPECT_EQ(closed.reason, CloseReason::kFinished);
    s.poll();
    s.expect_empty();
}

TEST(TcpHandshake, CloseInSimultaneousOpenSendsFinAfterTheHandshake) {
    Script s;
    const ConnId c = s.start_connect();
    s.arrive(s.syn());
    s.next();
    s.tcp->close(c);
    s.flush();
    EXPECT_TRUE(s.quiet());
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.event().kind, EventKind::kConnected);
    EXPECT_EQ(s.next().flags, kFin | kAck);
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait1);
}

TEST(TcpHandshake, StopListeningLetsHandshakesFinish) {
    Script s;
    s.arrive(s.syn());
    s.next();
    s.tcp->stop_listening();
    Seg other = s.syn();
    other.from.port = 9;
    s.arrive(other);
    EXPECT_EQ(s.next().flags, kRst | kAck);
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
}

TEST(TcpHandshake, ListenNamesItsErrors) {
    Script s;
    EXPECT_FALSE(s.tcp->listen({{}, 0}).has_value());
    EXPECT_FALSE(s.tcp->listen({net::Ipv4{0x01020304}, 80}).has_value());
    EXPECT_TRUE(s.tcp->listen({kLocal.ip, 81}).has_value());
}

TEST(TcpPorts, EachConnectionHasItsOwnTupleOnItsOwnShard) {
    Config config = Script::defaults();
    config.max_connections = 4000;
    Pools pools(63, 8191);
    const net::Rss rss(4);
    auto tcp =
        std::move(*Tcp::create(config, pools.data(), pools.header(), {{net::Ipv4{0x0a000001}, 2}}, rss, 3));
    std::set<SocketAddress> seen;
    for (int i = 0; i < 4000; ++i) {
        const ConnId c = tcp->connect(kRemote, Time{1h});
        ASSERT_NE(c, net::kNoConn);
        const SocketAddress local = tcp->local(c);
        ASSERT_GE(local.port, 1024);
        ASSERT_EQ(rss.queue_of(kRemote, local), 3u);
        ASSERT_TRUE(seen.insert(local).second);
    }
    EXPECT_EQ(tcp->connect(kRemote, Time{1h}), net::kNoConn);
}

TEST(TcpPorts, AllTuplesOfARangeCanBeTakenAndNoMore) {
    Config config = Script::defaults();
    config.max_connections = 70000;
    Pools pools(63, 255);
    const net::Rss rss(1);
    auto tcp =
        std::move(*Tcp::create(config, pools.data(), pools.header(), {{net::Ipv4{0x0a000001}, 1}}, rss, 0));
    int made = 0;
    while (tcp->connect(kRemote, Time{1h}) != net::kNoConn)
        ++made;
    EXPECT_EQ(made, 65536 - 1024);
    EXPECT_EQ(tcp->counters().no_ports.value(), 1u);
    EXPECT_NE(tcp->connect({kRemote.ip, 81}, Time{1h}), net::kNoConn);  // another remote end has its own
}

TEST(TcpPorts, SetUpErrorsAreValues) {
    EXPECT_FALSE(Tcp::create({.mtu = 100}, nullptr, nullptr, {}, net::Rss(1), 0).has_value());
    EXPECT_FALSE(Tcp::create({.max_connections = 0}, nullptr, nullptr, {}, net::Rss(1), 0).has_value());
}

}  // namespace
}  // namespace millrace::tcp::test
