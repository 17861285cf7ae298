// One stack with an IPv6 address, fed frames by hand: what comes out, byte for byte.

#include <gtest/gtest.h>

#include "netstack/port/mbuf.h"
#include "netstack/stack/stack.h"
#include "tests/unit/port/frames6.h"
#include "tests/unit/stack/network.h"

namespace millrace::net {
namespace {

using test::Octets;

const SocketAddress kService6{test::kOurIp6, 80}, kPeer6{test::kPeerIp6, 4000};

class StackIpv6 : public ::testing::Test {
  protected:
    explicit StackIpv6(std::vector<IpAddress> gateways = {{0x20010db800000000, 0xfe}},
                       Duration tentative = {}) {
        static const Rss rss(1);
        StackConfig config = test::config_of("2001:db8::1/64");
        config.gateways = std::move(gateways);
        config.neighbours.tentative = tentative;
        config.data_mbufs = 512;
        config.header_mbufs = 512;
        stack = *Stack::create(config,
                               {.mac = test::kOurMac, .offloads = {.transmit_chains = true}, .rss = &rss});
        at_start = take();
    }
    void receive(const std::vector<Octets>& packets, const MacAddress& to = test::kOurMac) {
        stack->begin_poll();
        std::vector<rte_mbuf*> burst;
        for (const Octets& packet : packets)
            burst.push_back(pool.mbuf(test::frame6(packet, to)));
        stack->receive(burst, now);
        stack->run_timers(now);
    }
    std::vector<Octets> take() {
        std::vector<Octets> frames;
        stack->run_timers(now);
        while (stack->flush(now)) {
        }
        for (rte_mbuf* frame : stack->outgoing()) {
            frames.push_back(test::bytes_of(frame));
            release(frame);
        }
        stack->sent(frames.size());
        return frames;
    }
    void introduce(const IpAddress& ip = test::kPeerIp6) {
        receive({test::solicitation(ip, solicited_node_group(test::kOurIp6), test::kOurIp6,
                                    test::link_option(1, test::kPeerMac))},
                mac_of_group(solicited_node_group(test::kOurIp6)));
        take();
    }
    static Octets to_peer(const Octets& packet) {
        return test::frame6(packet, test::kPeerMac, test::kOurMac);
    }
    std::uint64_t counter(std::string_view name) {
        std::uint64_t found = ~std::uint64_t{0};
        stack->visit_counters([&](std::string_view n, std::uint64_t value) {
            if (n == name) found = value;
        });
        return found;
    }

    test::TestPool pool{1024};
    std::unique_ptr<Stack> stack;
    Time now = Time{} + 1h;
    std::vector<Octets> at_start;
};

// Both addresses end in the same 24 bits: it is one group.
const IpAddress kOurGroup = solicited_node_group(test::kOurIp6);

// --- addresses that are not ours yet: RFC 4862 section 5.4 ---

class StackTentative : public StackIpv6 {
  protected:
    StackTentative() : StackIpv6({}, 1s) {}
    // Somebody has our global address.
    void claim() {
        receive({test::advertisement(test::kOurIp6, kAllNodes, test::kOurIp6, test::kOverride,
                                     test::link_option(2, test::kPeerMac))},
                test::kGroupMac);
    }
    void wait() {
        now += 1s;
        take();
    }
    void syn_arrives(const IpAddress& to) {
        const SocketAddress from{to.is_link_local() ? test::kPeerLinkLocal : test::kPeerIp6, 4000};
        receive({test::ipv6(from.ip, to, 6, test::tcp(from, {to, 80}, {}, 0x02))});
    }
};

// RFC 4291 section 2.8: an IPv6 host has a link-local address; RFC 4862 section 5.4.2: it asks about each,
// when it has joined their group.
TEST_F(StackTentative, AsksAboutItsAddressesAtTheStart) {
    ASSERT_EQ(at_start.size(), 3u);
    EXPECT_EQ(at_start[0], test::mld_report_frame({}, {{4, kOurGroup}})) << "RFC 3590: from nowhere yet";
    for (const auto& [frame, ip] :
         {std::pair{at_start[1], test::kOurIp6}, {at_start[2], test::kOurLinkLocal}}) {
        const IpAddress group = solicited_node_group(ip);
        EXPECT_EQ(frame,
                  test::frame6(test::solicitation({}, group, ip, {}), mac_of_group(group), test::kOurMac));
    }
}

TEST_F(StackTentative, ReportsItsGroupAgainFromItsLinkLocalAddress) {  // RFC 3590 section 4
    std::vector<Octets> reports;
    for (const Time start = now; now < start + 60s; now += 100ms)
        for (const Octets& frame : take())
            if (frame[20] == 0) reports.push_back(frame);
    ASSERT_EQ(reports.size(), 3u);
    EXPECT_EQ(reports[0], test::mld_report_frame({}, {{4, kOurGroup}})) << "Robustness Variable";
    EXPECT_EQ(reports[1], test::mld_report_frame(test::kOurLinkLocal, {{4, kOurGroup}}));
    EXPECT_EQ(reports[2], reports[1]);
    EXPECT_EQ(counter("Icmp6OutMLDv2Reports"), 4u);
}

TEST_F(StackTentative, NothingIsHeardOrSaidMeanwhile) {
    ASSERT_TRUE(stack->tcp().listen({{0, 0}, 80}));
    now += 500ms;
    take();
    syn_arrives(test::kOurIp6);
    receive(
        {test::ipv6(test::kPeerIp6, test::kOurIp6, 58,
                    test::icmpv6(test::kPeerIp6, test::kOurIp6, 128, 0, 1, {})),
         test::ipv6(test::kPeerIp6, test::kOurIp6, 17, Octets(8, 0)),
         test::solicitation(test::kPeerIp6, kOurGroup, test::kOurIp6, test::link_option(1, test::kPeerMac))});
    EXPECT_TRUE(take().empty());
    EXPECT_EQ(stack->tcp().half_open(), 0u);
    EXPECT_EQ(counter("TentativeDrops"), 1u);
}

TEST_F(StackTentative, AConnectionWaitsForItsAddress) {
    const ConnId c = stack->tcp().connect(kPeer6, now);
    ASSERT_NE(c, kNoConn);
    now += 500ms;
    for (const Octets& frame : take())
        EXPECT_NE(frame[20], 6);
    now += 500ms;
    take();  // and asks for the neighbour
    receive(
        {test::solicitation(test::kPeerIp6, kOurGroup, test::kOurIp6, test::link_option(1, test::kPeerMac))},
        mac_of_group(kOurGroup));
    std::size_t syns = 0;
    for (const Octets& frame : take())
        if (frame[20] == 6 && frame[54 + 13] == 0x02) ++syns;
    EXPECT_EQ(syns, 1u);
    EXPECT_EQ(stack->tcp().connection(c).retries, 0) << "its time has only begun";
}

TEST_F(StackTentative, ADuplicateIsNoAddressOfOurs) {  // RFC 4862 section 5.4.5
    ASSERT_TRUE(stack->tcp().listen({{0, 0}, 80}));
    ASSERT_NE(stack->tcp().connect(kPeer6, now), kNoConn);
    claim();
    now += 1s;
    receive({});
    take();
    now += 1ms;
    receive({});
    ASSERT_EQ(stack->events().size(), 1u) << "what had begun from it ends";
    EXPECT_EQ(stack->events()[0].kind, EventKind::kClosed);
    EXPECT_EQ(stack->events()[0].reason, CloseReason::kUnreachable);
    EXPECT_EQ(stack->tcp().connect(kPeer6, now), kNoConn);
    syn_arrives(test::kOurIp6);
    EXPECT_EQ(stack->tcp().half_open(), 0u);
    EXPECT_GT(stack->ip_input().counters().not_for_us.value(), 0u);
    EXPECT_FALSE(stack->tcp().listen({test::kOurIp6, 81}));
    EXPECT_EQ(counter("AddressDuplicates"), 1u);
    EXPECT_NE(stack->hint().find("2001:db8::1 "), std::string::npos) << stack->hint();

    syn_arrives(test::kOurLinkLocal);
    EXPECT_EQ(stack->tcp().half_open(), 1u) << "the other one is";
    take();
}

TEST_F(StackTentative, WithoutClaimsAllAreOurs) {
    ASSERT_TRUE(stack->tcp().listen({{0, 0}, 80}));
    wait();
    syn_arrives(test::kOurIp6);
    EXPECT_EQ(stack->tcp().half_open(), 1u);
    EXPECT_TRUE(stack->hint().empty());
    take();
}

// --- where they are ours at once ---

TEST_F(StackIpv6, AnnouncesItsAddressesAtTheStart) {  // RFC 4861 section 7.2.6
    ASSERT_EQ(at_start.size(), 3u);
    EXPECT_EQ(at_start[0], test::mld_report_frame(test::kOurLinkLocal, {{4, kOurGroup}}));
    for (const auto& [frame, ip] :
         {std::pair{at_start[1], test::kOurIp6}, {at_start[2], test::kOurLinkLocal}})
        EXPECT_EQ(frame, test::frame6(test::advertisement(ip, kAllNodes, ip, test::kOverride,
                                                          test::link_option(2, test::kOurMac)),
                                      test::kGroupMac, test::kOurMac));
}

// --- multicast listener discovery: RFC 4861 section 7.2.1, RFC 3810 ---

class StackListener : public StackIpv6 {
  protected:
    StackListener() {
        for (const Time start = now; now < start + 10s; now += 100ms)
            take();
    }
    // Of the peer, to `to`.
    void query(const IpAddress& to, const Octets& message) {
        receive(
            {test::mld(test::kPeerLinkLocal, to, test::icmpv6_checked(test::kPeerLinkLocal, to, message))},
            mac_of_group(to));
    }
    std::vector<Octets> take_within(Duration most) {
        std::vector<Octets> frames;
        for (const Time start = now; now <= start + most; now += 100ms)
            for (Octets& frame : take())
                frames.push_back(std::move(frame));
        return frames;
    }
};

TEST_F(StackListener, AnswersGeneralQueries) {
    query(kAllNodes, test::mld_query({}, 1000, 2, 125));
    const auto out = take_within(1s);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0], test::mld_report_frame(test::kOurLinkLocal, {{2, kOurGroup}}));
    EXPECT_EQ(counter("Icmp6InGroupMembQueries"), 1u);
}

TEST_F(StackListener, AnswersQueriesAboutItsGroup) {
    query(kOurGroup, test::mld_query(kOurGroup, 1000, 2, 125));
    const auto out = take_within(1s);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0], test::mld_report_frame(test::kOurLinkLocal, {{2, kOurGroup}}));
}

TEST_F(StackListener, AnswersQueriesOfVersion1WithReportsOfVersion1) {
    Octets message = test::mld_query({}, 1000, 0, 0);
    message.resize(24);
    query(kAllNodes, message);
    const auto out = take_within(1s);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0], test::mld_report_v1_frame(test::kOurLinkLocal, kOurGroup));
    EXPECT_EQ(counter("Icmp6OutGroupMembResponses"), 1u);
}

TEST_F(StackListener, CountsWhatIsNoQuery) {
    const Octets message =
        test::icmpv6_checked(test::kPeerLinkLocal, kAllNodes, test::mld_query({}, 1000, 2, 125));
    receive({test::ipv6(test::kPeerLinkLocal, kAllNodes, 58, message, 1)}, test::kGroupMac);
    EXPECT_TRUE(take_within(1s).empty());
    EXPECT_EQ(counter("MldInErrors"), 1u) << "no Router Alert";
    EXPECT_EQ(counter("Icmp6InGroupMembQueries"), 0u);
}

TEST_F(StackIpv6, AnswersSolicitations) {
    receive({test::solicitation(test::kPeerIp6, solicited_node_group(test::kOurIp6), test::kOurIp6,
                                test::link_option(1, test::kPeerMac))},
            mac_of_group(solicited_node_group(test::kOurIp6)));
    const auto out = take();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0], to_peer(test::advertisement(test::kOurIp6, test::kPeerIp6, test::kOurIp6,
                                                  test::kSolicited | test::kOverride,
                                                  test::link_option(2, test::kOurMac))));
    EXPECT_EQ(counter("Icmp6InNeighborSolicits"), 1u);
    EXPECT_EQ(counter("Icmp6OutNeighborAdvertisements"), 3u) << "with those of the start";
}

TEST_F(StackIpv6, AnswersEchoesFromTheAddressThatWasAsked) {
    introduce();
    const auto echo = [&](std::uint8_t type, const IpAddress& from, const IpAddress& to) {
        return test::ipv6(from, to, 58, test::icmpv6(from, to, type, 0, 0x00010002, test::text("ping")));
    };
    receive({echo(128, test::kPeerIp6, test::kOurIp6)});
    auto out = take();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0], to_peer(echo(129, test::kOurIp6, test::kPeerIp6)));
    receive({echo(128, test::kPeerIp6, kAllNodes)}, test::kGroupMac);
    out = take();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0], to_peer(echo(129, test::kOurIp6, test::kPeerIp6))) << "never from a group";
}

TEST_F(StackIpv6, CompletesAHandshakeWithGoodChecksums) {
    introduce();
    ASSERT_TRUE(stack->tcp().listen(kService6));
    receive({test::ipv6(test::kPeerIp6, test::kOurIp6, 6, test::tcp(kPeer6, kService6, {}, 0x02))});
    const auto out = take();
    ASSERT_EQ(out.size(), 1u);
    ASSERT_GE(out[0].size(), 74u);
    EXPECT_EQ(Octets(out[0].begin() + 12, out[0].begin() + 16), (Octets{0x86, 0xdd, 0x60, 0}));
    EXPECT_EQ(out[0][20], 6) << "next header";
    const Octets segment(out[0].begin() + 54, out[0].end());
    EXPECT_EQ(out[0][18] << 8 | out[0][19], static_cast<int>(segment.size()));
    EXPECT_EQ(test::l4_checksum(test::kOurIp6, test::kPeerIp6, 6, segment), 0);
    EXPECT_EQ(segment[13], 0x12) << "SYN, ACK";
}

// RFC 4443 section 2.4 (e.1): though a header before it asks to be refused (RFC 8200 section 4.2).
TEST_F(StackIpv6, AnErrorMessageIsNeverAnswered) {
    introduce();
    const auto with_unknown_option = [](std::uint8_t type) {
        Octets behind{58, 0, 0x80, 4, 0, 0, 0, 0};
        const Octets message = test::icmpv6(test::kPeerIp6, test::kOurIp6, type, 0, 0, Octets(48, 0));
        behind.insert(behind.end(), message.begin(), message.end());
        return test::ipv6(test::kPeerIp6, test::kOurIp6, 60, behind);
    };
    receive({with_unknown_option(1)});
    EXPECT_TRUE(take().empty());
    receive({with_unknown_option(128)});
    EXPECT_EQ(take().size(), 1u);
}

// RFC 4443 section 3.4, sent to whoever used what we do not know.
TEST_F(StackIpv6, RefusesUnknownProtocolsAloud) {
    introduce();
    const Octets udp = test::ipv6(test::kPeerIp6, test::kOurIp6, 17, Octets(8, 0));
    receive({udp});
    const auto out = take();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0], to_peer(test::ipv6(test::kOurIp6, test::kPeerIp6, 58,
                                         test::icmpv6(test::kOurIp6, test::kPeerIp6, 4, 1, 6, udp))));
    EXPECT_EQ(counter("Icmp6OutErrors"), 1u);
}

// RFC 4443 section 3.1: told to TCP, whose SYN it was.
TEST_F(StackIpv6, AnUnreachableEndsTheConnectionAttempt) {
    introduce();
    const ConnId c = stack->tcp().connect(kPeer6, now);
    ASSERT_NE(c, kNoConn);
    const auto syn = take();
    ASSERT_EQ(syn.size(), 1u);
    const Octets quoted(syn[0].begin() + 14, syn[0].end());
    receive({test::ipv6(test::kPeerIp6, test::kOurIp6, 58,
                        test::icmpv6(test::kPeerIp6, test::kOurIp6, 1, 3, 0, quoted))});
    ASSERT_EQ(stack->events().size(), 1u);
    EXPECT_EQ(stack->events()[0].kind, EventKind::kClosed);
    EXPECT_EQ(stack->events()[0].reason, CloseReason::kUnreachable);
}

// RFC 4861 section 7.2.2: address resolution failed.
TEST_F(StackIpv6, ANeighbourThatDoesNotAnswerIsUnreachable) {
    ASSERT_NE(stack->tcp().connect(kPeer6, now), kNoConn);
    EXPECT_EQ(take().size(), 1u) << "the solicitation";
    for (int second = 1; second <= 3; ++second) {
        now += 1s;
        receive({});
        if (!stack->events().empty()) break;
        take();
    }
    ASSERT_EQ(stack->events().size(), 1u);
    EXPECT_EQ(stack->events()[0].reason, CloseReason::kUnreachable);
}

TEST_F(StackIpv6, StrangersGoByTheGateway) {
    const IpAddress gateway{0x20010db800000000, 0xfe};
    introduce(gateway);
    ASSERT_NE(stack->tcp().connect({{0x2a00000000000000, 1}, 443}, now), kNoConn);
    const auto out = take();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(Octets(out[0].begin(), out[0].begin() + 6),
              Octets(test::kPeerMac.octets.begin(), test::kPeerMac.octets.end()));
    EXPECT_EQ(out[0][20], 6) << "the SYN itself";
}

// --- without a gateway of our own: RFC 4861 section 6.3 ---

class StackRouters : public StackIpv6 {
  protected:
    StackRouters() : StackIpv6(std::vector<IpAddress>{}) {}

    static Octets router_advertisement(std::uint16_t lifetime, const Octets& options = {},
                                       const IpAddress& from = test::kPeerLinkLocal) {
        Octets body(8, 0);
        test::append(body, test::link_option(1, test::kPeerMac));
        test::append(body, options);
        return test::ipv6(from, kAllNodes, 58, test::icmpv6(from, kAllNodes, 134, 0, lifetime, body), 255);
    }
    static bool is_router_solicitation(const Octets& frame) { return frame[20] == 58 && frame[54] == 133; }
    // Where a packet to `ip` goes first.
    std::optional<IpAddress> next_hop(const char* ip) { return stack->addresses().next_hop(*parse_ip(ip)); }
};

TEST_F(StackRouters, AreAskedThreeTimesFourSecondsApart) {  // section 6.3.7
    ASSERT_EQ(at_start.size(), 4u);
    EXPECT_TRUE(is_router_solicitation(at_start[3]));
    EXPECT_EQ(Octets(at_start[3].begin(), at_start[3].begin() + 6), (Octets{0x33, 0x33, 0, 0, 0, 2}));
    std::vector<Time> asked;
    for (const Time start = now; now < start + 60s; now += 1s)
        for (const Octets& frame : take())
            if (is_router_solicitation(frame)) asked.push_back(now);
    ASSERT_EQ(asked.size(), 2u);
    EXPECT_EQ(asked[1] - asked[0], 4s);
    EXPECT_EQ(stack->next_timer(), kNever);
}

TEST_F(StackRouters, AnAdvertisementMakesADefaultRouteForItsLifetime) {  // section 6.3.4
    EXPECT_EQ(next_hop("2a00::1"), std::nullopt);
    receive({router_advertisement(1800)}, test::kGroupMac);
    EXPECT_EQ(next_hop("2a00::1"), test::kPeerLinkLocal);
    EXPECT_EQ(counter("Icmp6InRouterAdvertisements"), 1u);
    // It named its MAC address: nothing has to be resolved.
    take();
    ASSERT_NE(stack->tcp().connect({{0x2a00000000000000, 1}, 443}, now), kNoConn);
    const auto out = take();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0][20], 6) << "the SYN itself";
    now += 1800s;
    receive({});
    EXPECT_EQ(next_hop("2a00::1"), std::nullopt) << "its time is over";
}

TEST_F(StackRouters, ALifetimeOfZeroEndsTheRoute) {
    receive({router_advertisement(1800)}, test::kGroupMac);
    receive({router_advertisement(0)}, test::kGroupMac);
    EXPECT_EQ(next_hop("2a00::1"), std::nullopt);
}

TEST_F(StackRouters, APrefixSaysWhatIsOnTheLink) {
    Octets prefix{3, 4, 64, 0x80};
    test::put32(prefix, 600);
    test::put32(prefix, 600);
    test::put32(prefix, 0);
    test::put_ip(prefix, *parse_ip("2001:db8:0:9::"));
    receive({router_advertisement(1800, prefix)}, test::kGroupMac);
    EXPECT_EQ(next_hop("2001:db8:0:9::7"), *parse_ip("2001:db8:0:9::7"));
    EXPECT_EQ(next_hop("2001:db8:0:a::7"), test::kPeerLinkLocal);
    now += 600s;
    receive({});
    EXPECT_EQ(next_hop("2001:db8:0:9::7"), test::kPeerLinkLocal);
}

TEST_F(StackRouters, AnMtuLowersWhatOurSynsSay) {  // section 4.6.4
    introduce();
    receive({router_advertisement(1800, {5, 1, 0, 0, 0, 0, 5, 0})}, test::kGroupMac);
    ASSERT_NE(stack->tcp().connect(kPeer6, now), kNoConn);
    const auto out = take();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0][54 + 20], 2) << "the MSS option";
    EXPECT_EQ(out[0][54 + 22] << 8 | out[0][54 + 23], 1220);
}

// Section 6.3.6: nobody answers its probes, so the other is taken.
TEST_F(StackRouters, ASilentOneIsLeftForAnother) {
    const IpAddress other{0xfe80000000000000, 1000};
    receive({router_advertisement(1800), router_advertisement(1800, {}, other)}, test::kGroupMac);
    ASSERT_NE(stack->tcp().connect({{0x2a00000000000000, 1}, 443}, now), kNoConn);
    take();
    EXPECT_EQ(next_hop("2a00::1"), test::kPeerLinkLocal);
    for (int seconds = 0; seconds < 10; ++seconds) {
        now += 1s;
        take();
    }
    EXPECT_EQ(next_hop("2a00::1"), other);
    EXPECT_EQ(stack->addresses().learnt().routers(), 2u) << "it may come back";
}

// Section 7.2.5: the R flag of its advertisements.
TEST_F(StackRouters, OneThatIsNoneAnyMoreIsForgotten) {
    const IpAddress other{0xfe80000000000000, 1000};
    receive({router_advertisement(1800), router_advertisement(1800, {}, other)}, test::kGroupMac);
    const auto advertise = [&](std::uint32_t flags) {
        Octets body;
        test::put_ip(body, test::kPeerLinkLocal);
        test::append(body, test::link_option(2, test::kPeerMac));
        Octets message = test::icmpv6(test::kPeerLinkLocal, kAllNodes, 136, 0, flags, body);
        receive({test::ipv6(test::kPeerLinkLocal, kAllNodes, 58, message, 255)}, test::kGroupMac);
    };
    advertise(0xa0000000);  // router, override
    EXPECT_EQ(next_hop("2a00::1"), test::kPeerLinkLocal);
    advertise(0x20000000);
    EXPECT_EQ(next_hop("2a00::1"), other);
    EXPECT_EQ(stack->addresses().learnt().routers(), 1u);
}

TEST_F(StackRouters, AreBounded) {
    for (std::uint64_t i = 0; i < 100; ++i) {
        const IpAddress from{0xfe80000000000000, 1000 + i};
        receive({router_advertisement(1800, {}, from)}, test::kGroupMac);
    }
    EXPECT_EQ(stack->addresses().learnt().routers(), LearntRoutes::kMostRouters);
    EXPECT_EQ(next_hop("2a00::1"), IpAddress(0xfe80000000000000, 1000)) << "the first is kept";
}

TEST_F(StackIpv6, RoutersAreNotBelievedWhereAGatewayWasGiven) {
    Octets body(8, 0);
    receive({test::ipv6(test::kPeerLinkLocal, kAllNodes, 58,
                        test::icmpv6(test::kPeerLinkLocal, kAllNodes, 134, 0, 1800, body), 255)},
            test::kGroupMac);
    EXPECT_EQ(stack->addresses().learnt().routers(), 0u);
}

// IEEE 802.1Q: a whole stack in a LAN speaks and hears tagged frames only.
TEST(StackVlan, SpeaksInItsLan) {
    static const Rss rss(1);
    test::TestPool pool;
    StackConfig config = test::config_of("2001:db8::1/64");
    config.data_mbufs = config.header_mbufs = 512;
    auto stack = *Stack::create(config, {.mac = test::kOurMac, .vlan = 7, .rss = &rss});
    const Time now = Time{} + 1h;
    const auto tagged = [](const Octets& frame) {
        Octets result(frame.begin(), frame.begin() + 12);
        test::put32(result, 0x81000007);
        result.insert(result.end(), frame.begin() + 12, frame.end());
        return result;
    };
    const auto take = [&] {
        std::vector<Octets> frames;
        stack->run_timers(now);
        for (rte_mbuf* frame : stack->outgoing()) {
            frames.push_back(test::bytes_of(frame));
            release(frame);
        }
        stack->sent(frames.size());
        return frames;
    };
    for (const Octets& frame : take())
        EXPECT_EQ(Octets(frame.begin() + 12, frame.begin() + 16), (Octets{0x81, 0, 0, 7}));
    const Octets question = test::frame6(test::solicitation(test::kPeerIp6, test::kOurIp6, test::kOurIp6,
                                                            test::link_option(1, test::kPeerMac)));
    std::vector<rte_mbuf*> burst{pool.mbuf(question), pool.mbuf(tagged(question))};
    stack->receive(burst, now);
    const auto out = take();
    ASSERT_EQ(out.size(), 1u) << "the untagged one is not heard";
    EXPECT_EQ(out[0], tagged(test::frame6(test::advertisement(test::kOurIp6, test::kPeerIp6, test::kOurIp6,
                                                              test::kSolicited | test::kOverride,
                                                              test::link_option(2, test::kOurMac)),
                                          test::kPeerMac, test::kOurMac)));
}

// Whatever comes, nothing leaks and nothing crashes (run under the sanitizers too).
TEST_F(StackIpv6, SurvivesDamagedPackets) {
    introduce();
    ASSERT_TRUE(stack->tcp().listen(kService6));
    test::Numbers numbers(6);
    Octets options = test::options_header(43, {1, 4, 0, 0, 0, 0});
    test::append(options, test::routing_header(44, 0, 0));
    test::append(options, test::fragment_header(6, 0));
    test::append(options, test::tcp(kPeer6, kService6, test::text("hello"), 0x02));
    const std::vector<Octets> originals{
        test::ipv6(test::kPeerIp6, test::kOurIp6, 60, options),
        test::ipv6(test::kPeerIp6, test::kOurIp6, 6, test::tcp(kPeer6, kService6, {}, 0x02)),
        test::solicitation(test::kPeerIp6, test::kOurIp6, test::kOurIp6,
                           test::link_option(1, test::kPeerMac)),
        test::advertisement(test::kPeerIp6, test::kOurIp6, test::kPeerIp6, 0xe0,
                            test::link_option(2, test::kPeerMac)),
        test::ipv6(test::kPeerIp6, test::kOurIp6, 58,
                   test::icmpv6(test::kPeerIp6, test::kOurIp6, 2, 0, 1280,
                                test::ipv6(test::kOurIp6, test::kPeerIp6, 6, test::tcp(kService6, kPeer6))))};
    for (int round = 0; round < 2000; ++round) {
        now += 1ms;
        std::vector<Octets> burst;
        for (int i = 0; i < 8; ++i) {
            Octets packet = originals[numbers.below(static_cast<std::uint32_t>(originals.size()))];
            for (std::uint32_t bytes = numbers.below(4); bytes > 0; --bytes)
                packet[numbers.below(static_cast<std::uint32_t>(packet.size()))] =
                    static_cast<std::uint8_t>(numbers.below(256));
            if (numbers.below(8) == 0)
                packet.resize(numbers.below(static_cast<std::uint32_t>(packet.size())));
            // Half of the ICMPv6 messages pass the checksum.
            if (numbers.below(2) == 0 && packet.size() > 48 && packet[6] == 58) {
                const auto address = [&](std::size_t at) {
                    return load_ipv6(reinterpret_cast<const std::byte*>(packet.data() + at));
                };
                Octets message(packet.begin() + 40, packet.end());
                test::set16(message, 2, 0);
                test::set16(packet, 42, test::l4_checksum(address(8), address(24), 58, message));
            }
            burst.push_back(std::move(packet));
        }
        receive(burst);
        take();
    }
    EXPECT_GT(counter("Icmp6OutErrors"), 10u);
    EXPECT_GT(counter("NdInErrors"), 10u);
}

}  // namespace
}  // namespace millrace::net
