#include "netstack/port/steering.h"

#include <gtest/gtest.h>

#include <array>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames6.h"

namespace millrace::net {
namespace {

using test::Octets;

class SteeringTest : public ::testing::Test {
  protected:
    // Gives `frame` to shard 0 as its port would; says which shards end up with it.
    std::vector<unsigned> owners(Steering& steering, const Octets& frame) {
        std::vector<unsigned> owners;
        std::array<rte_mbuf*, 4> burst{pool.mbuf(frame)};
        if (const unsigned kept = steering.shard(0).keep_own({burst.data(), 1})) {
            EXPECT_EQ(kept, 1u);
            owners.push_back(0);
            release(burst[0]);
        }
        for (unsigned shard = 0; shard < kShards; ++shard) {
            const unsigned n = steering.shard(shard).receive(burst);
            for (unsigned i = 0; i < n; ++i) {
                owners.push_back(shard);
                EXPECT_EQ(test::bytes_of(burst[i]), frame);
                release(burst[i]);
            }
        }
        return owners;
    }

    static constexpr unsigned kShards = 3;
    const Rss rss{kShards};
    test::TestPool pool;
};

TEST_F(SteeringTest, FlowsGoToTheShardThatRssNames) {
    auto steering = *Steering::create(rss, false, 1500);
    std::array<unsigned, kShards> seen{};
    for (std::uint16_t port = 1; port <= 60; ++port) {
        const SocketAddress peer{test::kPeerIp, port}, ours{test::kOurIp, 80};
        const unsigned expected = rss.queue_of(peer, ours);
        ASSERT_EQ(owners(*steering, test::tcp_frame(peer, ours)), std::vector{expected});
        ++seen[expected];
    }
    for (const unsigned n : seen)
        EXPECT_GT(n, 0u);
    EXPECT_EQ(steering->shard(0).handed_over(), seen[1] + seen[2]);
}

TEST_F(SteeringTest, APortThatSteersIsTrustedWithFlows) {
    auto steering = *Steering::create(rss, true, 1500);
    for (std::uint16_t port = 1; port <= 20; ++port)
        ASSERT_EQ(owners(*steering, test::tcp_frame({test::kPeerIp, port}, {test::kOurIp, 80})),
                  std::vector{0u});
}

TEST_F(SteeringTest, ArpGoesToEveryShard) {
    auto steering = *Steering::create(rss, true, 1500);
    const Octets arp = test::ethernet(kBroadcast, test::kPeerMac, 0x0806,
                                      test::arp(1, test::kPeerMac, test::kPeerIp, {}, test::kOurIp));
    EXPECT_EQ(owners(*steering, arp), (std::vector{0u, 1u, 2u}));
}

TEST_F(SteeringTest, IcmpErrorsFollowTheConnectionTheyQuote) {
    auto steering = *Steering::create(rss, true, 1500);
    for (std::uint16_t port = 1; port <= 30; ++port) {
        const SocketAddress ours{test::kOurIp, port}, peer{Ipv4{0x08080808}, 443};
        Octets quoted = test::ipv4(ours.ip, peer.ip, 6, test::tcp(ours, peer));
        quoted.resize(28);
        const Ipv4 router{0x0a0000fe};
        const Octets frame = test::ethernet(test::kOurMac, test::kPeerMac, 0x0800,
                                            test::ipv4(router, ours.ip, 1, test::icmp(3, 1, 0, quoted)));
        ASSERT_EQ(owners(*steering, frame), std::vector{rss.queue_of(peer, ours)});
    }
    const Octets echo =
        test::ethernet(test::kOurMac, test::kPeerMac, 0x0800,
                       test::ipv4(test::kPeerIp, test::kOurIp, 1, test::icmp(8, 0, 0, Octets(64, 3))));
    EXPECT_EQ(owners(*steering, echo), std::vector{0u}) << "answered where it arrived";
}

TEST_F(SteeringTest, Ipv6FlowsGoToTheShardThatRssNames) {
    auto steering = *Steering::create(rss, false, 1500);
    std::array<unsigned, kShards> seen{};
    for (std::uint16_t port = 1; port <= 60; ++port) {
        const SocketAddress peer{test::kPeerIp6, port}, ours{test::kOurIp6, 80};
        const unsigned expected = rss.queue_of(peer, ours);
        const Octets packet = test::ipv6(peer.ip, ours.ip, 6, test::tcp(peer, ours));
        ASSERT_EQ(owners(*steering, test::frame6(packet)), std::vector{expected});
        ++seen[expected];
    }
    for (const unsigned n : seen)
        EXPECT_GT(n, 0u);
}

// RFC 4861: each shard has a neighbour table of its own.
TEST_F(SteeringTest, NeighbourDiscoveryGoesToEveryShard) {
    auto steering = *Steering::create(rss, true, 1500);
    for (const Octets& packet :
         {test::solicitation(test::kPeerIp6, test::kOurIp6, test::kOurIp6, {}),
          test::advertisement(test::kPeerIp6, test::kOurIp6, test::kPeerIp6, test::kSolicited, {})})
        EXPECT_EQ(owners(*steering, test::frame6(packet)), (std::vector{0u, 1u, 2u}));
}

// RFC 3810: wherever the port gave it, one shard answers.
TEST_F(SteeringTest, ListenerQueriesGoToTheFirstShard) {
    auto steering = *Steering::create(rss, true, 1500);
    rte_mbuf* query = pool.mbuf(test::frame6(
        test::mld(test::kPeerLinkLocal, kAllNodes, test::mld_query({}, 1000, 2, 125)), test::kGroupMac));
    EXPECT_EQ(steering->shard(1).keep_own({&query, 1}), 0u);
    rte_mbuf* got = nullptr;
    EXPECT_EQ(steering->shard(2).receive({&got, 1}), 0u);
    ASSERT_EQ(steering->shard(0).receive({&got, 1}), 1u);
    release(got);
}

TEST_F(SteeringTest, Icmpv6ErrorsFollowTheConnectionTheyQuote) {
    auto steering = *Steering::create(rss, true, 1500);
    for (std::uint16_t port = 1; port <= 30; ++port) {
        const SocketAddress ours{test::kOurIp6, port}, peer{{0x2a00000000000000, 9}, 443};
        const Octets quoted = test::ipv6(ours.ip, peer.ip, 6, test::tcp(ours, peer));
        for (const std::uint8_t type : {1, 2}) {
            const Octets message = test::icmpv6(test::kPeerIp6, ours.ip, type, 0, 1280, quoted);
            ASSERT_EQ(owners(*steering, test::frame6(test::ipv6(test::kPeerIp6, ours.ip, 58, message))),
                      std::vector{rss.queue_of(peer, ours)});
        }
    }
    const Octets echo = test::icmpv6(test::kPeerIp6, test::kOurIp6, 128, 0, 0, Octets(64, 3));
    EXPECT_EQ(owners(*steering, test::frame6(test::ipv6(test::kPeerIp6, test::kOurIp6, 58, echo))),
              std::vector{0u});
}

TEST_F(SteeringTest, Ipv6TruncationsAtEveryLengthAreHarmless) {
    auto steering = *Steering::create(rss, false, 1500);
    const SocketAddress ours{test::kOurIp6, 1}, peer{test::kPeerIp6, 443};
    const Octets quoted = test::ipv6(ours.ip, peer.ip, 6, test::tcp(ours, peer));
    const Octets whole =
        test::frame6(test::ipv6(peer.ip, ours.ip, 58, test::icmpv6(peer.ip, ours.ip, 1, 0, 0, quoted)));
    for (std::size_t length = 1; length < whole.size(); ++length)
        EXPECT_FALSE(
            owners(*steering, Octets(whole.begin(), whole.begin() + static_cast<long>(length))).empty());
}

// Where the port has taken the VLAN tag out, what it said goes along: the other shard looks at it, too.
TEST_F(SteeringTest, WhatThePortSaysOfAFrameGoesWithIt) {
    auto steering = *Steering::create(rss, false, 1500);
    const SocketAddress ours{test::kOurIp, 80};
    SocketAddress peer{test::kPeerIp, 1};
    while (rss.queue_of(peer, ours) != 1)
        ++peer.port;
    rte_mbuf* frame = pool.mbuf(test::tcp_frame(peer, ours));
    const std::uint64_t said = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED |
                               RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    frame->ol_flags = said | RTE_MBUF_F_RX_RSS_HASH;
    frame->vlan_tci = 42;
    EXPECT_EQ(steering->shard(0).keep_own({&frame, 1}), 0u);
    rte_mbuf* got = nullptr;
    ASSERT_EQ(steering->shard(1).receive({&got, 1}), 1u);
    EXPECT_EQ(got->ol_flags, said);
    EXPECT_EQ(got->vlan_tci, 42);
    release(got);
}

TEST_F(SteeringTest, AFullWireDropsAndCounts) {
    auto steering = *Steering::create(rss, false, 1500);
    const SocketAddress ours{test::kOurIp, 80};
    SocketAddress peer{test::kPeerIp, 1};
    while (rss.queue_of(peer, ours) != 1)
        ++peer.port;
    for (int i = 0; i < 10000; ++i) {
        rte_mbuf* frame = pool.mbuf(test::tcp_frame(peer, ours));
        ASSERT_EQ(steering->shard(0).keep_own({&frame, 1}), 0u);
    }
    EXPECT_GT(steering->shard(0).dropped(), 0u);
    EXPECT_EQ(steering->shard(0).dropped() + steering->shard(0).handed_over(), 10000u);
    EXPECT_EQ(pool.in_use(), 0u);
}

TEST_F(SteeringTest, TruncationsAtEveryLengthAreHarmless) {
    auto steering = *Steering::create(rss, false, 1500);
    const SocketAddress ours{test::kOurIp, 1}, peer{test::kPeerIp, 443};
    const Octets quoted = test::ipv4(ours.ip, peer.ip, 6, test::tcp(ours, peer));
    const Octets error = test::ethernet(test::kOurMac, test::kPeerMac, 0x0800,
                                        test::ipv4(peer.ip, ours.ip, 1, test::icmp(3, 1, 0, quoted)));
    for (const Octets& whole : {test::tcp_frame(peer, ours), error})
        for (std::size_t length = 1; length < whole.size(); ++length)
            EXPECT_FALSE(
                owners(*steering, Octets(whole.begin(), whole.begin() + static_cast<long>(length))).empty());
}

}  // namespace
}  // namespace millrace::net
