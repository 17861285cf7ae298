// Large sends: where the port cuts packets into segments (TSO), what the wire carries is what it carries
// without, in fewer packets.

#include <numeric>

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

constexpr std::size_t kMss = 1448;

Config cutting(unsigned most = 8) {
    Config config = Script::defaults();
    config.large_send = most;
    return config;
}

std::string text(std::size_t bytes) {
    std::string text(bytes, ' ');
    std::iota(text.begin(), text.end(), 'a');
    return text;
}

// Its first packets, the handshake's, are not counted.
ConnId accept(Script& s, const Peer& peer = {.timestamps = true}) {
    const ConnId id = s.accept(peer);
    s.packets.clear();
    return id;
}

// All segments that left, each where the last ended; their bytes.
std::string all_segments(Script& s, std::uint32_t from = 1) {
    std::string bytes;
    while (!s.quiet()) {
        const Seg segment = s.next();
        EXPECT_EQ(segment.seq, from + bytes.size());
        EXPECT_LE(segment.data.size(), kMss);
        EXPECT_EQ((segment.flags & kPsh) != 0, s.quiet()) << "PSH is of the last";
        bytes += segment.data;
    }
    return bytes;
}

TEST(TcpLargeSend, SegmentsInARowLeaveAsOnePacket) {
    Script s(cutting());
    const ConnId id = accept(s);
    const std::string sent = text(5 * kMss + 100);
    s.say(id, sent);
    EXPECT_EQ(s.packets, std::vector<unsigned>{6});
    EXPECT_EQ(s.out.size(), 6u);
    EXPECT_EQ(all_segments(s), sent);
    // Each counts as the segment that it is.
    EXPECT_EQ(s.tcp->counters().out_segments.value(), 1u + 6u);
}

TEST(TcpLargeSend, NoMoreThanThePortTakes) {
    Script s(cutting(4));
    const ConnId id = accept(s);
    s.say(id, text(9 * kMss));
    EXPECT_EQ(s.packets, (std::vector<unsigned>{4, 4, 1}));
    EXPECT_EQ(all_segments(s), text(9 * kMss));
}

TEST(TcpLargeSend, APortWithoutItGetsEachSegmentByItself) {
    Script s;
    const ConnId id = accept(s);
    s.say(id, text(3 * kMss));
    EXPECT_EQ(s.packets, (std::vector<unsigned>{1, 1, 1}));
    EXPECT_EQ(all_segments(s), text(3 * kMss));
}

// An IPv4 packet's length has 16 bits.
TEST(TcpLargeSend, NoMoreThanAnIpPacketHolds) {
    Script s(cutting(60));
    const ConnId id = accept(s, {.timestamps = true, .window_scale = 7});
    for (int rounds = 0; rounds < 4; ++rounds) {  // slow start opens the window
        s.say(id, text(50 * kMss));
        std::uint32_t end = 0;
        while (!s.quiet()) {
            const Seg segment = s.next();
            end = segment.seq + static_cast<std::uint32_t>(segment.data.size());
        }
        s.advance(1ms);
        s.arrive({.seq = 1, .ack = end});
    }
    for (const unsigned segments : s.packets)
        EXPECT_LE(segments * kMss, 0xffffu - 40);
    EXPECT_GT(*std::max_element(s.packets.begin(), s.packets.end()), 10u);
}

// The port repeats the first header: a segment with another one, or elsewhere in the stream, begins a packet
// of its own.
TEST(TcpLargeSend, OnlyWhatTheFirstHeaderSaysOfAllIsJoined) {
    Pools pools(16, 16);
    struct Made {
        TxSegment segment;
        rte_tcp_hdr* header;
    };
    const auto make = [&](std::uint32_t seq, std::uint16_t payload) {
        rte_mbuf* packet = rte_pktmbuf_alloc(pools.data());
        auto* header = reinterpret_cast<rte_tcp_hdr*>(rte_pktmbuf_append(packet, kMinHeader + 12 + payload));
        std::memset(header, 0, kMinHeader + 12);
        header->sent_seq = rte_cpu_to_be_32(seq);
        header->data_off = (kMinHeader + 12) / 4 << 4;
        header->tcp_flags = kAck;
        return Made{{packet, net::Ipv4{1}, net::Ipv4{2}, kMinHeader + 12}, header};
    };
    const auto joins = [&](auto change) {
        TxSegments list;
        list.push(make(1000, kMss).segment);
        Made next = make(1000 + kMss, 500);
        change(next);
        const bool joined = list.extend_last(next.segment, kMss, 8);
        if (!joined) rte_pktmbuf_free(next.segment.packet);
        return joined;
    };
    EXPECT_TRUE(joins([](Made&) {}));
    EXPECT_TRUE(joins([](Made& m) { m.header->tcp_flags |= kPsh; }));
    EXPECT_TRUE(joins([](Made& m) { m.header->tcp_flags |= kFin; }));
    EXPECT_FALSE(joins([](Made& m) { m.header->tcp_flags |= kUrg; }));
    EXPECT_FALSE(joins([](Made& m) { m.header->sent_seq = rte_cpu_to_be_32(1000 + kMss + 1); }));
    EXPECT_FALSE(joins([](Made& m) { m.header->recv_ack = 1; }));
    EXPECT_FALSE(joins([](Made& m) { m.header->rx_win = 1; }));
    EXPECT_FALSE(joins([](Made& m) { m.header->src_port = 1; }));
    EXPECT_FALSE(joins([](Made& m) { m.header->dst_port = 1; }));
    EXPECT_FALSE(joins([](Made& m) { *reinterpret_cast<std::uint8_t*>(m.header + 1) = 1; })) << "options";
    EXPECT_FALSE(joins([](Made& m) { m.segment.source = net::Ipv4{3}; }));
    EXPECT_FALSE(joins([](Made& m) { m.segment.destination = net::Ipv4{3}; }));
    EXPECT_FALSE(joins([](Made& m) { rte_pktmbuf_trim(m.segment.packet, 500); })) << "no payload";

    // A probe of the path's MTU is longer than an MSS, and leaves as it is.
    for (const std::uint16_t probe : {2 * 700, 2 * 700 + 1}) {
        TxSegments list;
        list.push(make(1000, probe).segment);
        const Made next = make(1000 + probe, 500);
        EXPECT_FALSE(list.extend_last(next.segment, 700, 8));
        rte_pktmbuf_free(next.segment.packet);
    }

    // Nor is what would be cut smaller than NICs like.
    for (const std::uint16_t mss : {511, 512}) {
        TxSegments list;
        list.push(make(1000, mss).segment);
        const Made next = make(1000u + mss, mss);
        const bool joined = list.extend_last(next.segment, mss, 8);
        EXPECT_EQ(joined, mss == 512);
        if (!joined) rte_pktmbuf_free(next.segment.packet);
    }

    // Behind a segment that is not full, or has ended with PSH, nothing is joined.
    TxSegments list;
    list.push(make(1000, 500).segment);
    const Made behind = make(1500, kMss);
    EXPECT_FALSE(list.extend_last(behind.segment, kMss, 8));
    list.push(behind.segment);
    behind.header->tcp_flags |= kPsh;
    const Made last = make(1500 + kMss, kMss);
    EXPECT_FALSE(list.extend_last(last.segment, kMss, 8));
    rte_pktmbuf_free(last.segment.packet);
}

// What is lost is sent again by itself, also while the port still holds the packet that it was a part of.
TEST(TcpLargeSend, OnePartIsSentAgainByItself) {
    for (const bool slow : {false, true}) {
        Script s(cutting());
        s.port_is_slow = slow;
        const ConnId id = accept(s);
        const std::string sent = text(6 * kMss);
        s.say(id, sent);
        EXPECT_EQ(all_segments(s), sent);
        s.packets.clear();
        for (int duplicates = 0; duplicates < 3; ++duplicates)
            s.arrive({.seq = 1, .ack = 1 + 2 * kMss});
        s.arrive({.seq = 1, .ack = 1 + 2 * kMss});
        const Seg again = s.next();
        EXPECT_EQ(again.seq, 1 + 2 * kMss);
        EXPECT_EQ(again.data, sent.substr(2 * kMss, kMss));
        EXPECT_EQ(s.packets.front(), 1u);
        s.arrive({.seq = 1, .ack = 1 + 6 * kMss});
        EXPECT_EQ(s.tcp->unsent(id), 0u);
        s.release_held();
    }
}

// RFC 8985 section 6.2: what the peer has and what is lost is known of each segment.
TEST(TcpLargeSend, LossesAreOfSegments) {
    Script s(cutting());
    const ConnId id = accept(s, {.timestamps = true, .sack = true});
    const std::string sent = text(7 * kMss);
    s.say(id, sent);
    EXPECT_EQ(s.packets, std::vector<unsigned>{7});
    s.out.clear();
    s.now += 50ms;
    s.peer_clock += 50;
    s.arrive(s.sack(1 + kMss, {{1 + 3 * kMss, 1 + 6 * kMss}}));
    // Segments 1 and 2 stand in a row, and again leave as one packet.
    ASSERT_EQ(s.out.size(), 2u);
    EXPECT_EQ(s.packets.back(), 2u);
    for (const std::uint32_t i : {1u, 2u}) {
        const Seg again = s.next();
        EXPECT_EQ(again.seq, 1 + i * kMss);
        EXPECT_EQ(again.data, sent.substr(i * kMss, kMss));
    }
    s.arrive({.seq = 1, .ack = 1 + 7 * kMss});
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

// RFC 1191 section 6.4: what is outstanding goes again in pieces, what comes later is cut to the new size.
TEST(TcpLargeSend, FollowsThePathMtu) {
    constexpr std::size_t kSmaller = 1400 - 20 - 32;
    Script s(cutting());
    const ConnId id = accept(s);
    const std::string sent = text(4 * kMss);
    s.say(id, sent);
    s.out.clear();
    s.packets.clear();
    s.tcp->path_mtu(s.our_end, kRemote, 1400, s.our_isn + 1, s.now);
    s.flush();
    std::string again;
    while (!s.quiet()) {
        const Seg piece = s.next();
        EXPECT_EQ(piece.seq, 1 + again.size());
        EXPECT_LE(piece.data.size(), kSmaller);
        again += piece.data;
        if (s.quiet()) s.arrive({.seq = 1, .ack = 1 + static_cast<std::uint32_t>(again.size())});
    }
    EXPECT_TRUE(again == sent) << again.size();
    EXPECT_EQ(s.packets, std::vector<unsigned>(8, 1)) << "two pieces of each";
    s.packets.clear();
    s.say(id, text(3 * kSmaller));
    EXPECT_EQ(s.packets, std::vector<unsigned>{3});
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(s.next().data.size(), kSmaller);
}

TEST(TcpLargeSend, OverIpv6) {
    const SocketAddress here{{0x20010db800000000, 1}, 80}, there{{0x20010db800000000, 2}, 40000};
    Script s(cutting(), 4095, 4095, {{here.ip, 1}});
    EXPECT_TRUE(s.tcp->listen({{}, here.port}).has_value());
    s.our_end = here;
    s.peer_end = there;
    const ConnId id = accept(s);
    const std::string sent = text(3 * (kMss - 20));
    s.say(id, sent);
    EXPECT_EQ(s.packets, std::vector<unsigned>{3});
    EXPECT_EQ(s.out.front().from, here);
    EXPECT_EQ(s.out.front().to, there);
    EXPECT_EQ(all_segments(s), sent);
}

// Acknowledged while the port still has them, units go back when it is done (the pools are counted at the
// end).
TEST(TcpLargeSend, PartsAcknowledgedBeforeThePortIsDone) {
    Script s(cutting());
    s.port_is_slow = true;
    const ConnId id = accept(s);
    s.say(id, text(6 * kMss));
    s.arrive({.seq = 1, .ack = 1 + 4 * kMss});
    EXPECT_EQ(s.tcp->unsent(id), 2 * kMss);
    s.release_held();
    s.arrive({.seq = 1, .ack = 1 + 6 * kMss});
    EXPECT_EQ(s.tcp->unsent(id), 0u);
}

// RFC 9293 section 3.9.1.2: PSH, and here FIN, of the last segment alone.
TEST(TcpLargeSend, TheFinIsTheLastSegments) {
    Script s(cutting());
    const ConnId id = accept(s);
    EXPECT_TRUE(s.append(id, text(3 * kMss)));
    s.tcp->close(id);
    s.flush();
    EXPECT_EQ(s.packets, std::vector<unsigned>{3});
    EXPECT_FALSE((s.next().flags & kFin) != 0);
    EXPECT_FALSE((s.next().flags & kFin) != 0);
    EXPECT_TRUE((s.next().flags & kFin) != 0);
}

}  // namespace
}  // namespace millrace::tcp::test
