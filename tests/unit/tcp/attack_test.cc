// Attacks, each with the answer of its RFC: blind injection (RFC 5961), crafted flags (RFC 9293 section
// 3.10.7), acknowledgment games (RFC 5681 section 5, RFC 3465, RFC 9293 section 3.4), SACK and timestamp
// abuse, overlapping segments, urgent pointers (RFC 6093). ICMP forgeries are in path_mtu_test.cc, floods of
// SYNs in syn_cookie_test.cc and stack/flood_test.cc, closed windows in keep_alive_test.cc.

#include <random>

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

constexpr std::uint32_t kNear = 65535;  // the window that the script's peers and we offer at first

// --- blind resets: RFC 5961 section 3 ---

TEST(TcpAttack, ResetOneByteBesideTheExactNumberIsChallenged) {
    for (const std::uint32_t miss : {2u, 3u, 100u, kNear - 1}) {
        Script s;
        s.accept();
        s.arrive({.flags = kRst, .seq = miss});
        EXPECT_EQ(s.next().flags, kAck) << miss;
        EXPECT_TRUE(s.events.empty()) << miss;
    }
}

TEST(TcpAttack, ResetJustOutsideTheWindowIsSilent) {
    for (const std::uint32_t miss : {0u, 0xffffffffu, 100'000u, 0x80000001u}) {
        Script s;
        s.accept();
        s.arrive({.flags = kRst, .seq = miss});
        EXPECT_TRUE(s.quiet()) << miss;
        EXPECT_TRUE(s.events.empty()) << miss;
    }
}

TEST(TcpAttack, ResetWithAnyAckIsJudgedBySequenceAlone) {
    Script s;
    s.accept();
    s.arrive({.flags = kRst | kAck, .seq = 5, .ack = 1});
    EXPECT_EQ(s.next().flags, kAck);
    EXPECT_TRUE(s.events.empty());
}

TEST(TcpAttack, SweepOfResetsEndsNothingAndIsAnsweredTwiceASecond) {
    Script s;
    const ConnId c = s.accept();
    for (std::uint32_t i = 2; i < 2000; ++i) {
        s.now += 1ms;
        s.arrive({.flags = kRst, .seq = i});
    }
    EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
    EXPECT_LE(s.out.size(), 5u);  // two seconds
    EXPECT_GE(s.out.size(), 4u);
    EXPECT_EQ(s.count(&Counters::challenge_acks) + s.count(&Counters::acks_skipped), 1998u);
}

TEST(TcpAttack, ChallengesOfOneConnectionTellNothingOfAnother) {  // CVE-2016-5696: no limit in common
    Script s;
    s.accept();
    for (int i = 0; i < 1000; ++i)
        s.arrive({.flags = kRst, .seq = 2});
    s.out.clear();
    const SocketAddress other{kRemote.ip, 41000};
    s.our_isn = 0;
    Seg syn = s.syn();
    syn.from = other;
    s.arrive(syn);
    s.next();
    s.arrive({.seq = 1, .ack = 1, .from = other});
    s.arrive({.flags = kRst, .seq = 2, .from = other});
    EXPECT_EQ(s.next().flags, kAck);
}

// --- blind SYNs: RFC 5961 section 4 ---

TEST(TcpAttack, SynOnAConnectionIsChallengedWhateverItsNumber) {
    for (const std::uint32_t seq : {0u, 1u, 2u, kNear, 0x40000000u, 0xf0000000u}) {
        Script s;
        const ConnId c = s.accept();
        Seg syn = s.syn();
        syn.seq = seq;
        s.arrive(syn);
        const Seg answer = s.next();
        EXPECT_EQ(answer.flags, kAck) << seq;
        EXPECT_EQ(answer.ack, 1u);
        EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
    }
}

TEST(TcpAttack, SynAckOnAConnectionIsChallenged) {
    Script s;
    s.accept();
    s.arrive({.flags = kSyn | kAck, .seq = 77, .ack = 1});
    EXPECT_EQ(s.next().flags, kAck);
    EXPECT_TRUE(s.events.empty());
}

TEST(TcpAttack, SynWithDataDoesNotDeliverThem) {
    Script s;
    s.accept();
    s.arrive({.flags = kSyn | kAck, .seq = 1, .ack = 1, .data = "injected"});
    EXPECT_TRUE(s.events.empty());
}

// --- blind data: RFC 5961 section 5 ---

TEST(TcpAttack, DataWithAnAckOfWhatWasNotSentAreDropped) {
    for (const std::uint32_t ack : {2u, 1000u, 0x40000000u, 0x7fffffffu}) {
        Script s;
        s.accept();
        s.arrive({.seq = 1, .ack = ack, .data = "injected"});
        EXPECT_TRUE(s.events.empty()) << ack;
        EXPECT_EQ(s.next().ack, 1u);
    }
}

TEST(TcpAttack, DataWithAnAckOlderThanAnyWindowAreDropped) {
    for (const std::uint32_t ack : {0x80000010u, 0xf0000000u, 0xfffe0000u}) {
        Script s;
        s.accept();
        s.arrive({.seq = 1, .ack = ack, .data = "injected"});
        EXPECT_TRUE(s.events.empty()) << ack;
    }
}

TEST(TcpAttack, DataBeyondTheWindowAreDroppedAndAnswered) {
    Script s;
    s.accept();
    s.arrive({.seq = 200'000, .ack = 1, .data = "injected"});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.next().ack, 1u);
    EXPECT_EQ(s.tcp->reassemblies(), 0u);
}

TEST(TcpAttack, FinWithAForgedAckClosesNothing) {
    Script s;
    const ConnId c = s.accept();
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 500});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
}

TEST(TcpAttack, FinBeyondTheWindowIsNotRemembered) {
    Script s;
    const ConnId c = s.accept();
    s.arrive({.flags = kFin | kAck, .seq = 100'000, .ack = 1});
    EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
    EXPECT_EQ(s.tcp->reassemblies(), 0u);
}

// --- flags that do not go together ---

TEST(TcpAttack, NullXmasAndSynFinAtAListenerOpenNothing) {
    for (const std::uint8_t flags :
         {std::uint8_t{0}, std::uint8_t{kFin | kPsh | kUrg}, std::uint8_t{kSyn | kFin},
          std::uint8_t{kSyn | kRst}, std::uint8_t{kSyn | kFin | kRst}, std::uint8_t{0x3f}}) {
        Script s;
        s.arrive({.flags = flags, .seq = 0, .ack = 0});
        EXPECT_EQ(s.tcp->connections(), 0u) << int{flags};
        for (const Seg& answer : s.out)
            EXPECT_EQ(answer.flags & kSyn, 0) << int{flags};
    }
}

TEST(TcpAttack, NullXmasAndSynFinOnAConnectionChangeNothing) {
    for (const std::uint8_t flags : {std::uint8_t{0}, std::uint8_t{kFin | kPsh | kUrg},
                                     std::uint8_t{kSyn | kFin}, std::uint8_t{kSyn | kFin | kPsh | kUrg}}) {
        Script s;
        const ConnId c = s.accept();
        s.arrive({.flags = flags, .seq = 1, .ack = 1});
        EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished) << int{flags};
        EXPECT_TRUE(s.events.empty());
    }
}

TEST(TcpAttack, SynRstOnAConnectionIsAReset) {  // section 3.10.7.4: RST is checked before SYN
    Script s;
    s.accept();
    s.arrive({.flags = kSyn | kRst, .seq = 2});
    EXPECT_EQ(s.next().flags, kAck) << "and so challenged";
    EXPECT_TRUE(s.events.empty());
}

// --- LAND: a SYN from ourselves ---

TEST(TcpAttack, SynThatClaimsToBeFromUsEndsWithItsOwnReset) {  // CERT CA-1997-28
    Script s;
    Seg syn = s.syn();
    syn.from = kLocal;
    s.arrive(syn);
    // Should it pass the layers below (which drop it), it is a half-open connection and no more: our SYN-ACK,
    // come back to us, is a SYN in SYN-RECEIVED.
    for (int i = 0; i < 20 && !s.quiet(); ++i) {
        Seg echo = s.next();
        echo.from = kLocal;
        echo.to = kLocal;
        s.peer_isn = s.our_isn;
        s.arrive({.flags = echo.flags, .seq = 0, .ack = 1, .from = kLocal});
    }
    EXPECT_TRUE(s.quiet()) << "it answers itself for ever";
    s.run(2min);
    EXPECT_EQ(s.tcp->connections(), 0u);
}

// --- acknowledgments ---

TEST(TcpAttack, OptimisticAckOfWhatWasNotSentGrowsNothing) {  // Savage 1999
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(14600, 'x'));
    const std::uint32_t before = s.tcp->connection(c).congestion.cwnd;
    s.out.clear();
    for (std::uint32_t i = 0; i < 50; ++i)
        s.arrive({.seq = 1, .ack = 14602 + i * 1460});
    EXPECT_EQ(s.tcp->connection(c).congestion.cwnd, before);
    EXPECT_EQ(s.tcp->connection(c).snd_una.value - s.our_isn, 1u);
}

TEST(TcpAttack, ManyAcksForOneSegmentGrowTheWindowByItsBytesOnly) {  // ACK division: RFC 3465 section 2.1
    Script divided, whole;
    const ConnId d = divided.accept(), w = whole.accept();
    for (Script* s : {&divided, &whole})
        s->say(s == &divided ? d : w, std::string(14600, 'x'));
    for (std::uint32_t at = 11; at <= 1461; at += 10)
        divided.arrive({.seq = 1, .ack = at});
    whole.arrive({.seq = 1, .ack = 1461});
    EXPECT_LE(divided.tcp->connection(d).congestion.cwnd, whole.tcp->connection(w).congestion.cwnd);
}

TEST(TcpAttack, DuplicateAcksWithoutDataOutstandingDoNothing) {  // DupACK spoofing: RFC 5681 section 2
    Script s;
    const ConnId c = s.accept();
    const std::uint32_t before = s.tcp->connection(c).congestion.cwnd;
    for (int i = 0; i < 100; ++i)
        s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.tcp->connection(c).congestion.cwnd, before);
    EXPECT_TRUE(s.quiet());
}

TEST(TcpAttack, DuplicateAcksInRecoveryDoNotFloodTheNetwork) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(200'000, 'x'));
    s.out.clear();
    for (int i = 0; i < 1000; ++i)
        s.arrive({.seq = 1, .ack = 1});
    std::size_t bytes = 0;
    for (const Seg& sent : s.out)
        bytes += sent.data.size();
    EXPECT_LE(bytes, 65535u + 14600u) << "the peer's window bounds what duplicates can call for";
}

TEST(TcpAttack, TinyMssCostsFewPackets) {  // the small-MSS game
    Script s;
    const ConnId c = s.accept({.mss = 1, .window = 65535});
    s.say(c, std::string(2160, 'x'));
    EXPECT_EQ(s.out.size(), 10u);
    EXPECT_EQ(s.count(&Counters::mss_floors), 1u);
}

// --- SACK ---

TEST(TcpAttack, BlocksThatCannotBeAreIgnored) {  // RFC 2018, RFC 2883 section 4
    Script s;
    Seg syn = s.syn();
    syn.options.sack_permitted = true;
    s.arrive(syn);
    s.next();
    s.arrive({.seq = 1, .ack = 1});
    const ConnId c = s.event().conn;
    s.say(c, std::string(14600, 'x'));
    s.out.clear();
    const auto block = [&](std::uint32_t from, std::uint32_t to) {
        Seg ack{.seq = 1, .ack = 1};
        ack.options.sack[0] = {Seq{from}, Seq{to}};
        ack.options.sack_count = 1;
        s.arrive(ack);
    };
    block(20'000, 30'000);            // never sent
    block(5000, 3000);                // backwards
    block(0x80000000u, 0x80001000u);  // half the circle away
    block(1, 1);                      // empty
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
    s.arrive({.seq = 1, .ack = 14601});
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpAttack, ManyTinyBlocksCostNoMoreMemory) {  // the shape of CVE-2019-11477 to 11479
    Script s;
    Seg syn = s.syn();
    syn.options.sack_permitted = true;
    syn.options.mss = 48;
    s.arrive(syn);
    s.next();
    s.arrive({.seq = 1, .ack = 1});
    const ConnId c = s.event().conn;
    s.say(c, std::string(10'000, 'x'));
    s.out.clear();
    const unsigned held = s.pools.missing();
    for (std::uint32_t i = 0; i < 2000; ++i) {
        Seg ack{.seq = 1, .ack = 1};
        const std::uint32_t at = 217 + i * 37 % 9000;
        ack.options.sack[0] = {Seq{at}, Seq{at + 1 + i % 8}};
        ack.options.sack_count = 1;
        s.arrive(ack);
        s.out.clear();
    }
    EXPECT_LE(s.pools.missing(), held + 2);
    while (s.tcp->send_queues() > 0)
        s.arrive({.seq = 1, .ack = s.tcp->connection(c).snd_nxt.value - s.our_isn});
    EXPECT_EQ(s.tcp->connection(c).snd_nxt.value - s.our_isn, 10'001u);
    EXPECT_EQ(s.pools.missing(), 0u);
}

// --- overlaps: what came first stays (documented in reassembly.h) ---

TEST(TcpAttack, OverlapWithOtherBytesDoesNotReplaceTheFirst) {
    Script s;
    s.accept();
    s.arrive({.seq = 5, .ack = 1, .data = "good"});
    s.arrive({.seq = 5, .ack = 1, .data = "evil"});
    s.arrive({.seq = 1, .ack = 1, .data = "the "});
    EXPECT_EQ(s.received(), "the good");
}

TEST(TcpAttack, OverlapFromTheFrontAddsOnlyWhatIsNew) {
    Script s;
    s.accept();
    s.arrive({.seq = 5, .ack = 1, .data = "good"});
    s.arrive({.seq = 3, .ack = 1, .data = "e EVIL"});
    s.arrive({.seq = 1, .ack = 1, .data = "th"});
    EXPECT_EQ(s.received(), "the good");
}

TEST(TcpAttack, OverlapPastTheEndAddsOnlyWhatIsNew) {
    Script s;
    s.accept();
    s.arrive({.seq = 3, .ack = 1, .data = "cd"});
    s.arrive({.seq = 4, .ack = 1, .data = "Xe"});
    s.arrive({.seq = 1, .ack = 1, .data = "ab"});
    EXPECT_EQ(s.received(), "abcde");
}

TEST(TcpAttack, WhatWasDeliveredCannotBeRewritten) {
    Script s;
    s.accept();
    s.arrive({.seq = 1, .ack = 1, .data = "deliver"});
    s.arrive({.seq = 1, .ack = 1, .data = "REWRITEed"});
    EXPECT_EQ(s.received(), "delivered");
}

TEST(TcpAttack, OverlapsInAnyOrderGiveTheFirstBytesOnce) {
    std::mt19937 random(5);
    for (int round = 0; round < 50; ++round) {
        Script s;
        s.accept();
        std::string first(200, '\0');
        for (int i = 0; i < 60; ++i) {
            const auto from = static_cast<std::uint32_t>(1 + random() % 199);
            const auto length = static_cast<std::uint32_t>(1 + random() % (200 - from));
            const std::string data(length, static_cast<char>('A' + i % 57));
            for (std::uint32_t k = 0; k < length; ++k)
                if (first[from + k] == '\0') first[from + k] = data[k];
            s.arrive({.seq = 1 + from, .ack = 1, .data = data});
        }
        std::size_t whole = 1;
        while (whole < first.size() && first[whole] != '\0')
            ++whole;
        first[0] = '!';
        s.arrive({.seq = 1, .ack = 1, .data = "!"});
        ASSERT_EQ(s.received(), first.substr(0, whole));
    }
}

TEST(TcpAttack, SecondFinElsewhereDoesNotMoveTheEnd) {
    Script s;
    s.accept();
    s.arrive({.flags = kFin | kAck, .seq = 3, .ack = 1, .data = "cd"});
    s.arrive({.flags = kFin | kAck, .seq = 3, .ack = 1});
    s.arrive({.seq = 1, .ack = 1, .data = "ab"});
    EXPECT_EQ(s.received(), "abcd");
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
}

TEST(TcpAttack, ManyTinyGapsAreBounded) {
    Script s;
    s.accept();
    for (std::uint32_t i = 0; i < 5000; ++i)
        s.arrive({.seq = 3 + 2 * i, .ack = 1, .data = "g"});
    EXPECT_LT(s.pools.missing(), 1500u);
    EXPECT_GT(s.count(&Counters::out_of_order_drops), 3000u);
    s.out.clear();
    s.arrive({.flags = kRst, .seq = 1});
    s.poll();
    EXPECT_EQ(s.pools.missing(), 0u);
}

// Bounds by connection alone would add up to the whole pool.
TEST(TcpAttack, TinyGapsOnManyConnectionsLeaveHalfOfTheReceivePool) {
    Script s;
    s.tcp->receives_from({s.pools.data()});
    const auto open = [&](std::uint16_t port) {
        s.our_isn = 0;
        Seg syn = s.syn();
        syn.from.port = port;
        s.arrive(syn);
        s.next();
        s.arrive({.seq = 1, .ack = 1, .from = syn.from});
        return s.event().conn;
    };
    std::uint32_t last_isn = 0;
    for (std::uint16_t port = 1; port <= 7; ++port) {
        open(port);
        last_isn = s.our_isn;
        for (std::uint32_t i = 0; i < 1088; ++i, s.now += 1us)
            s.arrive({.seq = 3 + 2 * i, .ack = 1, .data = "g", .from = {kRemote.ip, port}});
        s.out.clear();
    }
    EXPECT_LT(rte_mempool_in_use_count(s.pools.data()), 4095u / 2);
    EXPECT_GT(s.count(&Counters::out_of_order_drops), 5000u);
    open(100);
    s.arrive({.seq = 1, .ack = 1, .data = "served", .from = {kRemote.ip, 100}});
    EXPECT_EQ(s.received(), "served");
    s.our_isn = last_isn;
    s.arrive({.seq = 1, .ack = 1, .data = "xy", .from = {kRemote.ip, 7}});  // a gap can still be filled
    EXPECT_EQ(s.received().substr(0, 2), "xy");
}

// Others keep received mbufs too: input that waits for room in an answer's way out. What frees them are
// acknowledgments.
TEST(TcpAttack, TextIsRefusedBeforeTheReceivePoolIsDryAndItsAcknowledgmentCounts) {
    Script s;
    const ConnId c = s.accept();
    s.tcp->receives_from({s.pools.data()});
    s.say(c, "abc");
    s.out.clear();
    std::vector<rte_mbuf*> kept;
    while (rte_mempool_avail_count(s.pools.data()) > s.pools.data()->size / 8)
        kept.push_back(rte_pktmbuf_alloc(s.pools.data()));
    s.advance(10ms);
    EXPECT_FALSE(s.tcp->send_queue(c) == nullptr);
    s.arrive({.seq = 1, .ack = 4, .data = "text"});
    EXPECT_EQ(s.received(), "");
    EXPECT_EQ(s.count(&Counters::receive_drops_memory), 1u);
    EXPECT_EQ(s.tcp->connection(c).snd_una - s.tcp->connection(c).snd_nxt, 0u);
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 4, .data = "text"});
    EXPECT_TRUE(s.events.empty()) << "a FIN does not overtake its text";
    rte_pktmbuf_free_bulk(kept.data(), static_cast<unsigned>(kept.size()));
    s.now += 1us;
    s.arrive({.seq = 1, .ack = 4, .data = "text"});
    EXPECT_EQ(s.received(), "text");
}

// --- timestamps: RFC 7323 ---

TEST(TcpAttack, OldTimestampIsDroppedAndAnswered) {  // section 5.3 R1
    Script s;
    s.accept({.timestamps = true});
    s.peer_clock -= 1;
    s.arrive({.seq = 1, .ack = 1, .data = "replayed"});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.next().flags, kAck);
    EXPECT_EQ(s.count(&Counters::paws_rejected), 1u);
}

TEST(TcpAttack,
     TimestampFarAheadOnADuplicateDoesNotPoisonPaws) {  // section 4.3: only what covers Last.ACK.sent
    Script s;
    s.accept({.timestamps = true});
    const std::uint32_t clock = s.peer_clock;
    s.peer_clock = clock + 0x10000000;
    s.arrive({.seq = 5000, .ack = 1, .data = "beyond a gap"});
    s.out.clear();
    s.peer_clock = clock + 1;
    s.arrive({.seq = 1, .ack = 1, .data = "genuine"});
    EXPECT_EQ(s.received(), "genuine");
}

TEST(TcpAttack, TimestampOfAForgedAckDoesNotPoisonPaws) {
    Script s;
    s.accept({.timestamps = true});
    const std::uint32_t clock = s.peer_clock;
    s.peer_clock = clock + 0x10000000;
    s.arrive({.seq = 1, .ack = 999'999, .data = "injected"});
    s.out.clear();
    s.peer_clock = clock + 1;
    s.arrive({.seq = 1, .ack = 1, .data = "genuine"});
    EXPECT_EQ(s.received(), "genuine");
}

TEST(TcpAttack, EchoedTimestampFromTheFutureGivesNoRoundTrip) {
    Script s;
    const ConnId c = s.accept({.timestamps = true});
    s.say(c, "x");
    s.next();
    s.run(250ms);  // sent twice: only the timestamp could tell
    s.out.clear();
    const std::uint32_t before = s.tcp->connection(c).rtt.srtt8;
    Seg ack{.seq = 1, .ack = 2};
    ack.options.has_timestamps = true;
    ack.options.ts_value = s.peer_clock;
    ack.options.ts_echo = 0x7fffffff;
    s.arrive(ack);
    EXPECT_EQ(s.tcp->connection(c).rtt.srtt8, before);
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

// --- urgent data: RFC 6093 ---

TEST(TcpAttack, UrgentPointerIsIgnoredAndBytesStayInOrder) {  // section 6
    Script s;
    s.accept();
    s.arrive({.flags = kAck | kUrg, .seq = 1, .ack = 1, .data = "all "});
    s.arrive({.flags = kAck | kUrg | kPsh, .seq = 5, .ack = 1, .data = "of it"});
    EXPECT_EQ(s.received(), "all of it");
}

TEST(TcpAttack, UrgentWithoutDataIsAnAck) {
    Script s;
    s.accept();
    for (int i = 0; i < 100; ++i)
        s.arrive({.flags = kAck | kUrg, .seq = 1, .ack = 1});
    EXPECT_TRUE(s.events.empty());
    EXPECT_TRUE(s.quiet());
}

// --- options ---

TEST(TcpAttack, MalformedOptionsDropTheSegment) {  // RFC 9293 MUST-7
    Script s;
    s.accept();
    for (const std::uint8_t length :
         {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{40}, std::uint8_t{255}}) {
        rte_mbuf* packet = s.build({.seq = 1, .ack = 1});
        auto* header = rte_pktmbuf_mtod(packet, rte_tcp_hdr*);
        const std::uint8_t option[] = {99, length, 0, 0};
        std::memcpy(rte_pktmbuf_append(packet, sizeof option), option, sizeof option);
        header->data_off += 1 << 4;
        s.tcp->begin_poll();
        s.tcp->input(packet, kRemote.ip, kLocal.ip, s.tcp->flow_hash(packet, kRemote.ip, kLocal.ip), s.now);
    }
    EXPECT_EQ(s.count(&Counters::in_errors), 4u);
    EXPECT_TRUE(s.tcp->events().empty());
}

TEST(TcpAttack, WindowScaleAbove14IsTakenFor14) {  // RFC 7323 section 2.3
    Script s;
    const ConnId c = s.accept({.window_scale = 200});
    EXPECT_EQ(s.tcp->connection(c).send_scale(), 14u);
}

// --- half-open connections ---

TEST(TcpAttack, SegmentsInSynReceivedCannotSkipTheHandshake) {
    Script s;
    s.arrive(s.syn());
    s.next();
    s.arrive({.seq = 1, .ack = 0, .data = "early"});
    s.arrive({.seq = 1, .ack = 2, .data = "early"});
    s.arrive({.flags = kPsh, .seq = 1, .data = "early"});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.tcp->half_open(), 1u);
}

TEST(TcpAttack, ResetsOfHalfOpenOnesNeedTheExactNumber) {
    Script s;
    s.arrive(s.syn());
    s.next();
    s.arrive({.flags = kRst, .seq = 2});
    EXPECT_EQ(s.tcp->half_open(), 1u);
    s.arrive({.flags = kRst, .seq = 1});
    EXPECT_EQ(s.tcp->half_open(), 0u);
}

}  // namespace
}  // namespace millrace::tcp::test
