// Neighbour discovery messages (RFC 4861 section 4) and the checks on them (sections 6.1 and 7.1).

#include "netstack/link/nd.h"

#include <gtest/gtest.h>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames6.h"

namespace millrace::net {
namespace {

using test::Octets;

class NdTest : public ::testing::Test {
  protected:
    // Reads a whole IPv6 packet's ICMPv6 message.
    template <class Parse>
    auto parse(const Octets& packet, Parse&& parser) {
        IpArrival arrival{{}, {}, true, packet[7]};
        const auto address = [&](std::size_t at) {
            return load_ipv6(reinterpret_cast<const std::byte*>(packet.data() + at));
        };
        arrival.source = address(8);
        arrival.destination = address(24);
        rte_mbuf* m = pool.mbuf(Octets(packet.begin() + 40, packet.end()));
        auto result = parser(m, arrival);
        release(m);
        return result;
    }
    auto neighbour(const Octets& packet) { return parse(packet, parse_neighbour_message); }
    auto router(const Octets& packet) { return parse(packet, parse_router_advertisement); }

    static Octets prefix_option(const IpAddress& prefix, std::uint8_t length, std::uint8_t flags,
                                std::uint32_t valid) {
        Octets option{3, 4, length, flags};
        test::put32(option, valid);
        test::put32(option, valid);
        test::put32(option, 0);
        test::put_ip(option, prefix);
        return option;
    }
    static Octets router_advertisement(const Octets& options, std::uint16_t lifetime = 1800,
                                       const IpAddress& from = test::kPeerLinkLocal,
                                       std::uint8_t hop_limit = 255, std::uint8_t type = 134) {
        Octets body;
        test::put32(body, 0);
        test::put32(body, 0);
        test::append(body, options);
        return test::ipv6(from, kAllNodes, 58, test::icmpv6(from, kAllNodes, type, 0, lifetime, body),
                          hop_limit);
    }

    test::TestPool pool;
    const IpAddress group = solicited_node_group(test::kOurIp6);
    const Octets source_option = test::link_option(1, test::kPeerMac);
    const Octets target_option = test::link_option(2, test::kPeerMac);
};

TEST_F(NdTest, ReadsSolicitations) {  // section 4.3
    const auto p = neighbour(test::solicitation(test::kPeerIp6, group, test::kOurIp6, source_option));
    ASSERT_TRUE(p);
    EXPECT_EQ(p->type, NdType::kNeighbourSolicitation);
    EXPECT_EQ(p->source, test::kPeerIp6);
    EXPECT_EQ(p->target, test::kOurIp6);
    EXPECT_EQ(p->link_address, test::kPeerMac);
    EXPECT_FALSE(neighbour(test::solicitation(test::kPeerIp6, group, test::kOurIp6, {}))->link_address);
}

TEST_F(NdTest, ReadsAdvertisements) {  // section 4.4
    const auto p = neighbour(test::advertisement(test::kPeerIp6, test::kOurIp6, test::kPeerIp6,
                                                 0x80 | test::kSolicited | test::kOverride, target_option));
    ASSERT_TRUE(p);
    EXPECT_EQ(p->type, NdType::kNeighbourAdvertisement);
    EXPECT_TRUE(p->router && p->solicited && p->override_entry);
    EXPECT_EQ(p->link_address, test::kPeerMac);
}

TEST_F(NdTest, RefusesWhatSection71Forbids) {
    const auto with = [&](std::size_t at, std::uint8_t value) {
        Octets packet = test::solicitation(test::kPeerIp6, group, test::kOurIp6, source_option);
        packet[at] = value;
        return neighbour(packet);
    };
    ASSERT_TRUE(with(7, 255));
    EXPECT_FALSE(with(7, 254)) << "a hop limit that a router has lowered";
    EXPECT_FALSE(with(41, 1)) << "code";
    EXPECT_FALSE(with(48, 0xff)) << "a group as the target";
    EXPECT_FALSE(with(65, 0)) << "an option of length zero";
    EXPECT_FALSE(with(65, 2)) << "an option beyond the message";
    EXPECT_FALSE(with(66, 0x03)) << "a group's MAC address as a host's";
    Octets cut = test::solicitation(test::kPeerIp6, group, test::kOurIp6, {});
    cut.resize(cut.size() - 1);
    EXPECT_FALSE(neighbour(cut));
    EXPECT_FALSE(neighbour([&] {
        Octets mapped = test::solicitation(test::kPeerIp6, group, test::kOurIp6, {});
        std::fill(mapped.begin() + 48, mapped.begin() + 58, 0);
        std::fill(mapped.begin() + 58, mapped.begin() + 60, 0xff);
        return mapped;
    }()))
        << "an IPv4-mapped target";
    EXPECT_FALSE(neighbour(test::solicitation({}, group, test::kOurIp6, source_option)))
        << "section 7.1.1: a link address from nowhere";
    EXPECT_FALSE(neighbour(test::solicitation({}, test::kOurIp6, test::kOurIp6, {})))
        << "section 7.1.1: from nowhere, and not to the group";
    EXPECT_TRUE(neighbour(test::solicitation({}, group, test::kOurIp6, {})));
    EXPECT_FALSE(neighbour(
        test::advertisement(test::kPeerIp6, kAllNodes, test::kPeerIp6, test::kSolicited, target_option)))
        << "section 7.1.2: solicited, and to a group";
}

TEST_F(NdTest, SkipsUnknownOptions) {  // section 4.6
    Octets options{200, 1, 0, 0, 0, 0, 0, 0};
    test::append(options, source_option);
    EXPECT_EQ(neighbour(test::solicitation(test::kPeerIp6, group, test::kOurIp6, options))->link_address,
              test::kPeerMac);
}

TEST_F(NdTest, WritesWhatItReads) {
    rte_mbuf* frame = pool.mbuf({});
    write_nd(frame, test::kOurMac, test::kPeerMac,
             {.type = NdType::kNeighbourAdvertisement,
              .source = test::kOurIp6,
              .destination = test::kPeerIp6,
              .target = test::kOurIp6,
              .solicited = true,
              .override_entry = true,
              .link_address = test::kOurMac});
    EXPECT_EQ(test::bytes_of(frame),
              test::frame6(test::advertisement(test::kOurIp6, test::kPeerIp6, test::kOurIp6,
                                               test::kSolicited | test::kOverride,
                                               test::link_option(2, test::kOurMac)),
                           test::kPeerMac, test::kOurMac));
    release(frame);
    frame = pool.mbuf({});
    write_nd(frame, test::kOurMac, mac_of_group(group),
             {.type = NdType::kNeighbourSolicitation,
              .source = {},
              .destination = group,
              .target = test::kOurIp6,
              .link_address = {}});
    EXPECT_EQ(test::bytes_of(frame), test::frame6(test::solicitation({}, group, test::kOurIp6, {}),
                                                  {{0x33, 0x33, 0xff, 0, 0, 1}}, test::kOurMac));
    release(frame);
}

TEST_F(NdTest, WritesRouterSolicitations) {  // section 4.1
    rte_mbuf* frame = pool.mbuf({});
    write_router_solicitation(frame, test::kOurMac, test::kOurLinkLocal);
    const Octets message =
        test::icmpv6(test::kOurLinkLocal, kAllRouters, 133, 0, 0, test::link_option(1, test::kOurMac));
    EXPECT_EQ(test::bytes_of(frame),
              test::frame6(test::ipv6(test::kOurLinkLocal, kAllRouters, 58, message, 255),
                           {{0x33, 0x33, 0, 0, 0, 2}}, test::kOurMac));
    release(frame);
}

TEST_F(NdTest, ReadsRouterAdvertisements) {  // sections 4.2 and 4.6
    Octets options = source_option;
    test::append(options, {5, 1, 0, 0, 0, 0, 5, 0});  // MTU 1280
    const IpAddress on_link{0x20010db800010000, 0}, elsewhere{0x20010db800020000, 0};
    test::append(options, prefix_option(on_link, 64, 0xc0, 600));
    test::append(options, prefix_option(elsewhere, 64, 0x40, 600));  // for addresses only, not on-link
    test::append(options, prefix_option(test::kOurLinkLocal, 64, 0x80, 600));
    test::append(options, prefix_option({0, 0}, 129, 0x80, 600));
    Octets mapped = prefix_option({0, 1}, 128, 0x80, 600);
    std::fill(mapped.begin() + 26, mapped.begin() + 28, 0xff);
    test::append(options, mapped);
    const auto ra = router(router_advertisement(options));
    ASSERT_TRUE(ra);
    EXPECT_EQ(ra->router, test::kPeerLinkLocal);
    EXPECT_EQ(ra->lifetime_seconds, 1800);
    EXPECT_EQ(ra->mtu, 1280u);
    EXPECT_EQ(ra->link_address, test::kPeerMac);
    ASSERT_EQ(ra->prefix_count, 1u);
    EXPECT_EQ(ra->prefixes[0].network, (Cidr{on_link, 64}));
    EXPECT_EQ(ra->prefixes[0].valid_seconds, 600u);
}

TEST_F(NdTest, RefusesWhatSection612Forbids) {
    EXPECT_TRUE(router(router_advertisement({})));
    EXPECT_FALSE(router(router_advertisement({}, 1800, test::kPeerIp6))) << "not from a link-local address";
    EXPECT_FALSE(router(router_advertisement({}, 1800, test::kPeerLinkLocal, 64))) << "hop limit";
    for (const std::uint8_t other : {133, 135, 136, 137})
        EXPECT_FALSE(router(router_advertisement({}, 0, test::kPeerLinkLocal, 255, other))) << "not its type";
    EXPECT_FALSE(router(router_advertisement({5, 0, 0, 0, 0, 0, 5, 0}))) << "an option of length zero";
    Octets cut = router_advertisement({});
    cut.resize(cut.size() - 1);
    EXPECT_FALSE(router(cut));
    const auto many = [&] {
        Octets options;
        for (std::uint64_t i = 0; i < 20; ++i)
            test::append(options, prefix_option({0x2001000000000000 + i, 0}, 64, 0x80, 1));
        return options;
    }();
    EXPECT_EQ(router(router_advertisement(many))->prefix_count, RouterAdvertisement::kMostPrefixes);
}

}  // namespace
}  // namespace millrace::net
