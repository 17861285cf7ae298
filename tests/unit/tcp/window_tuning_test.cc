// The receive window: how it grows, its bounds, and silly windows at both ends (RFC 9293 sections 3.8.6,
// 3.8.6.2; RFC 7323 section 2).

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

constexpr std::uint32_t kFirst = 64u << 10;

Config with_window(std::uint32_t most) {
    Config config = Script::defaults();
    config.receive_window = most;
    config.delayed_ack = 0ms;
    return config;
}

// A peer 10 ms away, with window scaling.
ConnId distant(Script& s) {
    const Peer peer{.window_scale = 7};
    s.arrive(s.syn(peer));
    s.next();
    s.now += 10ms;
    s.arrive({.seq = 1, .ack = 1});
    return s.event().conn;
}

std::uint32_t offered(const Script& s, ConnId c) {
    return s.tcp->connection(c).receive_window();
}

// One round trip in which `bytes` arrive, as bursts of a poll each.
std::uint32_t round_trip(Script& s, std::uint32_t seq, std::uint32_t bytes) {
    constexpr std::uint32_t kPiece = 1400;
    const std::uint32_t polls = 10;
    for (std::uint32_t poll = 0; poll < polls; ++poll) {
        s.now += 1ms;
        std::vector<Seg> burst;
        for (std::uint32_t sent = 0; sent + kPiece <= bytes / polls; sent += kPiece, seq += kPiece)
            burst.push_back({.seq = seq, .ack = 1, .data = std::string(kPiece, 'w')});
        s.arrive(burst);
    }
    s.events.clear();
    s.out.clear();
    return seq;
}

TEST(TcpWindow, BeginsModest) {
    Script s(with_window(4u << 20));
    const ConnId c = distant(s);
    EXPECT_LE(offered(s, c), kFirst);
    EXPECT_GE(offered(s, c), kFirst - 1);
}

TEST(TcpWindow, GrowsWithWhatARoundTripDelivers) {
    Script s(with_window(4u << 20));
    const ConnId c = distant(s);
    std::uint32_t seq = 1, last = offered(s, c);
    for (int i = 0; i < 12; ++i) {
        seq = round_trip(s, seq, std::min(offered(s, c), 1u << 20));
        EXPECT_GE(offered(s, c) + 20000, last);
        last = offered(s, c);
    }
    EXPECT_GE(last, 2u << 20) << "twice what comes in a round trip";
    EXPECT_LE(last, 4u << 20);
    EXPECT_GT(s.count(&Counters::windows_grown), 2u);
}

TEST(TcpWindow, NeverBeyondTheMost) {
    Script s(with_window(256u << 10));
    const ConnId c = distant(s);
    std::uint32_t seq = 1;
    for (int i = 0; i < 20; ++i) {
        seq = round_trip(s, seq, offered(s, c));
        EXPECT_LE(offered(s, c), 256u << 10);
    }
    EXPECT_GE(offered(s, c), 200u << 10);
}

TEST(TcpWindow, SlowSenderLeavesItModest) {
    Script s(with_window(4u << 20));
    const ConnId c = distant(s);
    std::uint32_t seq = 1;
    for (int i = 0; i < 50; ++i)
        seq = round_trip(s, seq, 15000);
    EXPECT_LE(offered(s, c), kFirst);
    EXPECT_EQ(s.tcp->windows_grown(), 0u);
}

TEST(TcpWindow, SmallMessagesTakeNoThirdLine) {  // 128 bytes at rest
    Script s(with_window(4u << 20));
    const ConnId c = distant(s);
    for (std::uint32_t i = 0; i < 10; ++i) {
        s.now += 10ms;
        s.arrive({.seq = 1 + 100 * i, .ack = 1, .data = std::string(100, 'm')});
    }
    EXPECT_FALSE(s.tcp->connection(c).has(kExtra));
}

TEST(TcpWindow, NoGrowthWhereThereIsNoRoomForIt) {
    Script s(with_window(kFirst));
    const ConnId c = distant(s);
    std::uint32_t seq = 1;
    for (int i = 0; i < 5; ++i)
        seq = round_trip(s, seq, offered(s, c));
    EXPECT_FALSE(s.tcp->connection(c).has(kExtra));
}

TEST(TcpWindow, AllTogetherGrowWithinTheShardsBound) {
    Config config = with_window(4u << 20);
    config.max_window_growth = 100'000;
    Script s(config);
    const ConnId c = distant(s);
    std::uint32_t seq = 1;
    for (int i = 0; i < 10; ++i)
        seq = round_trip(s, seq, offered(s, c));
    EXPECT_EQ(s.tcp->windows_grown(), 100'000u);
    EXPECT_LE(offered(s, c), kFirst + 100'000);
    EXPECT_GE(s.count(&Counters::windows_bounded), 1u);
}

TEST(TcpWindow, GrowthComesBackWithTheConnection) {
    Script s(with_window(4u << 20));
    const ConnId c = distant(s);
    std::uint32_t seq = 1;
    for (int i = 0; i < 6; ++i)
        seq = round_trip(s, seq, offered(s, c));
    EXPECT_GT(s.tcp->windows_grown(), 0u);
    s.tcp->abort(c);
    s.flush();
    EXPECT_EQ(s.tcp->windows_grown(), 0u);
}

TEST(TcpWindow, GrowthComesBackInTimeWaitToo) {
    Script s(with_window(4u << 20));
    const ConnId c = distant(s);
    std::uint32_t seq = 1;
    for (int i = 0; i < 6; ++i)
        seq = round_trip(s, seq, offered(s, c));
    s.tcp->close(c);
    s.flush();
    s.arrive({.flags = kFin | kAck, .seq = seq, .ack = 2});
    EXPECT_EQ(s.tcp->in_time_wait(), 1u);
    EXPECT_EQ(s.tcp->windows_grown(), 0u);
}

TEST(TcpWindow, WhenMemoryIsShortItShrinksByNotOfferingMore) {  // section 3.8.6: never by taking back
    Config config = with_window(1u << 20);
    Script s(config, 2047);
    const ConnId c = distant(s);
    std::uint32_t seq = 1;
    for (int i = 0; i < 8; ++i)
        seq = round_trip(s, seq, std::min(offered(s, c), 400'000u));
    ASSERT_GT(s.tcp->windows_grown(), 300'000u);
    std::vector<rte_mbuf*> hoard(1900);
    ASSERT_EQ(rte_pktmbuf_alloc_bulk(s.pools.data(), hoard.data(), static_cast<unsigned>(hoard.size())), 0);
    Seq edge = s.tcp->connection(c).rcv_adv;
    for (int i = 0; i < 30; ++i) {
        seq = round_trip(s, seq, 70'000);
        EXPECT_GE(s.tcp->connection(c).rcv_adv, edge) << "the right edge moved left";
        edge = s.tcp->connection(c).rcv_adv;
    }
    EXPECT_EQ(s.tcp->windows_grown(), 0u);
    EXPECT_LE(offered(s, c), kFirst);
    EXPECT_EQ(s.count(&Counters::windows_shrunk), 1u);
    for (rte_mbuf* m : hoard)
        rte_pktmbuf_free(m);
}

TEST(TcpWindow, WithoutScalingItIsAtMost65535) {  // RFC 7323 section 2.2
    Script s(with_window(4u << 20));
    s.arrive(s.syn());
    s.next();
    s.now += 10ms;
    s.arrive({.seq = 1, .ack = 1});
    const ConnId c = s.event().conn;
    std::uint32_t seq = 1;
    for (int i = 0; i < 10; ++i) {
        seq = round_trip(s, seq, offered(s, c));
        EXPECT_LE(offered(s, c), 65535u);
    }
}

TEST(TcpWindow, FirstWindowMayBeTheMost) {
    Config config = with_window(1u << 20);
    config.first_window = 1u << 20;
    Script s(config);
    const ConnId c = distant(s);
    s.arrive({.seq = 1, .ack = 1, .data = std::string(1460, 'x')});
    EXPECT_GE(offered(s, c), (1u << 20) - 1460);
}

// --- silly windows ---

TEST(TcpSillyWindow, ReceiverOpensByAFullSegmentOrNotAtAll) {  // section 3.8.6.2.2
    Config config = with_window(4000);
    config.first_window = 4000;
    Script s(config);
    const ConnId c = s.accept();
    s.tcp->pause(c);
    for (std::uint32_t i = 0; i < 4; ++i)
        s.arrive({.seq = 1 + 1000 * i, .ack = 1, .data = std::string(1000, 'x')});
    EXPECT_EQ(s.out.back().window, 0);
    s.out.clear();
    for (int i = 0; i < 5; ++i) {
        s.now += 1s;
        s.arrive({.seq = 4001, .ack = 1, .data = "p"});  // probes
        EXPECT_EQ(s.next().window, 0);
    }
    s.tcp->resume(c);
    s.poll();
    EXPECT_EQ(s.next().window, 4000);
}

TEST(TcpSillyWindow, SenderWaitsForAFullSegmentOrHalfTheWindow) {  // section 3.8.6.2.1
    Script s;
    const ConnId c = s.accept({.window = 4000});
    s.say(c, std::string(8000, 'x'));
    EXPECT_EQ(s.next().data.size(), 1460u);
    EXPECT_EQ(s.next().data.size(), 1460u);
    EXPECT_TRUE(s.quiet()) << "1080 bytes fit, and are neither a segment nor half of 4000";
    s.arrive({.seq = 1, .ack = 1461, .window = 4000 - 1460});
    EXPECT_TRUE(s.quiet()) << "the edge has not moved";
    s.arrive({.seq = 1, .ack = 2921, .window = 1000});
    EXPECT_TRUE(s.quiet());
    s.arrive({.seq = 1, .ack = 2921, .window = 2000});
    EXPECT_EQ(s.next().data.size(), 1460u);
}

TEST(TcpSillyWindow, AfterATimeItSendsWhatFits) {  // the override timeout
    Script s;
    const ConnId c = s.accept({.window = 4000});
    s.arrive({.seq = 1, .ack = 1, .window = 500});
    s.say(c, std::string(1460, 'x'));
    EXPECT_TRUE(s.quiet());
    s.run(1100ms);
    EXPECT_EQ(s.next().data.size(), 500u);
}

TEST(TcpSillyWindow, WindowTakenBackIsSurvived) {  // section 3.8.6: a sender MUST be robust against it
    Script s;
    const ConnId c = s.accept();
    s.say(c, std::string(2920, 'x'));
    s.out.clear();
    s.arrive({.seq = 1, .ack = 1, .window = 1000});
    s.say(c, "more");
    EXPECT_TRUE(s.quiet());
    s.arrive({.seq = 1, .ack = 2921, .window = 1000});
    EXPECT_EQ(s.next().data, "more");
}

}  // namespace
}  // namespace millrace::tcp::test
