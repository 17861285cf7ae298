// Path MTU discovery: RFC 1191, RFC 5927 sections 4 and 7, RFC 4821.

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

void too_big(Script& s, std::uint16_t mtu, std::uint32_t quoted = 1) {
    s.tcp->path_mtu(s.our_end, kRemote, mtu, s.our_isn + quoted, s.now);
    s.flush();
}

// Everything that has been sent, as lengths.
std::vector<std::size_t> lengths(Script& s) {
    std::vector<std::size_t> all;
    while (!s.quiet())
        all.push_back(s.next().data.size());
    return all;
}

TEST(TcpPathMtu, SegmentThatWasTooBigIsResentAtOnceInSmallerPieces) {  // RFC 1191 section 6.4
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    EXPECT_EQ(lengths(s), (std::vector<std::size_t>{1460}));
    too_big(s, 1400);
    EXPECT_EQ(s.tcp->connection(c).mss, 1360);
    EXPECT_EQ(lengths(s), (std::vector<std::size_t>{1360, 100}));
    EXPECT_EQ(s.count(&Counters::path_mtu_reductions), 1u);
    s.arrive({.seq = 1, .ack = 1461});
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpPathMtu, BytesComeInOrderAndOnceWhateverTheSizes) {
    Script s;
    const ConnId c = s.accept();
    std::string text;
    for (int i = 0; i < 5000; ++i)
        text += static_cast<char>('a' + i % 26);
    s.say(c, text);
    s.out.clear();
    too_big(s, 600);
    std::string got;
    while (!s.quiet()) {
        const Seg part = s.next();
        EXPECT_EQ(part.seq, 1 + got.size());
        EXPECT_LE(part.data.size(), 560u);
        got += part.data;
        if (s.quiet()) s.arrive({.seq = 1, .ack = 1 + static_cast<std::uint32_t>(got.size())});
    }
    EXPECT_TRUE(got == text) << got.size();
}

TEST(TcpPathMtu, IsNoCongestion) {  // RFC 1191 section 6.4: but slow start, up to the window as it was
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(10 * 1460, 'a'));
    const std::uint32_t before = s.tcp->connection(c).congestion.cwnd;
    s.out.clear();
    too_big(s, 1300);
    EXPECT_EQ(s.tcp->connection(c).congestion.cwnd, 1260u);
    EXPECT_GE(s.tcp->connection(c).congestion.ssthresh, before);
    EXPECT_EQ(lengths(s), (std::vector<std::size_t>{1260, 200})) << "one unit until it is acknowledged";
    s.arrive({.seq = 1, .ack = 1 + 1460});
    EXPECT_EQ(s.tcp->connection(c).congestion.cwnd, 2 * 1260u);
    EXPECT_FALSE(s.quiet());
    EXPECT_EQ(s.tcp->connection(c).retries, 0);
    EXPECT_EQ(s.tcp->connection(c).backoff, 0);
    EXPECT_EQ(s.count(&Counters::timeouts), 0u);
}

TEST(TcpPathMtu, TimestampsTakeTheirRoom) {  // RFC 6691
    Script s;
    const ConnId c = s.accept({.timestamps = true});
    s.say(c, std::string(1448, 'a'));
    too_big(s, 1400);
    EXPECT_EQ(s.tcp->connection(c).mss, 1400 - 20 - 32);
}

TEST(TcpPathMtu, LaterBytesAreCutToTheNewSize) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    too_big(s, 1300);
    s.arrive({.seq = 1, .ack = 1461});
    s.out.clear();
    s.say(c, std::string(2500, 'b'));
    EXPECT_EQ(lengths(s), (std::vector<std::size_t>{1260, 1240}));
}

TEST(TcpPathMtu, ReferencesAreCutToTheNewSizeToo) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    too_big(s, 1300);
    s.arrive({.seq = 1, .ack = 1461});
    s.out.clear();
    const std::string text(1448, 'r');
    {
        const Shared shared = s.tcp->make_shared(std::as_bytes(std::span(text)));
        EXPECT_TRUE(s.tcp->append(c, shared));
    }
    s.flush();
    EXPECT_EQ(lengths(s), (std::vector<std::size_t>{1260, 188}));
    s.arrive({.seq = 1, .ack = 1461 + 1448});
}

TEST(TcpPathMtu, SequenceNumberNotOutstandingIsForged) {  // RFC 5927 section 4.1
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    s.out.clear();
    for (const std::uint32_t quoted : {0u, 1461u, 1462u, 0x80000000u, 0xfffffff0u})
        too_big(s, 600, quoted);
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
    EXPECT_EQ(s.count(&Counters::icmps_out_of_window), 5u);
    EXPECT_EQ(s.count(&Counters::path_mtu_reductions), 0u);
    EXPECT_TRUE(s.quiet());
    too_big(s, 1400, 1460);  // the last byte outstanding
    EXPECT_EQ(s.tcp->connection(c).mss, 1360);
}

TEST(TcpPathMtu, NothingOutstandingNothingBelieved) {
    Script s;
    const ConnId c = s.accept();
    too_big(s, 600, 1);
    too_big(s, 600, 0);
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
    EXPECT_EQ(s.count(&Counters::icmps_out_of_window), 2u);
}

TEST(TcpPathMtu, AcknowledgedDataAreNoLongerOutstanding) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    s.arrive({.seq = 1, .ack = 1461});
    s.say(c, "b");
    too_big(s, 600, 1);
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
    EXPECT_EQ(s.count(&Counters::icmps_out_of_window), 1u);
}

TEST(TcpPathMtu, MtuNotSmallerThanWhatWasSentIsIgnored) {  // RFC 5927 section 7.2
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    s.out.clear();
    too_big(s, 1500);
    too_big(s, 65535);
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
    EXPECT_TRUE(s.quiet());
}

TEST(TcpPathMtu, BelowTheFloorIsCountedAndRaisedToIt) {  // RFC 5927 section 7.2: 68 would be an attack
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    too_big(s, 68);
    EXPECT_EQ(s.tcp->connection(c).mss, 552 - 40);
    EXPECT_EQ(s.count(&Counters::path_mtu_floors), 1u);
    s.out.clear();
    too_big(s, 68);
    EXPECT_EQ(s.tcp->connection(c).mss, 552 - 40);
    EXPECT_TRUE(s.quiet()) << "nothing is smaller than the floor";
}

TEST(TcpPathMtu, RouterThatNamesNoMtuMeansTheNextPlateau) {  // RFC 1191 section 5
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    too_big(s, 0);
    EXPECT_EQ(s.tcp->connection(c).mss, 1492 - 40);
    too_big(s, 0);
    EXPECT_EQ(s.tcp->connection(c).mss, 1006 - 40);
    too_big(s, 0);
    EXPECT_EQ(s.tcp->connection(c).mss, 552 - 40);
    too_big(s, 0);
    EXPECT_EQ(s.tcp->connection(c).mss, 552 - 40);
}

TEST(TcpPathMtu, RepeatedMessagesResendNothingMore) {  // one for each segment of a window
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(5840, 'a'));
    s.out.clear();
    for (std::uint32_t i = 0; i < 4; ++i)
        too_big(s, 1400, 1 + i * 1460);
    EXPECT_EQ(s.count(&Counters::path_mtu_reductions), 1u);
    std::uint32_t sent = 0;
    while (!s.quiet()) {
        sent += static_cast<std::uint32_t>(s.next().data.size());
        if (s.quiet()) s.arrive({.seq = 1, .ack = 1 + sent});
    }
    EXPECT_EQ(sent, 5840u);
}

TEST(TcpPathMtu, OnlyTheConnectionNamedIsTouched) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    SocketAddress other = kRemote;
    ++other.port;
    s.tcp->path_mtu(kLocal, other, 600, s.our_isn + 1, s.now);
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
    EXPECT_EQ(s.count(&Counters::path_mtu_messages), 1u);
}

TEST(TcpPathMtu, InSynSentNothingHasBeenTooBig) {
    Script s;
    const ConnId c = s.start_connect();
    s.tcp->path_mtu(s.our_end, kRemote, 600, s.our_isn, s.now);
    EXPECT_EQ(s.tcp->connection(c).state, State::kSynSent);
    EXPECT_TRUE(s.quiet());
}

TEST(TcpPathMtu, FinGoesAgainWithItsData) {
    Script s;
    const ConnId c = s.accept();
    EXPECT_TRUE(s.append(c, std::string(1460, 'z')));
    s.tcp->close(c);
    s.flush();
    EXPECT_TRUE(s.next().flags & kFin);
    too_big(s, 1400);
    const Seg first = s.next(), last = s.next();
    EXPECT_EQ(first.data.size(), 1360u);
    EXPECT_FALSE(first.flags & kFin);
    EXPECT_EQ(last.data.size(), 100u);
    EXPECT_TRUE(last.flags & kFin);
    s.arrive({.seq = 1, .ack = 1462});
    EXPECT_EQ(s.tcp->connection(c).state, State::kFinWait2);
}

// --- RFC 4821 ---

TEST(TcpPathMtu, SilentBlackHoleIsFoundByTimeouts) {  // section 7.7
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    s.out.clear();
    s.run(700ms);  // two timeouts
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
    s.run(1s);  // the third
    EXPECT_EQ(s.tcp->connection(c).mss, 1280 - 40);
    EXPECT_EQ(s.count(&Counters::path_mtu_black_holes), 1u);
    EXPECT_EQ(s.out[s.out.size() - 2].data.size(), 1240u);
    EXPECT_EQ(s.out.back().data.size(), 220u);
    s.run(10s);
    EXPECT_EQ(s.tcp->connection(c).mss, 552 - 40);
    EXPECT_EQ(s.count(&Counters::path_mtu_black_holes), 2u);
    s.run(10s);
    EXPECT_EQ(s.tcp->connection(c).mss, 552 - 40);
}

// Proportional rate reduction had made the window as small as what was in flight (RFC 6937); its recovery is
// over.
TEST(TcpPathMtu, RecoveryThatIsCutShortLeavesTheWindowItWasTo) {
    Script s;
    const ConnId c = s.accept({.sack = true});
    s.say(c, std::string(10 * 1460, 'a'));
    s.now += 10ms;
    s.arrive(Script::sack(1, {{1 + 1460, 1 + 10 * 1460}}));
    EXPECT_TRUE(s.tcp->connection(c).has(kRecovery));
    too_big(s, 1400);
    EXPECT_FALSE(s.tcp->connection(c).has(kRecovery));
    EXPECT_LT(s.tcp->connection(c).congestion.ssthresh, 10 * 1460u);
    EXPECT_GT(s.tcp->connection(c).congestion.ssthresh, 5 * 1460u);
}

// What is lost need not be of full size: a path may have become narrower than the first guess.
TEST(TcpPathMtu, SilentBlackHoleForAMiddlingSegment) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(900, 'a'));
    s.out.clear();
    s.run(2s);
    EXPECT_EQ(s.tcp->connection(c).mss, 552 - 40);
    EXPECT_EQ(s.out[s.out.size() - 2].data.size(), 512u);
    EXPECT_EQ(s.out.back().data.size(), 388u);
}

TEST(TcpPathMtu, TimeoutsOfSmallSegmentsAreNoBlackHole) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(500, 'a'));
    s.run(30s);
    EXPECT_GT(s.count(&Counters::timeouts), 4u);
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
    EXPECT_EQ(s.count(&Counters::path_mtu_black_holes), 0u);
}

// A connection whose path took 1400 bytes some time ago.
ConnId reduced(Script& s) {
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    too_big(s, 1400);
    s.arrive({.seq = 1, .ack = 1461});
    s.out.clear();
    return c;
}

TEST(TcpPathMtu, TheOldSizeIsTriedAfterTenMinutes) {  // RFC 1191 section 6.3, RFC 8201 section 4
    Script s;
    const ConnId c = reduced(s);
    s.now += 9min;
    s.say(c, "x");
    s.arrive({.seq = 1, .ack = 1462});
    EXPECT_EQ(s.tcp->connection(c).mss, 1360);
    s.now += 61s;
    s.say(c, "y");
    s.arrive({.seq = 1, .ack = 1463});
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
    s.out.clear();
    s.say(c, std::string(1460, 'b'));
    EXPECT_EQ(lengths(s), (std::vector<std::size_t>{1460}));
    s.arrive({.seq = 1, .ack = 1463 + 1460});
    EXPECT_EQ(s.count(&Counters::path_mtu_probes_passed), 1u);
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
}

TEST(TcpPathMtu, NoTimerWaitsForTheNextTry) {
    Script s;
    reduced(s);
    s.run(2s);
    EXPECT_EQ(s.tcp->timers_armed(), 0u);
}

TEST(TcpPathMtu, LostProbeIsNoCongestionAndTheSizeGoesBack) {  // RFC 4821 section 7.6.2
    Script s;
    const ConnId c = reduced(s);
    s.now += 11min;
    s.say(c, "x");
    s.arrive({.seq = 1, .ack = 1462});
    s.out.clear();
    const std::uint32_t before = s.tcp->connection(c).congestion.cwnd;
    s.say(c, std::string(1460, 'b'));
    EXPECT_EQ(lengths(s), (std::vector<std::size_t>{1460}));
    s.run(400ms);  // the retransmission timer
    EXPECT_EQ(lengths(s), (std::vector<std::size_t>{1360, 100}));
    EXPECT_EQ(s.tcp->connection(c).mss, 1360);
    EXPECT_GE(s.tcp->connection(c).congestion.ssthresh, before);
    EXPECT_EQ(s.count(&Counters::path_mtu_probes_failed), 1u);
}

TEST(TcpPathMtu, ALostFinIsNoProbe) {  // while a larger size is on trial and nothing has tried it
    Script s;
    const ConnId c = reduced(s);
    s.now += 11min;
    s.say(c, "x");
    s.arrive({.seq = 1, .ack = 1462});
    s.out.clear();
    s.tcp->close(c);
    s.flush();
    EXPECT_EQ(s.next().flags, kFin | kAck);
    s.run(400ms);
    EXPECT_EQ(s.next().flags, kFin | kAck);
    EXPECT_TRUE(s.tcp->connection(c).has(kRexmitTimer));
}

TEST(TcpPathMtu,
     ALossOfSmallSegmentsIsCongestionWhateverIsOnTrial) {  // RFC 6298 (5.5), RFC 4821 section 7.6.4
    for (const bool probe_behind : {false, true}) {
        Script s;
        const ConnId c = reduced(s);
        s.now += 11min;
        s.say(c, "x");
        s.arrive({.seq = 1, .ack = 1462});
        ASSERT_EQ(s.tcp->connection(c).mss, 1460);
        s.say(c, std::string(500, 'b'));
        if (probe_behind) s.say(c, std::string(1460, 'p'));
        s.out.clear();
        s.run(400ms);
        EXPECT_EQ(lengths(s), (std::vector<std::size_t>{500}));
        EXPECT_EQ(s.count(&Counters::path_mtu_probes_failed), 0u);
        EXPECT_EQ(s.tcp->connection(c).mss, 1460);
        EXPECT_EQ(s.tcp->connection(c).backoff, 1);
        EXPECT_EQ(s.tcp->connection(c).congestion.cwnd, 1460u);
    }
}

TEST(TcpPathMtu, SearchHalvesWhatIsLeftAndEnds) {  // RFC 4821 section 7.3
    Script s;
    const ConnId c = reduced(s);
    std::uint32_t at = 1461;
    const auto say = [&](std::size_t n) {  // over a path that now takes 1460: 1420 bytes
        s.say(c, std::string(n, 'b'));
        if (n > 1420 && s.tcp->connection(c).mss > 1420) s.run(400ms);
        at += static_cast<std::uint32_t>(n);
        s.arrive({.seq = 1, .ack = at});
        s.out.clear();
    };
    s.now += 11min;
    std::vector<std::uint16_t> tried;
    for (int i = 0; i < 6; ++i) {
        say(1);
        tried.push_back(s.tcp->connection(c).mss);
        say(1460);
        s.now += 61s;
    }
    // 1460 fails, 1410 passes; between 1410 and 1460 1435 fails, and then there is little left to find.
    EXPECT_EQ(tried, (std::vector<std::uint16_t>{1460, 1410, 1435, 1410, 1410, 1410}));
    EXPECT_EQ(s.tcp->connection(c).mss, 1410);
}

TEST(TcpPathMtu, SmallSegmentsProveNothing) {
    Script s;
    const ConnId c = reduced(s);
    s.now += 11min;
    s.say(c, "x");
    s.arrive({.seq = 1, .ack = 1462});
    s.say(c, "y");
    s.arrive({.seq = 1, .ack = 1463});
    EXPECT_EQ(s.count(&Counters::path_mtu_probes_passed), 0u);
}

TEST(TcpPathMtu, ForgetsWithItsConnection) {  // the slot's next tenant starts anew
    Config config = Script::defaults();
    config.max_connections = 1;
    Script s(config);
    const ConnId c = reduced(s);
    s.tcp->abort(c);
    s.flush();
    s.out.clear();
    s.poll();
    s.now += 20min;
    const ConnId next = s.accept();
    EXPECT_EQ(s.tcp->connection(next).mss, 1460);
    s.say(next, "x");
    EXPECT_EQ(s.tcp->connection(next).mss, 1460);
}

// --- what later connections begin with: RFC 8201 section 5.2, RFC 1191 section 6.3 ---

ConnId accept_another(Script& s, const Peer& peer = {}) {
    ++s.peer_end.port;
    s.out.clear();
    return s.accept(peer);
}

TEST(TcpPathMtu, ALaterConnectionBeginsWithWhatThePathTook) {
    Script s;
    reduced(s);
    const ConnId c = accept_another(s);
    EXPECT_EQ(s.tcp->connection(c).mss, 1360);
    EXPECT_EQ(s.count(&Counters::path_mtus_reused), 1u);
    s.say(c, std::string(3000, 'a'));
    EXPECT_EQ(lengths(s), (std::vector<std::size_t>{1360, 1360, 280}));
}

TEST(TcpPathMtu, SoDoesOneThatWeOpen) {
    Script s;
    reduced(s);
    ++s.peer_end.port;
    EXPECT_EQ(s.tcp->connection(s.connect()).mss, 1360);
}

TEST(TcpPathMtu, WhatIsKnownIsOfPacketsWhateverTheOptions) {
    Script s;
    reduced(s);
    EXPECT_EQ(s.tcp->connection(accept_another(s, {.timestamps = true})).mss, 1400 - 20 - 32);
}

TEST(TcpPathMtu, WhatIsKnownEnlargesNothing) {
    Script s;
    reduced(s);
    EXPECT_EQ(s.tcp->connection(accept_another(s, {.mss = 1000})).mss, 1000);
    EXPECT_EQ(s.count(&Counters::path_mtus_reused), 0u);
}

TEST(TcpPathMtu, OtherDestinationsAreOtherPaths) {
    Script s;
    reduced(s);
    s.peer_end.ip = net::Ipv4{0x0a000003};
    EXPECT_EQ(s.tcp->connection(accept_another(s)).mss, 1460);
}

TEST(TcpPathMtu, WhatIsKnownIsForgottenAfterTenMinutes) {
    Script s;
    reduced(s);
    s.now += 10min;
    EXPECT_EQ(s.tcp->connection(accept_another(s)).mss, 1460);
}

TEST(TcpPathMtu, ALaterConnectionTriesLargerWhenTheFirstWould) {
    Script s;
    reduced(s);
    s.now += 9min;
    const ConnId c = accept_another(s);
    EXPECT_EQ(s.tcp->connection(c).mss, 1360);
    s.say(c, "x");
    s.arrive({.seq = 1, .ack = 2});
    EXPECT_EQ(s.tcp->connection(c).mss, 1360);
    s.now += 61s;
    s.say(c, "y");
    s.arrive({.seq = 1, .ack = 3});
    EXPECT_EQ(s.tcp->connection(c).mss, 1460);
    s.say(c, std::string(1460, 'b'));
    s.arrive({.seq = 1, .ack = 3 + 1460});
    EXPECT_EQ(s.count(&Counters::path_mtu_probes_passed), 1u);
    EXPECT_EQ(s.tcp->connection(accept_another(s)).mss, 1460) << "what passes is no longer limited";
}

TEST(TcpPathMtu, WhatIsNotBelievedIsNotRemembered) {  // RFC 5927 section 4.1
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    too_big(s, 600, 5000);
    EXPECT_EQ(s.tcp->connection(accept_another(s)).mss, 1460);
}

TEST(TcpPathMtu, TimeoutsAloneTeachNothingAboutThePath) {  // it may have been an outage
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    s.run(2s);
    EXPECT_EQ(s.count(&Counters::path_mtu_black_holes), 1u);
    s.arrive({.seq = 1, .ack = 1461});
    EXPECT_EQ(s.tcp->connection(accept_another(s)).mss, 1460);
}

TEST(TcpPathMtu, ASizeThatFailedOnTrialIsRemembered) {  // RFC 4821 section 7.6.2
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(1460, 'a'));
    s.run(2s);
    s.arrive({.seq = 1, .ack = 1461});
    s.now += 61s;
    s.say(c, "x");
    s.arrive({.seq = 1, .ack = 1462});
    s.say(c, std::string(1460, 'b'));
    s.run(2s);
    EXPECT_EQ(s.count(&Counters::path_mtu_probes_failed), 1u);
    EXPECT_EQ(s.tcp->connection(accept_another(s)).mss, 1240);
}

}  // namespace
}  // namespace millrace::tcp::test
