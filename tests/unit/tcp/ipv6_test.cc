// TCP over IPv6: what differs is the size of the header below, and where a connection keeps its addresses.

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

const SocketAddress kLocal6{{0x20010db800000000, 1}, 80};
const SocketAddress kRemote6{{0x20010db800000000, 2}, 40000};
const IpAddress kLinkLocal{0xfe80000000000000, 1};

// Both families; the script speaks IPv6.
struct Script6 : Script {
    explicit Script6(const Config& config = defaults())
        : Script(config, 4095, 4095, {{kLocal.ip, 4}, {kLinkLocal, 1}, {kLocal6.ip, 2}}) {
        EXPECT_TRUE(tcp->listen({{}, kLocal6.port}).has_value());
        our_end = kLocal6;
        peer_end = kRemote6;
    }
};

TEST(TcpIpv6, PassiveOpenKeepsTheAddresses) {
    Script6 s;
    const ConnId c = s.accept();
    EXPECT_EQ(s.tcp->peer(c), kRemote6);
    EXPECT_EQ(s.tcp->local(c), kLocal6);
    s.arrive({.data = "ping"});
    EXPECT_EQ(s.received(), "ping");
    s.say(c, "pong");
    s.next();  // the ACK
    const Seg answer = s.next();
    EXPECT_EQ(answer.data, "pong");
    EXPECT_EQ(answer.from, kLocal6);
    EXPECT_EQ(answer.to, kRemote6);
}

// RFC 6691 with RFC 8200 section 3: the MTU less 60; RFC 9293 section 3.7.1: 1220 when the SYN names no MSS.
TEST(TcpIpv6, MssAllowsForTheLargerHeader) {
    Script6 s;
    s.arrive(s.syn({.mss = 9000}));
    EXPECT_EQ(s.next().options.mss, 1440);
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.tcp->connection(s.event().conn).mss, 1440);

    Script6 none;
    Seg syn = none.syn();
    syn.options.mss = 0;
    none.arrive(syn);
    none.next();
    none.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(none.tcp->connection(none.event().conn).mss, 1220);
}

TEST(TcpIpv6, TheMinimumMtuIs1280) {  // RFC 8200 section 5
    Config config = Script::defaults();
    config.mtu = 1279;
    Pools pools;
    const net::Rss rss(1);
    const auto with = [&](const IpAddress& ip) {
        return Tcp::create(config, pools.data(), pools.header(), {{ip, 1}}, rss, 0).has_value();
    };
    EXPECT_TRUE(with(kLocal.ip));
    EXPECT_FALSE(with(kLocal6.ip));
    config.mtu = 1280;
    EXPECT_TRUE(with(kLocal6.ip));
}

// RFC 6724 section 5, rules 1 and 2 as far as they concern a host with few addresses: the same family and
// scope.
TEST(TcpIpv6, ConnectTakesAnAddressOfTheSameFamilyAndScope) {
    Script6 s;
    for (const SocketAddress& remote :
         {kRemote6, kRemote, SocketAddress{{0xfe80000000000000, 2}, 40000}, SocketAddress{{1, 1}, 7}}) {
        const ConnId c = s.tcp->connect(remote, s.now);
        ASSERT_NE(c, net::kNoConn) << to_string(remote);
        const IpAddress local = s.tcp->local(c).ip;
        EXPECT_EQ(local.is_v4(), remote.ip.is_v4());
        EXPECT_EQ(local.is_link_local(), remote.ip.is_link_local());
    }
    Script only_v4;
    EXPECT_EQ(only_v4.tcp->connect(kRemote6, only_v4.now), net::kNoConn);
    EXPECT_EQ(only_v4.count(&Counters::no_ports), 1u);
}

// RFC 8201 section 4: a Packet Too Big that names less than the least MTU of IPv6 is discarded.
TEST(TcpIpv6, PacketTooBigBelow1280IsDiscarded) {
    Script6 s;
    const ConnId c = s.connect();
    s.say(c, std::string(1440, 'x'));
    s.out.clear();
    for (const std::uint16_t mtu : {0, 68, 1279}) {
        s.tcp->path_mtu(s.our_end, kRemote6, mtu, s.our_isn + 1, s.now);
        s.flush();
        EXPECT_EQ(s.tcp->connection(c).mss, 1440);
        EXPECT_TRUE(s.quiet());
    }
    EXPECT_EQ(s.count(&Counters::path_mtu_floors), 3u);
    s.tcp->path_mtu(s.our_end, kRemote6, 1280, s.our_isn + 1, s.now);
    EXPECT_EQ(s.tcp->connection(c).mss, 1220);
}

TEST(TcpIpv6, NobodyIsCalledByAGroupsAddress) {  // RFC 9293 section 3.9.2.3 (MUST-46)
    Script6 s;
    EXPECT_EQ(s.tcp->connect({net::Ipv4{0xe0000001}, 80}, s.now), net::kNoConn);
    EXPECT_EQ(s.tcp->connect({net::Ipv4{0xffffffff}, 80}, s.now), net::kNoConn);
    EXPECT_EQ(s.tcp->connect({net::IpAddress{0xff02000000000000, 1}, 80}, s.now), net::kNoConn);
    EXPECT_EQ(s.count(&Counters::attempt_fails), 3u);
}

TEST(TcpIpv6, ActiveOpenExchangesData) {
    Script6 s;
    const ConnId c = s.connect({.timestamps = true, .window_scale = 3});
    EXPECT_EQ(s.tcp->connection(c).mss, 1428);
    s.say(c, std::string(3000, 'x'));
    EXPECT_EQ(s.next().data.size(), 1428u);
    EXPECT_EQ(s.next().data.size(), 1428u);
    EXPECT_EQ(s.next().data.size(), 144u);
}

// A listener on 0.0.0.0 is for IPv4, one on :: for IPv6 (as IPV6_V6ONLY, RFC 3493 section 5.3).
TEST(TcpIpv6, UnspecifiedListenersAreForTheirOwnFamily) {
    Script6 s;
    ASSERT_TRUE(s.tcp->listen({IpAddress{}, 81}).has_value());
    ASSERT_TRUE(s.tcp->listen({net::Ipv4{}, 82}).has_value());
    const auto answer = [&](const SocketAddress& from, const SocketAddress& to) {
        Seg syn = s.syn();
        syn.from = from;
        syn.to = to;
        s.arrive(syn);
        return s.next().flags;
    };
    EXPECT_EQ(answer(kRemote6, {kLocal6.ip, 81}), kSyn | kAck);
    EXPECT_EQ(answer(kRemote6, {kLocal6.ip, 82}), kRst | kAck);
    EXPECT_EQ(answer({kRemote.ip, 7}, {kLocal.ip, 81}), kRst | kAck);
    EXPECT_EQ(answer({kRemote.ip, 7}, {kLocal.ip, 82}), kSyn | kAck);
}

// The flows differ in one address only, or in the family.
TEST(TcpIpv6, FlowsOfBothFamiliesAreToldApart) {
    Script6 s;
    const std::vector<SocketAddress> peers{kRemote6,
                                           {kRemote6.ip.plus(1), kRemote6.port},
                                           {{kRemote6.ip.high + 1, kRemote6.ip.low}, kRemote6.port}};
    std::vector<ConnId> conns;
    std::vector<std::uint32_t> isns;
    for (const SocketAddress& peer : peers) {
        s.peer_end = peer;
        conns.push_back(s.accept());
        isns.push_back(s.our_isn);
    }
    for (std::size_t i = 0; i < peers.size(); ++i) {
        EXPECT_EQ(s.tcp->peer(conns[i]), peers[i]);
        s.peer_end = peers[i];
        s.our_isn = isns[i];
        s.arrive({.data = "x"});
        EXPECT_EQ(s.event().conn, conns[i]);
    }
    // What their IPv4 fields hold is no address.
    s.arrive({.data = "x", .from = {net::Ipv4{0}, kRemote6.port}, .to = {net::Ipv4{0}, kLocal6.port}});
    EXPECT_TRUE(s.events.empty());
}

TEST(TcpIpv6, AResetInTheBurstThatOpenedItDoesNotHideThePeer) {
    Script6 s;
    s.arrive(s.syn());
    EXPECT_EQ(s.next().flags, kSyn | kAck);
    const SocketAddress other{kRemote6.ip.plus(1), kRemote6.port};
    Seg next_tenant = s.syn();
    next_tenant.from = other;
    s.arrive({{.seq = 1, .ack = 1}, {.flags = kRst, .seq = 1}, next_tenant});
    const Happened accepted = s.event();
    EXPECT_EQ(accepted.kind, EventKind::kAccepted);
    EXPECT_EQ(s.event().reason, CloseReason::kReset);
    EXPECT_EQ(s.tcp->peer(accepted.conn), kRemote6);
}

TEST(TcpIpv6, TimeWaitKeepsTheAddresses) {
    Script6 s;
    const ConnId c = s.accept();
    s.tcp->close(c);
    s.flush();
    EXPECT_EQ(s.next().flags, kFin | kAck);
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 2});
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.event().kind, EventKind::kClosed);
    EXPECT_EQ(s.next().to, kRemote6);
    EXPECT_EQ(s.tcp->in_time_wait(), 1u);
    // Its FIN again is answered to the same address (RFC 9293 section 3.10.7.4).
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 2});
    const Seg again = s.next();
    EXPECT_EQ(again.from, kLocal6);
    EXPECT_EQ(again.to, kRemote6);
    s.run(61s);
    s.expect_empty();
}

TEST(TcpIpv6, ResetAndAbortGiveThePairBack) {
    Script6 s;
    const ConnId reset = s.accept();
    s.arrive({.flags = kRst, .seq = 1});
    EXPECT_EQ(s.event().conn, reset);
    s.expect_empty();
    const ConnId aborted = s.accept();
    s.tcp->abort(aborted);
    s.flush();
    const Seg rst = s.next();
    EXPECT_EQ(rst.flags, kRst | kAck);
    EXPECT_EQ(rst.to, kRemote6);
    s.expect_empty();
    // A segment for nobody is answered across the same family (RFC 9293 section 3.5.2).
    s.arrive({.data = "late"});
    EXPECT_EQ(s.next().to, kRemote6);
}

}  // namespace
}  // namespace millrace::tcp::test
