// IEEE 802.1Q tags, in and out, with and without a port that handles them.

#include <gtest/gtest.h>

#include "netstack/ip/input.h"
#include "netstack/ip/output.h"
#include "netstack/port/mbuf.h"
#include "tests/sim/nic.h"
#include "tests/unit/port/frames6.h"

namespace millrace::net {
namespace {

using test::Octets;

const SocketAddress kOurs{test::kOurIp, 80}, kPeer{test::kPeerIp, 4000};
constexpr std::uint16_t kLan = 7;

Octets tagged(const Octets& frame, std::uint16_t tag) {
    Octets result(frame.begin(), frame.begin() + 12);
    test::put16(result, 0x8100);
    test::put16(result, tag);
    result.insert(result.end(), frame.begin() + 12, frame.end());
    return result;
}

class VlanTest : public ::testing::Test {
  protected:
    struct Result {
        IpVerdict verdict;
        Octets data;
    };
    static Result accept(IpInput& input, rte_mbuf* frame) {
        IpArrival arrival;
        const IpVerdict verdict = input.accept(frame, arrival);
        Result result{verdict, test::bytes_of(frame)};
        release(frame);
        return result;
    }
    Result accept(IpInput& input, const Octets& frame) { return accept(input, pool.mbuf(frame)); }

    test::TestPool pool;
    const LocalAddresses local = *LocalAddresses::create(
        {*parse_local_range("10.0.0.1/24"), *parse_local_range("2001:db8::1/64")}, {});
    IpInput in_lan{local, test::kOurMac, 1500, false, kLan};
    IpInput untagged{local, test::kOurMac, 1500, false};
    const Octets plain = test::tcp_frame(kPeer, kOurs, test::text("hello"));
    const Octets segment = test::tcp(kPeer, kOurs, test::text("hello"));
    Time now = Time{} + 1h;
};

TEST_F(VlanTest, FramesOfOurLanAreReadWhateverTheirPriority) {
    for (const std::uint16_t priority : {0x0000, 0xe000, 0x1000}) {
        const auto got = accept(in_lan, tagged(plain, priority | kLan));
        EXPECT_EQ(got.verdict, IpVerdict::kTcp);
        EXPECT_EQ(got.data, segment);
    }
    const Octets echo = test::ipv6(test::kPeerIp6, test::kOurIp6, 58,
                                   test::icmpv6(test::kPeerIp6, test::kOurIp6, 128, 0, 1, {}));
    EXPECT_EQ(accept(in_lan, tagged(test::frame6(echo), kLan)).verdict, IpVerdict::kIcmpv6);
}

TEST_F(VlanTest, OtherLansFramesAreCountedAndDropped) {
    EXPECT_EQ(accept(in_lan, tagged(plain, 8)).verdict, IpVerdict::kDropped);
    EXPECT_EQ(accept(in_lan, plain).verdict, IpVerdict::kDropped) << "untagged";
    EXPECT_EQ(in_lan.counters().wrong_vlan.value(), 2u);
    EXPECT_EQ(accept(untagged, tagged(plain, kLan)).verdict, IpVerdict::kDropped);
    EXPECT_EQ(untagged.counters().wrong_vlan.value(), 1u);
    EXPECT_EQ(accept(untagged, tagged(tagged(plain, 8), 0)).verdict, IpVerdict::kDropped) << "two tags";
}

TEST_F(VlanTest, APriorityAloneIsNoLan) {
    EXPECT_EQ(accept(untagged, tagged(plain, 0xa000)).verdict, IpVerdict::kTcp);
}

TEST_F(VlanTest, APortMayHaveStrippedTheTag) {
    const auto stripped = [&](std::uint16_t tag) {
        rte_mbuf* frame = pool.mbuf(plain);
        frame->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
        frame->vlan_tci = tag;
        return frame;
    };
    EXPECT_EQ(accept(in_lan, stripped(0x6000 | kLan)).data, segment);
    EXPECT_EQ(accept(in_lan, stripped(8)).verdict, IpVerdict::kDropped);
}

TEST_F(VlanTest, TruncatedTagsAreDropped) {
    const Octets whole = tagged(plain, kLan);
    for (std::size_t length = 0; length < 18 + 40; ++length)
        ASSERT_EQ(accept(in_lan, Octets(whole.begin(), whole.begin() + static_cast<long>(length))).verdict,
                  IpVerdict::kDropped)
            << length;
}

// ARP, and a segment that waited for it: both leave tagged. The segment is shared, as TCP's data are that it
// keeps.
TEST_F(VlanTest, WhatLeavesIsTagged) {
    Neighbours neighbours = *Neighbours::create({}, test::kOurMac, local);
    IpOutput output(local, neighbours, {.transmit_chains = true}, test::kOurMac, pool.get(), pool.get(),
                    kLan);
    Octets unfinished = test::tcp(kOurs, kPeer, test::text("hello"));
    test::set16(unfinished, 16, 0);
    rte_mbuf* const shared = pool.mbuf(unfinished);
    rte_mbuf_refcnt_set(shared, 2);
    output.send(shared, 6, 20, kOurs.ip, kPeer.ip, now);
    output.send_neighbour_actions();
    neighbours.clear();
    neighbours.input(ArpPacket{ArpOperation::kReply, test::kPeerMac, test::kPeerIp, {}, test::kOurIp}, now);
    output.send_neighbour_actions();
    neighbours.clear();
    const Octets request =
        test::ethernet(kBroadcast, test::kOurMac, 0x0806,
                       test::arp(1, test::kOurMac, test::kOurIp, MacAddress{}, test::kPeerIp));
    const Octets frame =
        test::ethernet(test::kPeerMac, test::kOurMac, 0x0800,
                       test::ipv4(kOurs.ip, kPeer.ip, 6, test::tcp(kOurs, kPeer, test::text("hello"))));
    const auto out = output.burst();
    ASSERT_EQ(out.size(), 2u);
    EXPECT_EQ(test::bytes_of(out[0]), tagged(request, kLan));
    EXPECT_EQ(test::bytes_of(out[1]), tagged(frame, kLan));
    for (const rte_mbuf* m : out)
        EXPECT_FALSE(m->ol_flags & RTE_MBUF_F_TX_VLAN) << "the port is not asked";
    rte_mbuf_refcnt_set(shared, 1);
}

// A tag that we write ourselves is a part of what the port repeats in front of each segment.
TEST_F(VlanTest, LargeSendsAreTagged) {
    Neighbours neighbours = *Neighbours::create({}, test::kOurMac, local);
    neighbours.input(ArpPacket{ArpOperation::kRequest, test::kPeerMac, test::kPeerIp, {}, test::kOurIp}, now);
    neighbours.clear();
    IpOutput output(local, neighbours,
                    {.transmit_ipv4_checksum = true, .transmit_tcp_checksum = true, .transmit_chains = true},
                    test::kOurMac, pool.get(), pool.get(), kLan);
    Octets unfinished = test::tcp(kOurs, kPeer, test::text("helloworld"));
    test::set16(unfinished, 16, 0);
    output.send(pool.large_send(unfinished, 20, 5), 6, 20, kOurs.ip, kPeer.ip, now);
    ASSERT_EQ(output.burst().size(), 1u);
    const auto frames = sim::on_the_wire(output.burst()[0]);
    ASSERT_EQ(frames.size(), 2u);
    const auto frame = [](const char* text, std::uint32_t sequence) {
        return tagged(test::ethernet(test::kPeerMac, test::kOurMac, 0x0800,
                                     test::ipv4(kOurs.ip, kPeer.ip, 6,
                                                test::tcp(kOurs, kPeer, test::text(text), 0x10, sequence))),
                      kLan);
    };
    EXPECT_EQ(test::octets(frames[0]), frame("hello", 1000));
    EXPECT_EQ(test::octets(frames[1]), frame("world", 1005));
}

}  // namespace
}  // namespace millrace::net
