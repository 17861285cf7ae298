// The way out through IPv6.

#include <gtest/gtest.h>

#include "netstack/ip/output.h"
#include "netstack/port/mbuf.h"
#include "tests/sim/nic.h"
#include "tests/unit/port/frames6.h"

namespace millrace::net {
namespace {

using test::Octets;

const SocketAddress kOurs6{test::kOurIp6, 80}, kPeer6{test::kPeerIp6, 4000};

class Ipv6OutputTest : public ::testing::Test {
  protected:
    explicit Ipv6OutputTest(const Offloads& offloads = {.transmit_chains = true})
        : output(local, neighbours, offloads, test::kOurMac, pool.get(), pool.get()) {
        neighbours.input(NdPacket{.type = NdType::kNeighbourSolicitation,
                                  .source = test::kPeerIp6,
                                  .destination = test::kOurIp6,
                                  .target = test::kOurIp6,
                                  .link_address = test::kPeerMac},
                         now);
        neighbours.clear();
    }
    static Octets unfinished(const Octets& payload) {
        Octets segment = test::tcp(kOurs6, kPeer6, payload);
        test::set16(segment, 16, 0);
        return segment;
    }
    static Octets expected_frame(const Octets& payload) {
        return test::frame6(test::ipv6(kOurs6.ip, kPeer6.ip, 6, test::tcp(kOurs6, kPeer6, payload)),
                            test::kPeerMac, test::kOurMac);
    }
    std::vector<Octets> take() {
        std::vector<Octets> frames;
        for (rte_mbuf* frame : output.burst()) {
            frames.push_back(test::bytes_of(frame));
            release(frame);
        }
        output.sent(frames.size());
        return frames;
    }

    test::TestPool pool{512};
    const LocalAddresses local = *LocalAddresses::create({*parse_local_range("2001:db8::1/64")}, {});
    Neighbours neighbours = *Neighbours::create({}, test::kOurMac, local);
    Time now = Time{} + 1h;
    IpOutput output;
};

TEST_F(Ipv6OutputTest, BuildsTheFrameOctetByOctet) {
    for (const char* payload : {"", "a", "hello", "an odd length, so"}) {
        output.send(pool.mbuf(unfinished(test::text(payload))), 6, 20, kOurs6.ip, kPeer6.ip, now);
        const auto frames = take();
        ASSERT_EQ(frames.size(), 1u);
        EXPECT_EQ(frames[0], expected_frame(test::text(payload)));
    }
}

TEST_F(Ipv6OutputTest, ChecksumsChainsOfOddParts) {
    for (const std::size_t part : {20u, 21u, 27u}) {
        output.send(pool.chain(unfinished(test::text("in several parts")), part), 6, 20, kOurs6.ip, kPeer6.ip,
                    now);
        EXPECT_EQ(take().at(0), expected_frame(test::text("in several parts")));
    }
}

TEST_F(Ipv6OutputTest, WithoutARouteItIsCountedAndDropped) {
    output.send(pool.mbuf(unfinished({})), 6, 20, kOurs6.ip, {0x2a00000000000000, 1}, now);
    EXPECT_TRUE(take().empty());
    EXPECT_EQ(output.counters().no_route.value(), 1u);
}

class Ipv6OutputOffloadTest : public Ipv6OutputTest {
  protected:
    Ipv6OutputOffloadTest()
        : Ipv6OutputTest(
              {.transmit_ipv4_checksum = true, .transmit_tcp_checksum = true, .transmit_chains = true}) {}
};

// rte_mbuf_core.h: there is no checksum in the IP header, and TCP's field holds the pseudo-header's sum.
TEST_F(Ipv6OutputOffloadTest, LeavesTheTcpChecksumToThePort) {
    output.send(pool.mbuf(unfinished(test::text("hello"))), 6, 20, kOurs6.ip, kPeer6.ip, now);
    ASSERT_EQ(output.burst().size(), 1u);
    const rte_mbuf* frame = output.burst()[0];
    EXPECT_EQ(frame->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK, RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM);
    EXPECT_EQ(frame->l2_len, 14);
    EXPECT_EQ(frame->l3_len, 40);
    EXPECT_EQ(frame->l4_len, 20);
    Octets bytes = test::bytes_of(frame);
    test::set16(bytes, 54 + 16, test::rfc1071(Octets(bytes.begin() + 54, bytes.end())));
    EXPECT_EQ(bytes, expected_frame(test::text("hello")));
    take();
}

// Each segment is what it would be without; RFC 8200 section 3 counts the payload's bytes in each.
TEST_F(Ipv6OutputOffloadTest, ThePortIsToldHowToCut) {
    const Octets payload = test::text("three segments of this text, of ten bytes but for the last");
    output.send(pool.large_send(unfinished(payload), 20, 10), 6, 20, kOurs6.ip, kPeer6.ip, now);
    ASSERT_EQ(output.burst().size(), 1u);
    const rte_mbuf* packet = output.burst()[0];
    EXPECT_EQ(packet->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK,
              RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG);
    const auto frames = sim::on_the_wire(packet);
    ASSERT_EQ(frames.size(), (payload.size() + 9) / 10);
    for (std::size_t at = 0; at < payload.size(); at += 10) {
        const auto end = static_cast<long>(std::min(at + 10, payload.size()));
        const Octets part(payload.begin() + static_cast<long>(at), payload.begin() + end);
        const Octets segment = test::tcp(kOurs6, kPeer6, part, 0x10, static_cast<std::uint32_t>(1000 + at));
        EXPECT_EQ(test::octets(frames[at / 10]),
                  test::frame6(test::ipv6(kOurs6.ip, kPeer6.ip, 6, segment), test::kPeerMac, test::kOurMac));
    }
    take();
}

}  // namespace
}  // namespace millrace::net
