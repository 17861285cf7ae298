// Sending: what is appended, how it becomes segments, the peer's window (RFC 9293 section 3.8.6), the bounds.

#include "tests/unit/tcp/payload.h"
#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

TEST(TcpSend, SmallMessagesOfOnePollShareASegment) {
    Script s;
    const ConnId c = s.accept();
    for (const char* word : {"to", "ge", "ther"})
        EXPECT_TRUE(s.append(c, word));
    s.flush();
    EXPECT_EQ(s.next().data, "together");
    EXPECT_TRUE(s.append(c, "next"));
    s.flush();
    EXPECT_EQ(s.next().data, "next");  // Nagle off: sent at once, though the first is not acknowledged
    EXPECT_EQ(s.pools.missing(), 2u);
}

TEST(TcpSend, LongMessagesAreCutIntoSegmentsAndTheLastIsPushed) {  // RFC 9293 section 3.9.1.2
    Script s;
    const ConnId c = s.accept();
    const std::string text = letters(3 * kMss + 100);
    s.say(c, text);
    std::string got;
    for (int i = 0; i < 4; ++i) {
        const Seg part = s.next();
        EXPECT_EQ(part.seq, 1 + got.size());
        EXPECT_EQ((part.flags & kPsh) != 0, i == 3);
        got += part.data;
    }
    EXPECT_EQ(got, text);
    EXPECT_EQ(s.tcp->unsent(c), text.size());
}

TEST(TcpSend, PreparedAndNotUsedIsGivenBack) {
    Script s;
    const ConnId c = s.accept();
    EXPECT_TRUE(s.tcp->prepare(c, 50000));
    EXPECT_GT(s.pools.missing(), 30u);
    std::memcpy(s.tcp->room(c).data(), "used", 4);
    s.tcp->commit(c, 4);
    s.flush();
    EXPECT_EQ(s.next().data, "used");
    EXPECT_EQ(s.pools.missing(), 1u);
    EXPECT_TRUE(s.tcp->prepare(c, 10));
    s.flush();
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.pools.missing(), 1u);
    s.arrive({.seq = 1, .ack = 5});
    EXPECT_EQ(s.pools.missing(), 0u);
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpSend, BoundRefusesAndWritableTellsWhenToTryAgain) {
    Config config = Script::defaults();
    config.send_limit = 4000;
    Script s(config);
    const ConnId c = s.accept();
    EXPECT_TRUE(s.append(c, letters(3999)));
    EXPECT_TRUE(s.append(c, letters(5000)));  // one may overshoot
    EXPECT_FALSE(s.tcp->prepare(c, 1));
    s.flush();
    s.out.clear();
    s.arrive({.seq = 1, .ack = 1 + 6000});
    EXPECT_TRUE(s.events.empty());  // 2999 left: not below half
    s.arrive({.seq = 1, .ack = 1 + 7000});
    const Happened writable = s.event();
    EXPECT_EQ(writable.kind, EventKind::kWritable);
    EXPECT_EQ(writable.conn, c);
    EXPECT_TRUE(s.append(c, "again"));
    s.arrive({.seq = 1, .ack = 1 + 8999});
    EXPECT_TRUE(s.events.empty());  // told once
}

TEST(TcpSend, SequenceNumbersWrap) {
    Config config = Script::defaults();
    Script s(config);
    // Wait until the ISN's clock has come close to the wrap.
    s.arrive(s.syn());
    s.next();
    s.arrive({.flags = kRst, .seq = 1});
    s.now += std::chrono::microseconds(4) * (0xffffffffu - s.our_isn - 2000);
    const ConnId c = s.accept();
    ASSERT_GT(s.our_isn, 0xffffe000u);
    const std::string text = letters(60000);
    EXPECT_TRUE(s.append(c, text));
    std::string got;
    for (int rounds = 0; got.size() < text.size() && rounds < 100; ++rounds) {
        s.flush();
        while (!s.quiet()) {
            const Seg part = s.next();
            EXPECT_EQ(part.seq, 1 + got.size());
            got += part.data;
        }
        s.arrive({.seq = 1, .ack = static_cast<std::uint32_t>(1 + got.size())});
    }
    EXPECT_TRUE(got == text);
    EXPECT_EQ(s.count(&Counters::retransmitted_segments), 0u);
    EXPECT_EQ(s.pools.missing(), 0u);
}

TEST(TcpSend, MoreThanTheListHoldsLeavesInSeveralDrains) {
    Config config = Script::defaults();
    config.max_connections = 600;
    config.max_half_open = 600;
    Script s(config);
    std::map<std::uint16_t, ConnId> open;
    std::vector<Seg> syns;
    for (std::uint16_t i = 0; i < 600; ++i) {
        Seg syn = s.syn();
        syn.from.port = 1000 + i;
        syns.push_back(syn);
    }
    s.arrive(syns);
    EXPECT_EQ(s.out.size(), 600u);
    EXPECT_GT(s.out.size(), TxSegments::kCapacity);
}

// --- the peer's window ---

TEST(TcpWindow, IsNeverOverrun) {
    Script s;
    const ConnId c = s.accept({.window = 4000});
    s.say(c, letters(10000));
    EXPECT_EQ(s.next().data.size(), kMss);
    EXPECT_EQ(s.next().data.size(), kMss);
    EXPECT_TRUE(s.quiet()) << "1080 bytes of window are neither a segment nor half of the window";
    s.arrive({.seq = 1, .ack = 1 + 2 * kMss, .window = 4000});
    EXPECT_EQ(s.out.size(), 2u);
}

TEST(TcpWindow, PartOfAUnitWhenItIsHalfOfTheLargestWindow) {  // section 3.8.6.2.1 (3)
    for (const bool slow : {false, true}) {
        Script s;
        s.port_is_slow = slow;
        const ConnId c = s.accept({.window = 1000});
        const std::string text = letters(2500);
        s.say(c, text);
        EXPECT_EQ(s.next().data, text.substr(0, 1000));
        EXPECT_TRUE(s.quiet());
        s.arrive({.seq = 1, .ack = 1001, .window = 1000});
        EXPECT_EQ(s.next().data, text.substr(1000, 460));  // the rest of the unit
        EXPECT_EQ(s.next().data, text.substr(1460, 540));  // more than half of the window
        s.arrive({.seq = 1, .ack = 1461, .window = 1000});
        EXPECT_TRUE(s.quiet());  // 460 bytes of window are less
        s.arrive({.seq = 1, .ack = 2001, .window = 1000});
        const Seg last = s.next();
        EXPECT_EQ(last.seq, 2001u);
        EXPECT_EQ(last.data, text.substr(2000));
        s.arrive({.seq = 1, .ack = 2501, .window = 1000});
        s.release_held();
        EXPECT_EQ(s.pools.missing(), 0u);
    }
}

TEST(TcpWindow, PersistProbesAtGrowingIntervalsAndNeverGivesUpWhileAnswered) {  // section 3.8.6.1
    Script s;
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 0});
    s.say(c, "waiting");
    EXPECT_TRUE(s.quiet());
    std::vector<Duration> gaps;
    Time last = s.now;
    for (int probes = 0; probes < 40; ++probes) {
        for (int i = 0; i < 100000 && s.quiet(); ++i)
            s.run(10ms);
        const Seg probe = s.next();
        EXPECT_EQ(probe.data, "");
        EXPECT_EQ(probe.seq, 0u);  // before the window: the peer must answer
        gaps.push_back(s.now - last);
        last = s.now;
        s.arrive({.seq = 1, .ack = 1, .window = 0});
    }
    EXPECT_TRUE(s.events.empty());
    EXPECT_LT(gaps.front(), 250ms);
    EXPECT_GT(gaps[3], gaps[2] + gaps[2] / 2);
    EXPECT_NEAR(static_cast<double>(gaps.back() / 1s), 60, 1);
    s.arrive({.seq = 1, .ack = 1, .window = 100});
    EXPECT_EQ(s.next().data, "waiting");
    s.arrive({.seq = 1, .ack = 8, .window = 100});
    s.run(200s);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->timers_armed(), 0u);
}

TEST(TcpWindow, UnansweredProbesEndTheConnection) {
    Script s;
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 0});
    s.say(c, "waiting");
    s.run(30min);
    EXPECT_EQ(s.event().reason, CloseReason::kTimedOut);
    EXPECT_EQ(s.count(&Counters::window_probes), 12u);
    s.expect_empty();
}

TEST(TcpWindow, SillyWindowIsFilledAfterTheOverridingTime) {  // section 3.8.6.2.1: the override timeout
    Script s;
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 10});
    s.say(c, letters(100));
    EXPECT_TRUE(s.quiet());
    s.run(250ms);
    EXPECT_EQ(s.next().data, letters(100).substr(0, 10));
}

TEST(TcpWindow, ProbesOfAClosedOneBackNoRetransmissionOff) {  // RFC 6298 (5.5)
    for (const std::uint16_t opened : {100, 10}) {
        Script s;
        const ConnId c = s.accept();
        s.arrive({.seq = 1, .ack = 1, .window = 0});
        s.say(c, letters(100));
        for (int i = 0; i < 20; ++i) {
            s.run(10s);
            s.arrive({.seq = 1, .ack = 1, .window = 0});
        }
        s.out.clear();
        s.arrive({.seq = 1, .ack = 1, .window = opened});
        if (opened == 100) {
            EXPECT_EQ(s.next().data, letters(100));  // is lost
        }
        s.run(250ms);
        EXPECT_EQ(s.next().data, letters(100).substr(0, opened));
    }
}

TEST(TcpWindow, AnOldSegmentDoesNotBringBackAnOldWindow) {  // section 3.10.7.4: SND.WL1, SND.WL2
    Script s;
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .data = "12345"});
    s.arrive({.seq = 6, .ack = 1, .window = 5000, .data = "678"});
    s.arrive({.seq = 1, .ack = 1, .window = 9, .data = "123456789"});
    EXPECT_EQ(s.received(), "123456789");
    EXPECT_EQ(s.tcp->connection(c).snd_wnd, 5000u);
}

// Section 3.10.7.4, and section 3.8.6: what the peer has offered is counted from its newest acknowledgment.
TEST(TcpWindow, ARetransmissionWithANewerAcknowledgmentBringsItsWindow) {
    Script s;
    const ConnId c = s.accept();
    s.say(c, letters(1000));
    s.out.clear();
    s.arrive({.seq = 501, .ack = 501, .window = 1000, .data = letters(500)});
    s.arrive({.seq = 1, .ack = 1001, .window = 500, .data = letters(500)});
    EXPECT_EQ(s.tcp->connection(c).snd_wnd, 500u);
    s.say(c, letters(1000));
    s.run(1s);
    std::uint32_t end = 0;
    for (; !s.out.empty(); s.out.pop_front())
        end = std::max(end, s.out.front().seq + static_cast<std::uint32_t>(s.out.front().data.size()));
    EXPECT_EQ(end, 1501u) << "both segments offered as much";
}

// Section 3.8.6.1: a window that was closed for long has nothing to do with the path's round trip.
TEST(TcpWindow, WhatIsSentIntoAnOpenedWindowDoesNotWaitAsLongAsTheProbesDid) {
    Script s;
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .window = 0});
    s.say(c, "waiting");
    for (int i = 0; i < 60; ++i) {
        s.run(1s);
        s.out.clear();
        s.arrive({.seq = 1, .ack = 1, .window = 0});
    }
    s.arrive({.seq = 1, .ack = 1, .window = 100});
    EXPECT_EQ(s.next().data, "waiting");
    s.run(1s);
    EXPECT_EQ(s.next().data, "waiting") << "lost, and not sent again";
}

// --- by reference ---

TEST(TcpShared, IsSentToManyWithoutCopies) {
    Script s;
    const std::string text = letters(5000);
    std::vector<SocketAddress> peers;
    std::vector<ConnId> open;
    for (std::uint16_t i = 0; i < 5; ++i) {
        Seg syn = s.syn();
        syn.from.port = 5000 + i;
        s.arrive(syn);
        s.next();
        s.arrive({.seq = 1, .ack = 1, .from = syn.from});
        open.push_back(s.event().conn);
        peers.push_back(syn.from);
    }
    {
        const Tcp::Shared shared = s.tcp->make_shared(bytes_of(text));
        ASSERT_TRUE(shared);
        EXPECT_EQ(shared.size(), text.size());
        const Tcp::Shared copy = shared;  // NOLINT: a second reference
        const unsigned data = rte_mempool_in_use_count(s.pools.data());
        for (const ConnId c : open)
            EXPECT_TRUE(s.tcp->append(c, copy));
        s.flush();
        EXPECT_EQ(rte_mempool_in_use_count(s.pools.data()), data);
    }
    std::map<std::uint16_t, std::string> got;
    while (!s.quiet()) {
        const Seg part = s.next();
        EXPECT_LE(part.data.size(), kMss);
        got[part.to.port] += part.data;
    }
    EXPECT_EQ(got.size(), 5u);
    for (const auto& [port, all] : got)
        EXPECT_TRUE(all == text);
    EXPECT_GT(s.pools.missing(), 0u);  // kept for retransmission though no Shared is left
    for (const ConnId c : open)
        s.tcp->abort(c);
    s.flush();
    EXPECT_EQ(s.pools.missing(), 0u);
}

TEST(TcpShared, IsRetransmittedByReferenceToo) {
    for (const bool slow : {false, true}) {
        Script s;
        s.port_is_slow = slow;
        const ConnId c = s.accept();
        const std::string text = letters(1000);
        EXPECT_TRUE(s.tcp->append(c, s.tcp->make_shared(bytes_of(text))));
        s.flush();
        EXPECT_EQ(s.next().data, text);
        s.run(210ms);
        EXPECT_EQ(s.next().data, text);
        s.arrive({.seq = 1, .ack = 301});
        s.run(1s);
        EXPECT_EQ(s.next().data, text.substr(300));
        EXPECT_EQ(rte_mempool_in_use_count(s.pools.data()), 1u);
        s.arrive({.seq = 1, .ack = 1001});
        s.release_held();
        EXPECT_EQ(s.pools.missing(), 0u);
    }
}

TEST(TcpShared, PartsOfItFitTheWindow) {
    Script s;
    const ConnId c = s.accept({.window = 700});
    const std::string text = letters(1400);
    EXPECT_TRUE(s.tcp->append(c, s.tcp->make_shared(bytes_of(text))));
    s.flush();
    EXPECT_EQ(s.next().data, text.substr(0, 700));
    s.arrive({.seq = 1, .ack = 701, .window = 700});
    EXPECT_EQ(s.next().data, text.substr(700));
}

TEST(TcpShared, SmallOnesAreCopiedIntoASharedSegment) {
    Script s;
    const ConnId c = s.accept();
    const Tcp::Shared tick = s.tcp->make_shared(bytes_of("tick;"));
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(s.tcp->append(c, tick));
    s.flush();
    EXPECT_EQ(s.next().data, "tick;tick;tick;");
    EXPECT_TRUE(s.quiet());
}

TEST(TcpShared, MixedWithCopiesKeepsTheOrder) {
    Script s;
    const ConnId c = s.accept();
    const std::string big = letters(3000);
    EXPECT_TRUE(s.append(c, "before "));
    EXPECT_TRUE(s.tcp->append(c, s.tcp->make_shared(bytes_of(big))));
    EXPECT_TRUE(s.append(c, " after"));
    s.flush();
    std::string got;
    while (!s.quiet())
        got += s.next().data;
    EXPECT_TRUE(got == "before " + big + " after");
}

TEST(TcpShared, EmptyAndDry) {
    Script s(Script::defaults(), 7, 63);
    const ConnId c = s.accept();
    EXPECT_FALSE(s.tcp->make_shared(bytes_of(letters(20000))));
    EXPECT_EQ(s.count(&Counters::data_pool_dry), 1u);
    EXPECT_EQ(s.pools.missing(), 0u);
    const Tcp::Shared empty = s.tcp->make_shared({});
    EXPECT_TRUE(empty);
    EXPECT_TRUE(s.tcp->append(c, empty));
    s.flush();
    EXPECT_TRUE(s.quiet());
}

TEST(TcpShared, ABufferWithTooManyReferencesIsCopied) {  // an mbuf counts them in 16 bits
    Config config = Script::defaults();
    config.send_limit = 100'000'000;
    Script s(config, 255, 131071);
    const ConnId c = s.accept();
    const std::string text = letters(300);
    const Tcp::Shared shared = s.tcp->make_shared(bytes_of(text));
    std::uint32_t appended = 0;
    for (; s.count(&Counters::shared_copies) < 3 && appended < 65000; ++appended)
        ASSERT_TRUE(s.tcp->append(c, shared));
    EXPECT_GT(appended, 59000u);
    EXPECT_LT(appended, 65000u);
    std::uint32_t got = 0;
    for (int rounds = 0; got < appended * 300 && rounds < 20000; ++rounds) {
        s.flush();
        while (!s.quiet()) {
            const Seg part = s.next();
            ASSERT_EQ(part.seq, 1 + got);
            for (const char letter : part.data)
                ASSERT_EQ(letter, text[got++ % 300]);
        }
        s.arrive({.seq = 1, .ack = 1 + got});
    }
    EXPECT_EQ(got, appended * 300);
    EXPECT_EQ(rte_mempool_in_use_count(s.pools.data()), 1u);
}

// --- the application's timer ---

TEST(TcpAppTimer, FiresOnceAtOrAfterItsTimeUnlessReplacedOrCancelled) {
    Script s;
    const ConnId c = s.accept();
    const Time began = s.now;
    s.tcp->set_timer(c, began + 100ms);
    s.tcp->set_timer(c, began + 300ms);
    s.run(290ms);
    EXPECT_TRUE(s.events.empty());
    s.run(20ms);
    EXPECT_EQ(s.event().kind, EventKind::kTimer);
    s.tcp->set_timer(c, s.now + 300ms);
    s.tcp->set_timer(c, s.now + 50ms);
    s.run(60ms);
    EXPECT_EQ(s.event().kind, EventKind::kTimer);
    s.tcp->set_timer(c, s.now + 50ms);
    s.tcp->cancel_timer(c);
    s.run(1s);
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.tcp->timers_armed(), 0u);
}

}  // namespace
}  // namespace millrace::tcp::test
