// The way in through IPv6: RFC 8200, and RFC 4291 for its addresses.

#include <gtest/gtest.h>

#include "netstack/ip/input.h"
#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames6.h"

namespace millrace::net {
namespace {

using test::Octets;

const SocketAddress kPeer6{test::kPeerIp6, 4000}, kOurs6{test::kOurIp6, 80};

class Ipv6InputTest : public ::testing::Test {
  protected:
    struct Result {
        IpVerdict verdict;
        Octets data;
    };
    Result accept(const Octets& frame) {
        rte_mbuf* packet = pool.mbuf(frame);
        const IpVerdict verdict = input.accept(packet, arrival);
        Result result{verdict, test::bytes_of(packet)};
        release(packet);
        return result;
    }
    IpVerdict verdict(const Octets& packet, const MacAddress& to = test::kOurMac) {
        return accept(test::frame6(packet, to)).verdict;
    }
    static Octets segment() { return test::tcp(kPeer6, kOurs6, test::text("hello")); }
    static Octets from_peer(std::uint8_t next_header, const Octets& payload) {
        return test::ipv6(test::kPeerIp6, test::kOurIp6, next_header, payload);
    }
    // The pointer of the parameter problem with this code that the packet is answered with.
    std::int64_t problem(std::uint8_t code, const Octets& packet) {
        if (verdict(packet) != IpVerdict::kRefused || input.problem().type != 4 ||
            input.problem().code != code)
            return -1;
        return input.problem().pointer;
    }

    test::TestPool pool;
    const LocalAddresses local = *LocalAddresses::create(
        {*parse_local_range("2001:db8::1/64"), *parse_local_range("fe80::ff:fe00:1/64")}, {});
    IpInput input{local, test::kOurMac, 1500, false};
    IpArrival arrival;
};

TEST_F(Ipv6InputTest, CutsAFrameDownToItsSegment) {
    const auto got = accept(test::frame6(from_peer(6, segment())));
    EXPECT_EQ(got.verdict, IpVerdict::kTcp);
    EXPECT_EQ(got.data, segment());
    EXPECT_EQ(arrival.source, test::kPeerIp6);
    EXPECT_EQ(arrival.destination, test::kOurIp6);
    EXPECT_TRUE(arrival.unicast);
    EXPECT_EQ(arrival.hop_limit, 64);
}

TEST_F(Ipv6InputTest, TrimsPaddingBehindThePayload) {
    Octets frame = test::frame6(from_peer(6, segment()));
    frame.resize(frame.size() + 20, 0xaa);
    EXPECT_EQ(accept(frame).data, segment());
}

TEST_F(Ipv6InputTest, EveryTruncationIsCountedAndDropped) {
    const Octets whole = test::frame6(from_peer(6, segment()));
    for (std::size_t length = 0; length < whole.size(); ++length)
        ASSERT_EQ(accept(Octets(whole.begin(), whole.begin() + static_cast<long>(length))).verdict,
                  IpVerdict::kDropped)
            << length;
    EXPECT_EQ(input.counters().truncated.value(), whole.size());
}

TEST_F(Ipv6InputTest, OtherVersionsAreDropped) {
    Octets packet = from_peer(6, segment());
    packet[0] = 0x45;
    EXPECT_EQ(verdict(packet), IpVerdict::kDropped);
    EXPECT_EQ(input.counters().bad_header.value(), 1u);
}

// RFC 8200 section 3: whoever is the destination takes a packet whatever its hop limit.
TEST_F(Ipv6InputTest, AHopLimitOfZeroIsTaken) {
    EXPECT_EQ(verdict(test::ipv6(test::kPeerIp6, test::kOurIp6, 6, segment(), 0)), IpVerdict::kTcp);
}

// RFC 8200 section 8.1: the pseudo-header has the whole addresses, and the length of the upper layer.
TEST_F(Ipv6InputTest, AWrongChecksumIsDropped) {
    const Octets good = test::frame6(from_peer(6, segment()));
    for (std::size_t at = 22; at < good.size(); ++at) {  // from the source address on
        Octets bad = good;
        bad[at] ^= 0x10;
        ASSERT_EQ(accept(bad).verdict, IpVerdict::kDropped) << at;
    }
    EXPECT_GT(input.counters().bad_tcp_checksum.value(), 20u);
}

// RFC 4291 sections 2.5.2, 2.5.3, 2.5.5.2, 2.7: neither is any packet's source; nor is an address of ours.
TEST_F(Ipv6InputTest, MartiansAreDropped) {
    for (const char* from : {"::", "::1", "::ffff:10.0.0.2", "ff02::2", "2001:db8::1"}) {
        const IpAddress source =
            from == std::string_view("::ffff:10.0.0.2") ? IpAddress(0, 0xffff0a000002) : *parse_ip(from);
        Octets packet = from_peer(6, segment());
        Octets octets(16);
        store_ipv6(reinterpret_cast<std::byte*>(octets.data()), source);
        std::copy(octets.begin(), octets.end(), packet.begin() + 8);
        EXPECT_EQ(verdict(packet), IpVerdict::kDropped) << from;
    }
    EXPECT_EQ(input.counters().martian.value(), 5u);
    Octets to_mapped = from_peer(6, segment());
    std::fill(to_mapped.begin() + 24, to_mapped.begin() + 34, 0);
    std::fill(to_mapped.begin() + 34, to_mapped.begin() + 36, 0xff);
    EXPECT_EQ(verdict(to_mapped), IpVerdict::kDropped);
    EXPECT_EQ(input.counters().martian.value(), 6u);
}

TEST_F(Ipv6InputTest, OnlyOurAddressesAndGroupsAreRead) {
    const auto echo_to = [&](const char* text) {
        const IpAddress to = *parse_ip(text);
        return verdict(test::ipv6(test::kPeerIp6, to, 58, test::icmpv6(test::kPeerIp6, to, 128, 0, 0, {})),
                       to.is_v6_multicast() ? test::kGroupMac : test::kOurMac);
    };
    for (const char* ours : {"2001:db8::1", "fe80::ff:fe00:1", "ff02::1", "ff02::1:ff00:1"})
        EXPECT_EQ(echo_to(ours), IpVerdict::kIcmpv6) << ours;
    for (const char* not_ours : {"2001:db8::3", "ff02::2", "ff02::1:ff00:3", "ff05::1", "::1"})
        EXPECT_EQ(echo_to(not_ours), IpVerdict::kDropped) << not_ours;
    EXPECT_EQ(input.counters().not_for_us.value(), 5u);
}

// RFC 4291 section 2.7.1: the solicited-node groups of a whole range of addresses, and of no other.
TEST(Ipv6Groups, ARangeHasTheGroupsOfItsAddresses) {
    const auto many = *LocalAddresses::create({*parse_local_range("2001:db8::ff:fff0+32/64")}, {});
    for (const char* member : {"ff02::1:ffff:fff0", "ff02::1:ffff:ffff", "ff02::1:ff00:0", "ff02::1:ff00:f"})
        EXPECT_TRUE(many.is_group(*parse_ip(member))) << member;
    for (const char* other : {"ff02::1:ffff:ffef", "ff02::1:ff00:10", "ff02::2:ffff:fff0"})
        EXPECT_FALSE(many.is_group(*parse_ip(other))) << other;
}

TEST_F(Ipv6InputTest, SegmentsToGroupsAreDropped) {
    const SocketAddress everybody{kAllNodes, 80};
    EXPECT_EQ(
        verdict(test::ipv6(test::kPeerIp6, kAllNodes, 6, test::tcp(kPeer6, everybody)), test::kGroupMac),
        IpVerdict::kDropped);
    EXPECT_EQ(verdict(from_peer(6, segment()), test::kGroupMac), IpVerdict::kDropped)
        << "by Ethernet's group";
}

// --- extension headers (RFC 8200 section 4) ---

TEST_F(Ipv6InputTest, SkipsTheHeadersThatAskNothing) {
    const Octets pad_n{1, 4, 0, 0, 0, 0};  // PadN of six octets
    const Octets pad_1(6, 0);
    const Octets unknown_skippable{0x1e, 4, 9, 9, 9, 9};  // section 4.2: 00, skip over
    for (const Octets& options : {pad_n, pad_1, unknown_skippable}) {
        EXPECT_EQ(
            accept(test::frame6(from_peer(0, test::joined(test::options_header(6, options), segment()))))
                .data,
            segment());
        EXPECT_EQ(verdict(from_peer(60, test::joined(test::options_header(6, options), segment()))),
                  IpVerdict::kTcp);
    }
    // All at once, in section 4.1's order.
    Octets all = test::options_header(60, pad_n);
    test::append(all, test::options_header(43, pad_n));
    test::append(all, test::routing_header(44, 0, 0));
    test::append(all, test::fragment_header(60, 0));
    test::append(all, test::options_header(6, pad_n));
    test::append(all, segment());
    EXPECT_EQ(accept(test::frame6(from_peer(0, all))).data, segment());
}

// Section 4: the pointer is at the octet that names what is not known.
TEST_F(Ipv6InputTest, AnUnknownNextHeaderIsAParameterProblem) {
    EXPECT_EQ(problem(1, from_peer(17, Octets(8, 0))), 6);
    EXPECT_EQ(problem(1, from_peer(51, Octets(16, 0))), 6) << "authentication, without an association";
    const Octets options = test::options_header(253, Octets(6, 0));
    EXPECT_EQ(problem(1, from_peer(60, test::joined(options, Octets(8, 0)))), 40);
    EXPECT_EQ(input.counters().unknown_protocol.value(), 3u);
}

// Section 4.1: hop-by-hop options only come first.
TEST_F(Ipv6InputTest, LateHopByHopOptionsAreAParameterProblem) {
    const Octets late =
        test::joined(test::options_header(0, Octets(6, 0)), test::options_header(6, Octets(6, 0)));
    EXPECT_EQ(problem(1, from_peer(60, test::joined(late, segment()))), 40);
}

// Section 4.2: the two highest bits of an unknown option's type.
TEST_F(Ipv6InputTest, UnknownOptionsAreTreatedAsTheirTypeAsks) {
    const auto with = [&](std::uint8_t type) {
        const Octets options{type, 4, 0, 0, 0, 0};
        return from_peer(60, test::joined(test::options_header(6, options), segment()));
    };
    EXPECT_EQ(verdict(with(0x5e)), IpVerdict::kDropped) << "01: silently";
    EXPECT_EQ(input.counters().discarded.value(), 1u);
    EXPECT_EQ(problem(2, with(0x9e)), 42) << "10: said even to groups";
    EXPECT_TRUE(input.problem().even_to_group);
    EXPECT_EQ(problem(2, with(0xde)), 42) << "11: not to groups";
    EXPECT_FALSE(input.problem().even_to_group);
    EXPECT_EQ(problem(2, with(0xc2)), 42) << "the jumbo payload option (RFC 2675) is not known";
}

// Section 4.4, and RFC 5095 for type 0.
TEST_F(Ipv6InputTest, RoutingHeadersWithSegmentsLeftAreAParameterProblem) {
    for (const std::uint8_t type : {0, 2, 3, 4, 253})
        EXPECT_EQ(problem(0, from_peer(43, test::joined(test::routing_header(6, type, 1), segment()))), 42);
    EXPECT_EQ(verdict(from_peer(43, test::joined(test::routing_header(6, 253, 0), segment()))),
              IpVerdict::kTcp);
}

// Section 4.5: fragments are counted and dropped on purpose; RFC 6946: a lone one is none.
TEST_F(Ipv6InputTest, FragmentsAreDroppedAtomicOnesAreTaken) {
    const auto with = [&](std::uint16_t offset_and_flags) {
        return verdict(from_peer(44, test::joined(test::fragment_header(6, offset_and_flags), segment())));
    };
    EXPECT_EQ(with(0x0001), IpVerdict::kDropped) << "the first of several";
    EXPECT_EQ(with(0x0008), IpVerdict::kDropped) << "the last";
    EXPECT_EQ(with(0x0006), IpVerdict::kTcp) << "reserved bits say nothing";
    EXPECT_EQ(with(0x0000), IpVerdict::kTcp);
    EXPECT_EQ(input.counters().fragments.value(), 2u);
}

TEST_F(Ipv6InputTest, NoNextHeaderIsEmpty) {  // section 4.7
    EXPECT_EQ(verdict(from_peer(59, test::text("ignored"))), IpVerdict::kDropped);
    EXPECT_EQ(input.counters().discarded.value(), 1u);
}

TEST_F(Ipv6InputTest, HeadersAndOptionsAreBounded) {  // RFC 8504 section 5.3
    Octets many;
    for (int i = 0; i < 7; ++i)
        test::append(many, test::options_header(60, Octets(6, 0)));
    test::append(many, test::options_header(6, Octets(6, 0)));
    EXPECT_EQ(verdict(from_peer(60, test::joined(many, segment()))), IpVerdict::kTcp) << "eight";
    const Octets nine = test::joined(test::options_header(60, Octets(6, 0)), many);
    EXPECT_EQ(verdict(from_peer(60, test::joined(nine, segment()))), IpVerdict::kDropped);
    EXPECT_EQ(verdict(from_peer(60, test::joined(test::options_header(6, Octets(22, 0)), segment()))),
              IpVerdict::kDropped)
        << "22 times Pad1";
    EXPECT_EQ(input.counters().discarded.value(), 2u);
}

TEST_F(Ipv6InputTest, HeadersThatReachBeyondThePacketAreTruncated) {
    const Octets option_too_long{1, 5, 0, 0, 0, 0};
    EXPECT_EQ(verdict(from_peer(60, test::joined(test::options_header(6, option_too_long), segment()))),
              IpVerdict::kDropped);
    Octets header = test::options_header(6, Octets(6, 0));
    header[1] = 200;
    EXPECT_EQ(verdict(from_peer(60, test::joined(header, segment()))), IpVerdict::kDropped);
    EXPECT_EQ(verdict(from_peer(43, Octets(7, 0))), IpVerdict::kDropped);
    EXPECT_EQ(input.counters().truncated.value(), 3u);
}

// Neighbour discovery alone comes from the unspecified address (RFC 4861 section 4.3), with hop limit 255.
TEST_F(Ipv6InputTest, TheUnspecifiedSourceIsForDiscovery) {
    const IpAddress group = solicited_node_group(test::kOurIp6);
    EXPECT_EQ(verdict(test::solicitation({}, group, test::kOurIp6, {}), mac_of_group(group)),
              IpVerdict::kIcmpv6);
    EXPECT_FALSE(arrival.unicast);
    EXPECT_EQ(verdict(test::ipv6({}, test::kOurIp6, 58, test::icmpv6({}, test::kOurIp6, 128, 0, 0, {}), 64)),
              IpVerdict::kDropped);
}

// RFC 2711: noted for multicast listener discovery, whose messages must have it.
TEST_F(Ipv6InputTest, RouterAlertIsNoted) {
    const auto alert = [&](const Octets& option, std::uint8_t header = 0) {
        const Octets message = test::icmpv6(test::kPeerIp6, test::kOurIp6, 130, 0, 0, Octets(16, 0));
        EXPECT_EQ(verdict(from_peer(header, test::joined(test::options_header(58, option), message))),
                  IpVerdict::kIcmpv6);
        return arrival.router_alert;
    };
    EXPECT_TRUE(alert({5, 2, 0, 0, 1, 0}));
    EXPECT_FALSE(alert({5, 2, 0, 1, 1, 0})) << "of RSVP";
    EXPECT_FALSE(alert({1, 4, 0, 0, 0, 0}));
    EXPECT_FALSE(alert({5, 2, 0, 0, 1, 0}, 60)) << "a destination option is no hop-by-hop one";
}

}  // namespace
}  // namespace millrace::net
