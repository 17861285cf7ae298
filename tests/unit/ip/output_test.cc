#include "netstack/ip/output.h"

#include <gtest/gtest.h>

#include "netstack/port/mbuf.h"
#include "tests/sim/nic.h"
#include "tests/unit/port/frames.h"

namespace millrace::net {
namespace {

using test::Octets;

const SocketAddress kOurs{test::kOurIp, 80}, kPeer{test::kPeerIp, 4000};

class IpOutputTest : public ::testing::Test {
  protected:
    explicit IpOutputTest(const Offloads& offloads = {.transmit_chains = true})
        : output(local, neighbours, offloads, test::kOurMac, pool.get(), pool.get()) {}

    // A segment as TCP hands it over: checksum zero.
    static Octets unfinished(const Octets& payload) {
        Octets segment = test::tcp(kOurs, kPeer, payload);
        test::set16(segment, 16, 0);
        return segment;
    }
    static Octets expected_frame(const Octets& payload) {
        return test::ethernet(test::kPeerMac, test::kOurMac, 0x0800,
                              test::ipv4(kOurs.ip, kPeer.ip, 6, test::tcp(kOurs, kPeer, payload)));
    }
    void know_peer() {
        neighbours.input({ArpOperation::kRequest, test::kPeerMac, test::kPeerIp, {}, test::kOurIp}, now);
        neighbours.clear();
    }
    void send(rte_mbuf* segment, Ipv4 to = test::kPeerIp) { output.send(segment, 6, 20, kOurs.ip, to, now); }
    std::vector<Octets> take() {
        std::vector<Octets> frames;
        for (rte_mbuf* frame : output.burst()) {
            frames.push_back(test::bytes_of(frame));
            release(frame);
        }
        output.sent(frames.size());
        return frames;
    }

    test::TestPool pool{8192};
    const LocalAddresses local = *LocalAddresses::create({*parse_local_range("10.0.0.1/24")}, {});
    Neighbours neighbours = *Neighbours::create({}, test::kOurMac, local);
    Time now = Time{} + 1h;
    IpOutput output;
};

TEST_F(IpOutputTest, BuildsTheFrameOctetByOctet) {
    know_peer();
    for (const char* payload : {"", "a", "hello", "an odd length, so"}) {
        send(pool.mbuf(unfinished(test::text(payload))));
        const auto frames = take();
        ASSERT_EQ(frames.size(), 1u);
        EXPECT_EQ(frames[0], expected_frame(test::text(payload)));
    }
}

TEST_F(IpOutputTest, SumsChainsWhosePartsHaveAnyLength) {
    know_peer();
    Octets payload(301);
    for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<std::uint8_t>(i * 13 + 5);
    for (const std::size_t part : {20u, 21u, 33u, 64u, 321u}) {
        send(pool.chain(unfinished(payload), part));
        const auto frames = take();
        ASSERT_EQ(frames.size(), 1u);
        EXPECT_EQ(frames[0], expected_frame(payload)) << part;
    }
}

TEST_F(IpOutputTest, WaitsForTheNeighbourThenGoesInOrder) {
    send(pool.mbuf(unfinished(test::text("first"))));
    send(pool.mbuf(unfinished(test::text("second"))));
    output.send_neighbour_actions();
    neighbours.clear();
    auto frames = take();
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0],
              test::ethernet(kBroadcast, test::kOurMac, 0x0806,
                             test::arp(1, test::kOurMac, test::kOurIp, MacAddress{}, test::kPeerIp)));
    neighbours.input({ArpOperation::kReply, test::kPeerMac, test::kPeerIp, {}, test::kOurIp}, now);
    output.send_neighbour_actions();
    neighbours.clear();
    frames = take();
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(frames[0], expected_frame(test::text("first")));
    EXPECT_EQ(frames[1], expected_frame(test::text("second")));
}

TEST_F(IpOutputTest, WithoutARouteItIsDroppedAndCounted) {
    send(pool.mbuf(unfinished({})), Ipv4{0x08080808});
    EXPECT_EQ(output.counters().no_route.value(), 1u);
    EXPECT_TRUE(take().empty());
}

TEST_F(IpOutputTest, WhatThePortDoesNotTakeWaitsInOrderUpToTheBound) {
    know_peer();
    unsigned sent = 0, taken = 0;
    const auto number = [](unsigned n) {
        return Octets{static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)};
    };
    // The port takes a little each time, so that the waiting packets move through the buffer.
    for (int round = 0; round < 50; ++round) {
        while (output.room() != 0)
            send(pool.mbuf(unfinished(number(sent++))));
        const auto burst = output.burst();
        for (unsigned i = 0; i < 100; ++i) {
            ASSERT_EQ(test::bytes_of(burst[i]), expected_frame(number(taken++)));
            release(burst[i]);
        }
        output.sent(100);
    }
    while (output.room() != 0)
        send(pool.mbuf(unfinished({})));
    EXPECT_EQ(output.counters().burst_full.value(), 0u);
    send(pool.mbuf(unfinished({})));
    EXPECT_EQ(output.counters().burst_full.value(), 1u);
    EXPECT_EQ(output.burst().size(), IpOutput::kBurstBound);
}

class IpOutputOffloadTest : public IpOutputTest {
  protected:
    IpOutputOffloadTest()
        : IpOutputTest(
              {.transmit_ipv4_checksum = true, .transmit_tcp_checksum = true, .transmit_chains = false}) {}
};

// rte_mbuf_core.h, RTE_MBUF_F_TX_TCP_CKSUM: the port is left the sum over a field that holds the
// pseudo-header's.
TEST_F(IpOutputOffloadTest, LeavesChecksumsToThePort) {
    know_peer();
    send(pool.mbuf(unfinished(test::text("hello"))));
    ASSERT_EQ(output.burst().size(), 1u);
    const rte_mbuf* frame = output.burst()[0];
    EXPECT_EQ(frame->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK,
              RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM);
    EXPECT_EQ(frame->l2_len, 14);
    EXPECT_EQ(frame->l3_len, 20);
    EXPECT_EQ(frame->l4_len, 20);
    // Completing the sum as a NIC does gives the frame that software builds.
    Octets bytes = test::bytes_of(frame);
    test::set16(bytes, 34 + 16, test::rfc1071(Octets(bytes.begin() + 34, bytes.end())));
    test::set16(bytes, 14 + 10, test::rfc1071(Octets(bytes.begin() + 14, bytes.begin() + 34)));
    EXPECT_EQ(bytes, expected_frame(test::text("hello")));
    take();
}

TEST_F(IpOutputOffloadTest, CopiesChainsForAPortThatTakesNone) {
    know_peer();
    send(pool.chain(unfinished(test::text("in several parts")), 11));
    ASSERT_EQ(output.burst().size(), 1u);
    EXPECT_EQ(output.burst()[0]->nb_segs, 1);
    EXPECT_EQ(output.counters().copied_chains.value(), 1u);
    take();
}

class IpOutputLargeSendTest : public IpOutputTest {
  protected:
    IpOutputLargeSendTest()
        : IpOutputTest({.transmit_ipv4_checksum = true,
                        .transmit_tcp_checksum = true,
                        .transmit_chains = true,
                        .large_send = 8}) {}
};

TEST_F(IpOutputLargeSendTest, ThePortIsToldHowToCut) {
    know_peer();
    Octets payload(1000);
    for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<std::uint8_t>(i * 7);
    send(pool.large_send(unfinished(payload), 20, 300));
    ASSERT_EQ(output.burst().size(), 1u);
    const rte_mbuf* packet = output.burst()[0];
    EXPECT_EQ(packet->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK,
              RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG);
    EXPECT_EQ(packet->tso_segsz, 300);

    // Cut, it is what would have been sent without.
    const auto frames = sim::on_the_wire(packet);
    ASSERT_EQ(frames.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        const Octets part(payload.begin() + static_cast<long>(300 * i),
                          payload.begin() + static_cast<long>(std::min<std::size_t>(300 * (i + 1), 1000)));
        const auto sequence = static_cast<std::uint32_t>(1000 + 300 * i);
        EXPECT_EQ(
            test::octets(frames[i]),
            test::ethernet(test::kPeerMac, test::kOurMac, 0x0800,
                           test::ipv4(kOurs.ip, kPeer.ip, 6, test::tcp(kOurs, kPeer, part, 0x10, sequence))));
    }
    take();
}

}  // namespace
}  // namespace millrace::net
