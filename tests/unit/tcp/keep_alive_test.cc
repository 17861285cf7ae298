// Peers that fall silent: keep-alive (RFC 9293 section 3.8.4), user timeout (RFC 5482), FIN-WAIT-2, closed
// windows (RFC 9293 section 3.8.6.1, RFC 6429).

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

Config with_keep_alive(Duration idle) {
    Config config = Script::defaults();
    config.keep_alive = idle;
    config.keep_alive_interval = 10s;
    config.keep_alive_probes = 3;
    return config;
}

// --- keep-alive ---

TEST(TcpKeepAlive, IsOffByDefault) {  // section 3.8.4: MUST default to off
    Script s;
    s.accept();
    s.run(5h);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->timers_armed(), 0u);
}

TEST(TcpKeepAlive, ForgedSegmentsAreNoAnswer) {
    Script s(with_keep_alive(60s));
    s.accept();
    for (int i = 0; i < 20 && s.events.empty(); ++i) {
        s.run(10s);
        s.arrive({.seq = 0x40000000, .ack = 1, .data = "x"});
    }
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
}

TEST(TcpKeepAlive, ProbesAfterTheSilence) {  // SEG.SEQ = SND.NXT - 1, no data
    Script s(with_keep_alive(60s));
    s.accept();
    s.run(59s);
    EXPECT_TRUE(s.quiet());
    s.run(1100ms);
    const Seg probe = s.next();
    EXPECT_EQ(probe.flags, kAck);
    EXPECT_EQ(probe.seq, 0u);
    EXPECT_EQ(probe.ack, 1u);
    EXPECT_TRUE(probe.data.empty());
    EXPECT_EQ(s.count(&Counters::keep_alives), 1u);
}

TEST(TcpKeepAlive, AnswerBeginsTheSilenceAnew) {
    Script s(with_keep_alive(60s));
    s.accept();
    s.run(61s);
    s.next();
    s.arrive({.seq = 1, .ack = 1});
    s.run(58s);
    EXPECT_TRUE(s.quiet());
    s.run(3s);
    EXPECT_EQ(s.next().seq, 0u);
    EXPECT_EQ(s.count(&Counters::keep_alives), 2u);
}

TEST(TcpKeepAlive, AnySegmentOfThePeersCounts) {
    Script s(with_keep_alive(60s));
    s.accept();
    for (int i = 0; i < 10; ++i) {
        s.run(50s);
        s.arrive({.seq = static_cast<std::uint32_t>(1 + i), .ack = 1, .data = "x"});
    }
    EXPECT_EQ(s.count(&Counters::keep_alives), 0u);
}

TEST(TcpKeepAlive, UnansweredProbesEndTheConnection) {
    Script s(with_keep_alive(60s));
    s.accept();
    s.run(95s);  // probes at 60, 70, 80; the end at 90
    EXPECT_EQ(s.count(&Counters::keep_alives), 3u);
    const Happened closed = s.event();
    EXPECT_EQ(closed.kind, EventKind::kClosed);
    EXPECT_EQ(closed.reason, CloseReason::kTimedOut);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(s.next().flags, kAck);
    EXPECT_EQ(s.next().flags, kRst | kAck);
    s.poll();
    s.expect_empty();
}

TEST(TcpKeepAlive,
     OneLostAnswerIsNotTheEnd) {  // section 3.8.4: MUST NOT interpret one failure as a dead peer
    Script s(with_keep_alive(60s));
    s.accept();
    s.run(81s);
    EXPECT_EQ(s.count(&Counters::keep_alives), 3u);
    s.arrive({.seq = 1, .ack = 1});
    s.run(58s);
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.count(&Counters::keep_alives), 3u);
    s.run(3s);
    EXPECT_EQ(s.count(&Counters::keep_alives), 4u);
}

TEST(TcpKeepAlive, OneTimerAndItIsLazy) {
    Script s(with_keep_alive(60s));
    s.accept();
    EXPECT_EQ(s.tcp->timers_armed(), 1u);
    const Time first = s.tcp->next_timer();
    for (std::uint32_t i = 0; i < 100; ++i)
        s.arrive({.seq = 1 + i, .ack = 1, .data = "x"});
    EXPECT_LE(s.tcp->next_timer(), first) << "arrivals do not move it";
    s.run(1s);
    EXPECT_EQ(s.tcp->timers_armed(), 1u);
}

TEST(TcpKeepAlive, HoursAreNoProblem) {  // the timers' microseconds go round in 71 minutes
    Script s(with_keep_alive(2h));
    s.accept();
    s.run(119min);
    EXPECT_TRUE(s.quiet());
    s.run(61s);
    EXPECT_EQ(s.count(&Counters::keep_alives), 1u);
}

TEST(TcpKeepAlive, NotWhileDataAreOutstanding) {  // section 3.8.4: only when nothing is
    Script s(with_keep_alive(5s));
    const ConnId c = s.accept();
    s.say(c, "x");
    s.run(20s);
    EXPECT_EQ(s.count(&Counters::keep_alives), 0u);
    EXPECT_GT(s.count(&Counters::timeouts), 3u);
}

TEST(TcpKeepAlive, ConnectionsThatWeOpenToo) {
    Script s(with_keep_alive(60s));
    s.connect();
    s.run(61s);
    EXPECT_EQ(s.next().seq, 0u);
}

TEST(TcpKeepAlive, AListenerMayNameItsOwn) {
    Script s;
    EXPECT_TRUE(s.tcp->listen({kLocal.ip, 81}, 30s));
    s.accept();
    s.run(31s);
    EXPECT_EQ(s.count(&Counters::keep_alives), 0u);
    s.our_end.port = 81;
    s.our_isn = 0;
    Seg syn = s.syn();
    syn.to = {kLocal.ip, 81};
    s.arrive(syn);
    s.next();
    s.arrive({.seq = 1, .ack = 1});
    s.run(31s);
    EXPECT_EQ(s.count(&Counters::keep_alives), 1u);
}

TEST(TcpKeepAlive, HalfClosedByThePeerItGoesOn) {
    Script s(with_keep_alive(60s));
    s.accept();
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 1});
    s.out.clear();
    s.run(61s);
    EXPECT_EQ(s.count(&Counters::keep_alives), 1u);
}

TEST(TcpKeepAlive, ProbeOfThePeersIsAnswered) {  // section 3.8.4, from the other side
    Script s;
    s.accept();
    s.arrive({.seq = 0, .ack = 1});
    const Seg answer = s.next();
    EXPECT_EQ(answer.flags, kAck);
    EXPECT_EQ(answer.ack, 1u);
    s.now += 1s;
    s.arrive({.seq = 0, .ack = 1, .data = "g"});  // with a byte of garbage
    EXPECT_EQ(s.next().ack, 1u);
    EXPECT_TRUE(s.events.empty());
}

// --- user timeout ---

TEST(TcpUserTimeout, EndsWhatIsNotAcknowledgedInTime) {  // RFC 5482 section 3.1
    Config config = Script::defaults();
    config.user_timeout = 5s;
    Script s(config);
    const ConnId c = s.accept();
    s.say(c, "x");
    s.run(4900ms);
    EXPECT_TRUE(s.events.empty());
    s.run(3s);  // looked at when the next retransmission is due
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
    s.poll();
    s.expect_empty();
}

TEST(TcpUserTimeout, BeginsAnewWithEachAcknowledgment) {
    Config config = Script::defaults();
    config.user_timeout = 5s;
    Script s(config);
    const ConnId c = s.accept();
    for (std::uint32_t i = 1; i <= 5; ++i) {
        s.say(c, "x");
        s.run(3s);
        s.arrive({.seq = 1, .ack = 1 + i});
    }
    EXPECT_TRUE(s.events.empty());
}

TEST(TcpUserTimeout, OutlastsTheCountOfRetries) {
    Config config = Script::defaults();
    config.user_timeout = 1h;
    Script s(config);
    const ConnId c = s.accept();
    s.say(c, "x");
    s.run(50min);
    EXPECT_TRUE(s.events.empty());
    s.run(12min);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
}

// The peer answers probes, with a closed window, for so long.
void stall(Script& s, Duration how_long) {
    for (const Time end = s.now + how_long; s.now < end && s.events.empty();) {
        s.run(1s);
        if (s.quiet() || !s.events.empty()) continue;
        EXPECT_EQ(s.next().seq + 1, s.tcp->connection(ConnId{0}).snd_una.value - s.our_isn);
        s.arrive({.seq = 1, .ack = s.tcp->connection(ConnId{0}).snd_una.value - s.our_isn, .window = 0});
    }
}

// RFC 9293 section 3.9.1.1: it is for all data submitted, sent or not. (MUST-37 of section 3.8.6.1 speaks of
// TCP's own patience: TcpPersist, ProbesGoOnForAsLongAsThePeerAnswers.)
TEST(TcpUserTimeout, EndsWhatWaitsBehindAClosedWindowHoweverThePeerAnswers) {
    Config config = Script::defaults();
    config.user_timeout = 60s;
    Script s(config);
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 0});
    s.say(c, "x");
    stall(s, 59s);
    EXPECT_TRUE(s.events.empty());
    stall(s, 60s);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
    EXPECT_EQ(s.next().flags, kRst | kAck);
    s.poll();
    s.expect_empty();
}

TEST(TcpUserTimeout, BeginsAnewWhenTheWindowLetsSomethingOut) {
    Config config = Script::defaults();
    config.user_timeout = 60s;
    Script s(config);
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 0});
    s.say(c, "abcd");
    for (std::uint32_t i = 0; i < 3; ++i) {
        stall(s, 45s);
        s.arrive({.seq = 1, .ack = 1 + i, .window = 1});
        for (int tries = 0; tries < 100 && s.quiet(); ++tries)
            s.run(1s);
        EXPECT_EQ(s.next().data, std::string(1, static_cast<char>('a' + i)));
        s.arrive({.seq = 1, .ack = 2 + i, .window = 0});
        s.out.clear();
    }
    EXPECT_TRUE(s.events.empty());
    stall(s, 3min);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
}

TEST(TcpUserTimeout, DoesNotCountTheTimeInWhichNothingWaited) {
    Config config = Script::defaults();
    config.user_timeout = 60s;
    Script s(config);
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 0});
    s.run(10min);
    s.say(c, "x");
    stall(s, 30s);
    EXPECT_TRUE(s.events.empty());
}

// A SYN with the option: kind 28, length 4.
ConnId accept_asking_for(Script& s, std::uint16_t value) {
    rte_mbuf* packet = s.build(s.syn());
    auto* header = rte_pktmbuf_mtod(packet, rte_tcp_hdr*);
    const std::uint8_t option[] = {28, 4, static_cast<std::uint8_t>(value >> 8),
                                   static_cast<std::uint8_t>(value)};
    std::memcpy(rte_pktmbuf_append(packet, sizeof option), option, sizeof option);
    header->data_off += 1 << 4;
    s.tcp->begin_poll();
    s.tcp->input(packet, kRemote.ip, kLocal.ip, s.tcp->flow_hash(packet, kRemote.ip, kLocal.ip), s.now);
    s.flush();
    s.next();
    s.arrive({.seq = 1, .ack = 1});
    return s.event().conn;
}

TEST(TcpUserTimeout, PeersWishIsIgnoredUnlessAllowed) {  // section 3.3: off by default
    Script s;
    const ConnId c = accept_asking_for(s, 0x8000 | 100);
    s.say(c, "x");
    s.run(20min);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
}

TEST(TcpUserTimeout, PeersWishIsHonouredUpToTheLimit) {
    Config config = Script::defaults();
    config.user_timeout_most = 30min;
    Script s(config);
    const ConnId c = accept_asking_for(s, 0x8000 | 100);  // 100 minutes
    s.say(c, "x");
    s.run(28min);
    EXPECT_TRUE(s.events.empty());
    s.run(4min);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
}

TEST(TcpUserTimeout, PeersWishIsNoLessThanTheFloor) {  // section 3.1: L_LIMIT, 100 seconds
    Config config = Script::defaults();
    config.user_timeout_most = 30min;
    Script s(config);
    const ConnId c = accept_asking_for(s, 1);  // a second
    s.say(c, "x");
    s.run(95s);
    EXPECT_TRUE(s.events.empty());
    s.run(65s);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
}

TEST(TcpUserTimeout, ZeroIsNoWish) {  // section 3
    Config config = Script::defaults();
    config.user_timeout_most = 30min;
    Script s(config);
    const ConnId c = accept_asking_for(s, 0);
    EXPECT_FALSE(s.tcp->connection(c).has(kExtra));
}

// --- FIN-WAIT-2 ---

ConnId into_fin_wait_2(Script& s) {
    const ConnId c = s.accept();
    s.tcp->close(c);
    s.flush();
    s.next();
    s.arrive({.seq = 1, .ack = 2});
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait2);
    return c;
}

TEST(TcpFinWait2, SilentPeerIsGivenUp) {
    Script s;
    into_fin_wait_2(s);
    s.run(59s);
    EXPECT_TRUE(s.quiet());
    s.run(2s);
    EXPECT_EQ(s.next().flags, kRst | kAck);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
    EXPECT_EQ(s.count(&Counters::fin_wait_2_timeouts), 1u);
    s.poll();
    s.expect_empty();
}

TEST(TcpFinWait2, PeerThatStillSendsIsHeard) {  // half-close: RFC 9293 section 3.6
    Script s;
    into_fin_wait_2(s);
    for (std::uint32_t i = 0; i < 10; ++i) {
        s.run(50s);
        s.arrive({.seq = 1 + i, .ack = 2, .data = "x"});
    }
    EXPECT_EQ(s.received(), "xxxxxxxxxx");
    s.arrive({.flags = kFin | kAck, .seq = 11, .ack = 2});
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.event().reason, CloseReason::kFinished);
}

TEST(TcpFinWait2, AReportOfADuplicateDoesNotLiftTheLimit) {  // RFC 2883: our FIN arrived twice
    Script s;
    const ConnId c = s.accept({.sack = true});
    s.say(c, "some bytes");
    s.tcp->close(c);
    s.flush();
    s.out.clear();
    s.arrive({.seq = 1, .ack = 12});
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait2);
    s.arrive(Script::sack(12, {{2, 11}}));
    s.run(2min);
    EXPECT_EQ(s.next().flags, kRst | kAck);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
    s.poll();
    s.expect_empty();
}

TEST(TcpFinWait2, ForgedSegmentsAreNoLifeOfThePeer) {
    Script s;
    into_fin_wait_2(s);
    for (int i = 0; i < 12 && s.events.empty(); ++i) {
        s.run(10s);
        s.arrive({.seq = 0x40000000, .ack = 2, .data = "x"});  // outside the window
        s.arrive({.seq = 1, .ack = 0x40000000, .data = "x"});  // acknowledges what was not sent
        s.arrive({.flags = kRst, .seq = 77});                  // not the exact number
    }
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
}

TEST(TcpFinWait2, OurOwnPauseIsNotThePeersSilence) {
    Script s;
    const ConnId c = into_fin_wait_2(s);
    s.tcp->pause(c);
    s.run(10min);
    EXPECT_TRUE(s.events.empty());
    s.tcp->resume(c);
    s.run(3min);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
}

TEST(TcpFinWait2, CanBeUnlimited) {
    Config config = Script::defaults();
    config.fin_wait_2 = 0s;
    Script s(config);
    into_fin_wait_2(s);
    s.run(24h);
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.tcp->timers_armed(), 0u);
}

// --- closed windows ---

TEST(TcpPersist, ProbesGoOnForAsLongAsThePeerAnswers) {  // section 3.8.6.1
    Script s;
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 0});
    s.say(c, "x");
    for (int i = 0; i < 200; ++i) {
        s.run(30s);
        while (!s.quiet()) {
            EXPECT_EQ(s.next().seq, 0u);
            s.arrive({.seq = 1, .ack = 1, .window = 0});
        }
    }
    EXPECT_TRUE(s.events.empty());
    s.arrive({.seq = 1, .ack = 1, .window = 100});
    EXPECT_EQ(s.next().data, "x");
}

TEST(TcpPersist, IntervalsGrowToAMinute) {  // section 3.8.6.1: SHOULD increase exponentially
    Script s;
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 0});
    s.say(c, "x");
    std::vector<Duration> between;
    Time last = s.now;
    while (between.size() < 12) {
        s.run(s.tcp->next_timer() - s.now + 1ms);
        if (s.quiet()) continue;
        s.next();
        between.push_back(s.now - last);
        last = s.now;
        s.arrive({.seq = 1, .ack = 1, .window = 0});
    }
    for (std::size_t i = 1; i < between.size(); ++i)
        EXPECT_GE(between[i] + 5ms, between[i - 1]);
    EXPECT_LE(between.back(), 61s);
    EXPECT_GE(between.back(), 59s);
}

TEST(TcpPersist, WithEnoughMemoryAStalledReaderIsLeftInPeace) {
    Script s;
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 0});
    s.say(c, "x");
    for (int i = 0; i < 60; ++i) {
        s.run(10s);
        s.out.clear();
        s.arrive({.seq = 1, .ack = 1, .window = 0});
    }
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.count(&Counters::aborts_on_memory), 0u);
}

TEST(TcpPersist, WithoutItStalledReadersAreEndedByAge) {  // RFC 6429 section 4: sockstress
    Script s(Script::defaults(), 255);
    std::vector<ConnId> stalled;
    for (std::uint16_t port = 3000; port < 3016; ++port) {
        const SocketAddress from{kRemote.ip, port};
        s.our_isn = 0;
        Seg syn = s.syn();
        syn.from = from;
        s.arrive(syn);
        s.next();
        s.arrive({.seq = 1, .ack = 1, .window = 0, .from = from});
        stalled.push_back(s.event().conn);
        for (int i = 0; i < 16 && s.append(stalled.back(), std::string(1460, 'x')); ++i) {
        }
        s.flush();
    }
    s.run(200s);  // nobody even answers: but before the probes run out, memory is what counts
    EXPECT_GE(s.count(&Counters::aborts_on_memory), 1u);
    EXPECT_LT(s.count(&Counters::aborts_on_memory), 16u) << "as many as were in the way";
}

// --- TIME-WAIT and connect() (RFC 6191 section 4) ---

TEST(TcpTimeWaitReuse, ConnectTakesATupleWhoseTimestampsProveItOver) {
    Config config = Script::defaults();
    Script s(config);
    const ConnId c = s.connect({.timestamps = true});
    const SocketAddress used = s.our_end;
    s.tcp->close(c);
    s.flush();
    s.out.clear();
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 2});
    s.events.clear();
    s.out.clear();
    EXPECT_EQ(s.tcp->in_time_wait(), 1u);
    const std::uint32_t old_isn = s.our_isn;
    s.now += 2s;
    // All other tuples of the range go by first: connects that are given up at once.
    ConnId again = s.tcp->connect(kRemote, s.now);
    for (int i = 0; i < 300'000 && !(s.tcp->local(again) == used); ++i) {
        s.tcp->abort(again);
        s.poll();
        again = s.tcp->connect(kRemote, s.now);
    }
    EXPECT_EQ(s.count(&Counters::time_wait_reused), 1u);
    EXPECT_EQ(s.tcp->in_time_wait(), 0u);
    s.flush();
    EXPECT_EQ(s.out.back().flags, kSyn);
    EXPECT_GT(static_cast<std::int32_t>(s.our_isn - old_isn), 2) << "overlaps the old incarnation";
}

}  // namespace
}  // namespace millrace::tcp::test
