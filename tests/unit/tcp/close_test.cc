// Every order of closing, and TIME-WAIT: RFC 9293 section 3.6, RFC 6191.

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

// We close first (section 3.6, figure 12, side A): returns in TIME-WAIT.
ConnId into_time_wait(Script& s, const Peer& peer = {}) {
    const ConnId c = s.accept(peer);
    s.tcp->close(c);
    s.flush();
    const Seg fin = s.next();
    EXPECT_EQ(fin.flags, kFin | kAck);
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait1);
    s.arrive({.seq = 1, .ack = 2});
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait2);
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 2});
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    const Happened closed = s.event();
    EXPECT_EQ(closed.kind, EventKind::kClosed);
    EXPECT_EQ(closed.reason, CloseReason::kFinished);
    const Seg ack = s.next();
    EXPECT_EQ(ack.flags, kAck);
    EXPECT_EQ(ack.seq, 2u);
    EXPECT_EQ(ack.ack, 2u);
    EXPECT_EQ(s.tcp->connection(c).state, State::kTimeWait);
    EXPECT_EQ(s.tcp->in_time_wait(), 1u);
    EXPECT_EQ(s.tcp->connections(), 0u);
    return c;
}

TEST(TcpClose, WeFirst) {
    Script s;
    into_time_wait(s);
    EXPECT_EQ(s.pools.missing(), 0u);
    s.run(61s);
    s.expect_empty();
}

TEST(TcpClose, PeerFirst) {  // figure 12, side B
    Script s;
    const ConnId c = s.accept();
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 1});
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.next().ack, 2u);
    EXPECT_EQ(s.tcp->connection(c).state, State::kCloseWait);
    s.say(c, "still talking");  // half-closed: our half is open
    EXPECT_EQ(s.next().data, "still talking");
    s.arrive({.seq = 2, .ack = 14});
    s.tcp->close(c);
    s.flush();
    EXPECT_EQ(s.next().flags, kFin | kAck);
    EXPECT_EQ(s.tcp->connection(c).state, State::kLastAck);
    s.arrive({.seq = 2, .ack = 15});
    EXPECT_EQ(s.event().reason, CloseReason::kFinished);
    s.poll();
    s.expect_empty();
}

TEST(TcpClose, BothAtOnce) {  // figure 13
    Script s;
    const ConnId c = s.accept();
    s.tcp->close(c);
    s.flush();
    s.next();
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 1});
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.tcp->connection(c).state, State::kClosing);
    EXPECT_EQ(s.next().ack, 2u);
    s.arrive({.seq = 2, .ack = 2});
    EXPECT_EQ(s.event().kind, EventKind::kClosed);
    EXPECT_EQ(s.tcp->connection(c).state, State::kTimeWait);
    s.run(61s);
    s.expect_empty();
}

TEST(TcpClose, PeersFinAcknowledgesOurs) {  // FIN-WAIT-1 straight to TIME-WAIT
    Script s;
    const ConnId c = s.accept();
    s.tcp->close(c);
    s.flush();
    s.next();
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 2});
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.event().kind, EventKind::kClosed);
    EXPECT_EQ(s.tcp->connection(c).state, State::kTimeWait);
    EXPECT_EQ(s.next().ack, 2u);
}

TEST(TcpClose, FinFollowsWhatIsQueued) {  // section 3.10.4
    Script s;
    const ConnId c = s.accept();
    EXPECT_TRUE(s.append(c, std::string(20000, 'q')));
    s.tcp->close(c);
    EXPECT_FALSE(s.tcp->prepare(c, 1));
    std::size_t got = 0;
    bool fin = false;
    for (int i = 0; i < 10 && !fin; ++i) {
        s.flush();
        while (!s.quiet()) {
            const Seg part = s.next();
            EXPECT_FALSE(fin);
            got += part.data.size();
            fin = part.flags & kFin;
        }
        s.arrive({.seq = 1, .ack = static_cast<std::uint32_t>(1 + got + (fin ? 1 : 0))});
    }
    EXPECT_TRUE(fin);
    EXPECT_EQ(got, 20000u);
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait2);
}

TEST(TcpClose, HalfClosedWeStillReceive) {
    Script s;
    const ConnId c = s.accept();
    s.tcp->close(c);
    s.flush();
    s.next();
    s.arrive({.seq = 1, .ack = 1, .data = "in FIN-WAIT-1"});
    EXPECT_EQ(s.received(), "in FIN-WAIT-1");
    s.arrive({.seq = 14, .ack = 2, .data = "in FIN-WAIT-2"});
    EXPECT_EQ(s.received(), "in FIN-WAIT-2");
    s.out.clear();
    s.arrive({.flags = kFin | kAck, .seq = 27, .ack = 2, .data = "end"});
    EXPECT_EQ(s.received(), "end");
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.event().kind, EventKind::kClosed);
}

TEST(TcpClose, LostFinWithDataIsSentAgainWithThem) {
    Script s;
    const ConnId c = s.accept();
    EXPECT_TRUE(s.append(c, "bye"));
    s.tcp->close(c);
    s.flush();
    const Seg first = s.next();
    EXPECT_EQ(first.flags, kFin | kPsh | kAck);
    EXPECT_EQ(first.data, "bye");
    s.run(210ms);
    const Seg again = s.next();
    EXPECT_EQ(again.flags, kFin | kPsh | kAck);
    EXPECT_EQ(again.data, "bye");
    s.arrive({.seq = 1, .ack = 4});  // the data alone
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait1);
    s.run(1s);
    const Seg fin = s.next();
    EXPECT_EQ(fin.flags, kFin | kAck);
    EXPECT_EQ(fin.seq, 4u);
    s.arrive({.seq = 1, .ack = 5});
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait2);
}

TEST(TcpClose, TextAfterThePeersFinIsIgnored) {  // section 3.10.7.4, seventh check
    Script s;
    const ConnId c = s.accept();
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 1});
    s.event();
    s.arrive({.seq = 2, .ack = 1, .data = "what?"});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.tcp->connection(c).state, State::kCloseWait);
}

TEST(TcpClose, RstInEachClosingState) {  // section 3.10.7.4, second check
    for (int state = 0; state < 4; ++state) {
        Script s;
        const ConnId c = s.accept();
        std::uint32_t seq = 1;
        if (state == 1 || state == 3) {  // CLOSE-WAIT, LAST-ACK
            s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 1});
            s.event();
            seq = 2;
        }
        if (state != 1) s.tcp->close(c);  // FIN-WAIT-1, LAST-ACK
        s.flush();
        if (state == 2) s.arrive({.seq = 1, .ack = 2});  // FIN-WAIT-2
        s.arrive({.flags = kRst, .seq = seq});
        EXPECT_EQ(s.event().reason, CloseReason::kReset) << state;
        s.poll();
        s.expect_empty();
    }
}

TEST(TcpClose, CloseTwiceAndAbortAfterCloseAreHarmless) {
    Script s;
    const ConnId c = s.accept();
    s.tcp->close(c);
    s.tcp->close(c);
    s.flush();
    EXPECT_EQ(s.out.size(), 1u);
    s.tcp->abort(c);
    s.flush();
    s.out.clear();
    s.poll();
    s.expect_empty();
}

// --- TIME-WAIT ---

TEST(TcpTimeWait, RetransmittedFinIsAcknowledgedAndTheWaitBeginsAnew) {  // section 3.10.7.4, eighth check
    Script s;
    into_time_wait(s);
    s.run(50s);
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 2});
    const Seg ack = s.next();
    EXPECT_EQ(ack.ack, 2u);
    EXPECT_TRUE(s.events.empty());
    s.run(50s);
    EXPECT_EQ(s.tcp->in_time_wait(), 1u);
    s.run(11s);
    s.expect_empty();
}

TEST(TcpTimeWait, OnlyTheFinWhereItLayRestartsTheWait) {  // RFC 5961 section 7: any other is a stranger's
    Script s;
    into_time_wait(s);
    for (int i = 0; i < 6; ++i) {
        s.run(9s);
        s.arrive({.flags = kFin | kAck, .seq = 1000, .ack = 2});
        EXPECT_EQ(s.next().flags, kAck);
        s.arrive({.flags = kFin | kAck, .seq = 0xfffff000, .ack = 2});
    }
    s.run(10s);
    EXPECT_EQ(s.tcp->in_time_wait(), 0u);
    EXPECT_GT(s.count(&Counters::challenge_acks), 5u);
}

TEST(TcpTimeWait, FinsOfOnePollDoNotKeepOthersFromGivingWay) {
    Config config = Script::defaults();
    config.max_connections = 2;
    Script s(config);
    into_time_wait(s);
    s.now += 1s;
    Seg other = s.syn();
    other.from.port = 7;
    s.our_isn = 0;
    s.arrive(other);
    s.next();
    s.arrive({.seq = 1, .ack = 1, .from = other.from});
    s.tcp->close(s.event().conn);
    s.flush();
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 2, .from = other.from});
    s.out.clear();
    ASSERT_EQ(s.tcp->in_time_wait(), 2u);
    s.now += 1s;
    const Seg again{.flags = kFin | kAck, .seq = 1, .ack = 2};
    Seg newcomer = s.syn();
    newcomer.from.port = 8;
    s.arrive({again, again, again, newcomer});
    EXPECT_EQ(s.count(&Counters::time_wait_evicted), 1u);
    EXPECT_EQ(s.tcp->half_open(), 1u);
    EXPECT_EQ(s.tcp->in_time_wait(), 1u);
}

TEST(TcpTimeWait, NewSynWithHigherSequenceReopens) {  // section 3.6.1
    Script s;
    into_time_wait(s);
    const std::uint32_t old_isn = s.our_isn;
    s.now += 1s;
    Seg syn = s.syn();
    syn.seq = 5000;
    s.arrive(syn);
    const Seg answer = s.next();
    EXPECT_EQ(answer.flags, kSyn | kAck);
    EXPECT_EQ(answer.ack, 5001u);
    EXPECT_GT(static_cast<std::int32_t>(s.our_isn - (old_isn + 2)), 0)
        << "the new ISN overlaps the old incarnation";
    EXPECT_EQ(s.tcp->in_time_wait(), 0u);
    EXPECT_EQ(s.count(&Counters::time_wait_recycled), 1u);
    s.peer_isn += 5000;
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
}

TEST(TcpTimeWait, NewSynWithLaterTimestampReopensWhateverItsSequence) {  // RFC 6191 section 2
    Script s;
    into_time_wait(s, {.timestamps = true});
    Seg syn = s.syn({.timestamps = true});
    syn.seq = static_cast<std::uint32_t>(-70000);
    s.arrive(syn);  // the same timestamp: no proof
    EXPECT_EQ(s.next().flags, kAck);
    EXPECT_EQ(s.tcp->in_time_wait(), 1u);
    s.peer_clock += 1;
    syn = s.syn({.timestamps = true});
    syn.seq = static_cast<std::uint32_t>(-70000);
    s.arrive(syn);
    EXPECT_EQ(s.next().flags, kSyn | kAck);
}

TEST(TcpTimeWait, OldSynIsChallenged) {
    Script s;
    into_time_wait(s);
    Seg syn = s.syn();
    syn.seq = static_cast<std::uint32_t>(-10);
    s.arrive(syn);
    EXPECT_EQ(s.next().flags, kAck);
    EXPECT_EQ(s.tcp->in_time_wait(), 1u);
}

TEST(TcpTimeWait, OldestGivesWayWhenTheSlabIsFull) {
    Config config = Script::defaults();
    config.max_connections = 2;
    Script s(config);
    into_time_wait(s);
    Seg syn = s.syn();
    for (std::uint16_t port : {1, 2}) {
        s.our_isn = 0;
        syn.from.port = port;
        s.arrive(syn);
        EXPECT_EQ(s.next().flags, kSyn | kAck);
        s.arrive({.seq = 1, .ack = 1, .from = syn.from});
    }
    EXPECT_EQ(s.count(&Counters::time_wait_evicted), 1u);
    EXPECT_EQ(s.tcp->in_time_wait(), 0u);
    EXPECT_EQ(s.tcp->table_size(), 2u);
    s.arrive({.seq = 7, .ack = 2});
    EXPECT_EQ(s.next().flags, kRst);
}

TEST(TcpTimeWait, NotInThePollInWhichItWasEntered) {  // its kClosed event names the slot
    Config config = Script::defaults();
    config.max_connections = 1;
    Script s(config);
    const ConnId c = s.accept();
    s.tcp->close(c);
    s.flush();
    s.out.clear();
    Seg syn = s.syn();
    syn.from.port = 1;
    s.arrive({{.flags = kFin | kAck, .seq = 1, .ack = 2}, syn});
    EXPECT_EQ(s.next().flags, kAck);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.count(&Counters::listen_drops_full), 1u);
    s.arrive(syn);
    EXPECT_EQ(s.next().flags, kSyn | kAck);
}

TEST(TcpTimeWait, ExpireInTheOrderOfTheirComing) {
    Config config = Script::defaults();
    config.max_connections = 1000;
    Script s(config);
    for (std::uint16_t i = 0; i < 300; ++i) {
        const SocketAddress from{kRemote.ip, static_cast<std::uint16_t>(2000 + i)};
        Seg syn = s.syn();
        syn.from = from;
        s.arrive(syn);
        s.arrive({.seq = 1, .ack = 1, .from = from});
        s.tcp->close(s.event().conn);
        s.flush();
        s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 2, .from = from});
        s.events.clear();
        s.out.clear();
        s.now += 100ms;
    }
    EXPECT_EQ(s.tcp->in_time_wait(), 300u);
    s.run(29s);
    EXPECT_EQ(s.tcp->in_time_wait(), 300u);
    s.run(16s);
    EXPECT_NEAR(static_cast<double>(s.tcp->in_time_wait()), 150, 3);
    s.run(20s);
    s.expect_empty();
}

TEST(TcpTimeWait, TheEnginesCallsDoNotTouchIt) {
    Script s;
    const ConnId c = into_time_wait(s);
    s.tcp->abort(c);
    s.tcp->close(c);
    EXPECT_FALSE(s.tcp->prepare(c, 1));
    s.tcp->set_timer(c, s.now + 1s);
    s.flush();
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->in_time_wait(), 1u);
    EXPECT_EQ(s.tcp->timers_armed(), 0u);
}

}  // namespace
}  // namespace millrace::tcp::test
