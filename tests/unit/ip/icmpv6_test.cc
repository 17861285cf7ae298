// ICMPv6 (RFC 4443).

#include "netstack/ip/icmpv6.h"

#include <gtest/gtest.h>

#include <cstring>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames6.h"

namespace millrace::net {
namespace {

using test::Octets;

const SocketAddress kOurs6{test::kOurIp6, 5000}, kPeer6{{0x2a00000000000000, 9}, 443};
const IpAddress kRouter6{0x20010db800000000, 0xfe};

class Icmpv6Test : public ::testing::Test {
  protected:
    struct Result {
        Icmpv6::Verdict verdict;
        Octets data;
    };
    Result input(std::uint8_t type, std::uint8_t code, std::uint32_t rest, const Octets& payload,
                 const IpAddress& to = test::kOurIp6) {
        return input(test::icmpv6(kRouter6, to, type, code, rest, payload), to);
    }
    Result input(const Octets& message, const IpAddress& to = test::kOurIp6) {
        rte_mbuf* m = pool.mbuf(message);
        const auto verdict = icmp.input(m, {kRouter6, to, !to.is_v6_multicast(), 64}, now, error);
        Result result{verdict, test::bytes_of(m)};
        release(m);
        return result;
    }
    // What goes back about `packet`; empty when nothing does.
    Octets refused(const Octets& packet, const IpArrival& arrival, const Icmpv6Problem& problem) {
        rte_mbuf* m = pool.mbuf(packet);
        const bool due = icmp.refuse(m, arrival, problem, now);
        Octets bytes = due ? test::bytes_of(m) : Octets{};
        release(m);
        return bytes;
    }
    static Octets quotation() {
        return test::ipv6(kOurs6.ip, kPeer6.ip, 6, test::tcp(kOurs6, kPeer6, {}, 0x10, 0x01020304));
    }

    test::TestPool pool;
    Icmpv6 icmp{10, 5};
    IcmpError error{};
    Time now = Time{} + 1h;
};

TEST_F(Icmpv6Test, AnswersEchoes) {  // section 4.2
    const auto got = input(128, 0, 0x12345678, test::text("abcdefg"));
    EXPECT_EQ(got.verdict, Icmpv6::Verdict::kReply);
    Octets expected = test::icmpv6(test::kOurIp6, kRouter6, 129, 0, 0x12345678, test::text("abcdefg"));
    test::set16(expected, 2, 0);  // IpOutput completes it
    EXPECT_EQ(got.data, expected);
}

TEST_F(Icmpv6Test, EchoesToGroupsAreAnsweredToo) {
    EXPECT_EQ(input(128, 0, 1, {}, kAllNodes).verdict, Icmpv6::Verdict::kReply);
}

TEST_F(Icmpv6Test, EchoesAreLimited) {
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(input(128, 0, 1, {}).verdict, Icmpv6::Verdict::kReply);
    EXPECT_EQ(input(128, 0, 1, {}).verdict, Icmpv6::Verdict::kNothing);
    EXPECT_EQ(icmp.counters().echoes_limited.value(), 1u);
    now += 100ms;
    EXPECT_EQ(input(128, 0, 1, {}).verdict, Icmpv6::Verdict::kReply);
}

TEST_F(Icmpv6Test, ChecksumCoversThePseudoHeader) {  // section 2.3
    const Octets good = test::icmpv6(kRouter6, test::kOurIp6, 128, 0, 1, test::text("x"));
    for (std::size_t at = 0; at < good.size(); ++at) {
        Octets bad = good;
        bad[at] ^= 1;
        ASSERT_EQ(input(bad).verdict, Icmpv6::Verdict::kNothing) << at;
    }
    const Octets to_another = test::icmpv6(kRouter6, test::kPeerIp6, 128, 0, 1, test::text("x"));
    EXPECT_EQ(input(to_another).verdict, Icmpv6::Verdict::kNothing);
    for (std::size_t length = 0; length < 8; ++length)
        EXPECT_EQ(input(Octets(good.begin(), good.begin() + static_cast<long>(length))).verdict,
                  Icmpv6::Verdict::kNothing);
    EXPECT_EQ(icmp.counters().bad.value(), good.size() + 9);
}

TEST_F(Icmpv6Test, UnreachableNamesTheSegment) {  // section 3.1, every code
    for (std::uint8_t code = 0; code <= 6; ++code) {
        ASSERT_EQ(input(1, code, 0, quotation()).verdict, Icmpv6::Verdict::kError);
        EXPECT_FALSE(error.too_big);
        EXPECT_EQ(error.local, kOurs6);
        EXPECT_EQ(error.remote, kPeer6);
        EXPECT_EQ(error.sequence, 0x01020304u);
    }
}

TEST_F(Icmpv6Test, PacketTooBigNamesTheMtu) {  // section 3.2
    ASSERT_EQ(input(2, 0, 1280, quotation()).verdict, Icmpv6::Verdict::kError);
    EXPECT_TRUE(error.too_big);
    EXPECT_EQ(error.next_mtu, 1280);
    ASSERT_EQ(input(2, 0, 0x10000, quotation()).verdict, Icmpv6::Verdict::kError);
    EXPECT_EQ(error.next_mtu, 65535);
}

TEST_F(Icmpv6Test, QuotationsOfOthersAreBad) {
    const Octets of_another = test::ipv6(kRouter6, kPeer6.ip, 6, test::tcp({kRouter6, 1}, kPeer6));
    EXPECT_EQ(input(1, 0, 0, of_another).verdict, Icmpv6::Verdict::kNothing);
    EXPECT_EQ(input(1, 0, 0, test::ipv6(kOurs6.ip, kPeer6.ip, 17, Octets(20, 0))).verdict,
              Icmpv6::Verdict::kNothing);
    Octets cut = quotation();
    cut.resize(47);
    EXPECT_EQ(input(1, 0, 0, cut).verdict, Icmpv6::Verdict::kNothing);
    cut = quotation();
    cut.resize(48);
    EXPECT_EQ(input(1, 0, 0, cut).verdict, Icmpv6::Verdict::kError)
        << "eight bytes of the segment are enough";
    EXPECT_EQ(icmp.counters().bad.value(), 3u);
}

TEST_F(Icmpv6Test, OtherTypesAreIgnoredOrDiscoverys) {
    for (unsigned type = 0; type < 256; ++type) {
        if (type == 1 || type == 2 || type == 128) continue;
        const bool discovery = type >= 133 && type <= 137;
        const bool listener = type == 130 || type == 131;
        EXPECT_EQ(input(static_cast<std::uint8_t>(type), 0, 0, quotation()).verdict,
                  discovery  ? Icmpv6::Verdict::kDiscovery
                  : listener ? Icmpv6::Verdict::kListener
                             : Icmpv6::Verdict::kNothing);
    }
    EXPECT_EQ(icmp.counters().ignored.value(), 246u);
}

// Section 2.4 (c): as much of the packet as fits the least MTU.
TEST_F(Icmpv6Test, RefusalsQuoteThePacket) {
    const Octets packet = test::ipv6(test::kPeerIp6, test::kOurIp6, 17, Octets(1400, 7));
    const Octets answer = refused(packet, {test::kPeerIp6, test::kOurIp6, true, 64}, {4, 1, 6, false});
    ASSERT_EQ(answer.size(), 1280u - 40);
    EXPECT_EQ(Octets(answer.begin(), answer.begin() + 8), (Octets{4, 1, 0, 0, 0, 0, 0, 6}));
    EXPECT_TRUE(std::equal(answer.begin() + 8, answer.end(), packet.begin()));
}

// A cable's packets have no headroom (netstack/port/wire.h).
TEST_F(Icmpv6Test, RefusalsFindRoomForTheirHeaders) {
    const Octets packet = test::ipv6(test::kPeerIp6, test::kOurIp6, 17, test::text("hello"));
    rte_mbuf* m = pool.mbuf(packet);
    std::memmove(m->buf_addr, rte_pktmbuf_mtod(m, char*), m->data_len);
    m->data_off = 0;
    ASSERT_TRUE(icmp.refuse(m, {test::kPeerIp6, test::kOurIp6, true, 64}, {4, 1, 6, false}, now));
    EXPECT_GE(rte_pktmbuf_headroom(m), 58);
    const Octets answer = test::bytes_of(m);
    EXPECT_EQ(Octets(answer.begin() + 8, answer.end()), packet);
    release(m);
}

// Section 2.4 (e).
TEST_F(Icmpv6Test, SomePacketsAreNeverAnswered) {
    const Icmpv6Problem problem{4, 1, 40, false};
    const IpArrival from_peer{test::kPeerIp6, test::kOurIp6, true, 64};
    const auto with = [&](std::uint8_t type) {
        return test::ipv6(test::kPeerIp6, test::kOurIp6, 58,
                          test::icmpv6(test::kPeerIp6, test::kOurIp6, type, 0, 0, {}));
    };
    EXPECT_TRUE(refused(with(1), from_peer, problem).empty()) << "(e.1) an error";
    EXPECT_TRUE(refused(with(137), from_peer, problem).empty()) << "(e.2) a redirect";
    EXPECT_FALSE(refused(with(128), from_peer, problem).empty());
    EXPECT_TRUE(refused(with(128), {test::kPeerIp6, kAllNodes, false, 64}, problem).empty())
        << "(e.3) to a group";
    EXPECT_FALSE(refused(with(128), {test::kPeerIp6, kAllNodes, false, 64}, {4, 2, 42, true}).empty())
        << "(e.3) but for options that ask for it";
    EXPECT_TRUE(refused(with(128), {{}, test::kOurIp6, true, 64}, problem).empty()) << "(e.6) from nobody";
}

TEST_F(Icmpv6Test, RefusalsAreLimited) {  // section 2.4 (f)
    const Octets packet = test::ipv6(test::kPeerIp6, test::kOurIp6, 17, Octets(8, 0));
    const IpArrival from_peer{test::kPeerIp6, test::kOurIp6, true, 64};
    for (int i = 0; i < 5; ++i)
        EXPECT_FALSE(refused(packet, from_peer, {4, 1, 6, false}).empty());
    EXPECT_TRUE(refused(packet, from_peer, {4, 1, 6, false}).empty());
    EXPECT_EQ(icmp.counters().refusals_limited.value(), 1u);
    now += 200ms;
    EXPECT_FALSE(refused(packet, from_peer, {4, 1, 6, false}).empty());
}

}  // namespace
}  // namespace millrace::net
