#include "netstack/ip/input.h"

#include <gtest/gtest.h>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames.h"

namespace millrace::net {
namespace {

using test::Octets;

const SocketAddress kPeer{test::kPeerIp, 4000}, kOurs{test::kOurIp, 80};

class IpInputTest : public ::testing::Test {
  protected:
    struct Result {
        IpVerdict verdict;
        Octets data;
    };
    Result accept(rte_mbuf* frame, IpInput& in) {
        const IpVerdict verdict = in.accept(frame, arrival);
        Result result{verdict, test::bytes_of(frame)};
        release(frame);
        return result;
    }
    Result accept(const Octets& frame) { return accept(pool.mbuf(frame), input); }
    IpVerdict verdict(const Octets& frame) { return accept(frame).verdict; }

    static Octets framed(const Octets& packet, const MacAddress& to = test::kOurMac) {
        return test::ethernet(to, test::kPeerMac, 0x0800, packet);
    }
    static Octets good() { return test::tcp_frame(kPeer, kOurs, test::text("hello")); }

    // Its checksum is left to a NIC.
    static Octets unfinished(std::uint8_t flags, const Octets& payload) {
        Octets segment = test::tcp(kPeer, kOurs, payload, flags);
        Octets pseudo;
        test::put_ip(pseudo, kPeer.ip);
        test::put_ip(pseudo, kOurs.ip);
        test::put16(pseudo, 6);
        test::put16(pseudo, static_cast<std::uint32_t>(segment.size()));
        test::set16(segment, 16, static_cast<std::uint16_t>(~test::rfc1071(pseudo)));
        return framed(test::ipv4(kPeer.ip, kOurs.ip, 6, segment));
    }

    test::TestPool pool;
    const LocalAddresses local = *LocalAddresses::create({*parse_local_range("10.0.0.1/24")}, {});
    IpInput input{local, test::kOurMac, 1500, false};
    IpInput kernel_input{local, test::kOurMac, 1500, true};
    IpArrival arrival;
};

TEST_F(IpInputTest, CutsAFrameDownToItsSegment) {
    const auto got = accept(good());
    EXPECT_EQ(got.verdict, IpVerdict::kTcp);
    EXPECT_EQ(got.data, test::tcp(kPeer, kOurs, test::text("hello")));
    EXPECT_EQ(arrival.source, kPeer.ip);
    EXPECT_EQ(arrival.destination, kOurs.ip);
    EXPECT_TRUE(arrival.unicast);
}

// RFC 894: short frames are padded; the IP length tells the end.
TEST_F(IpInputTest, TrimsPadding) {
    Octets frame = test::tcp_frame(kPeer, kOurs);
    frame.resize(60, 0xaa);
    EXPECT_EQ(accept(frame).data, test::tcp(kPeer, kOurs));
}

// RFC 791 section 3.1: options make the header longer; none concerns us.
TEST_F(IpInputTest, SkipsOptions) {
    const Octets options{1, 1, 1, 0, 7, 7, 4, 0};
    const auto got =
        accept(framed(test::ipv4(kPeer.ip, kOurs.ip, 6, test::tcp(kPeer, kOurs, test::text("x")), options)));
    EXPECT_EQ(got.verdict, IpVerdict::kTcp);
    EXPECT_EQ(got.data, test::tcp(kPeer, kOurs, test::text("x")));
}

TEST_F(IpInputTest, TruncationsAtEveryLengthAreDropped) {
    for (const Octets& whole :
         {good(), framed(test::ipv4(kPeer.ip, kOurs.ip, 6, test::tcp(kPeer, kOurs), Octets(40, 1)))})
        for (std::size_t length = 0; length < whole.size(); ++length)
            ASSERT_EQ(verdict(Octets(whole.begin(), whole.begin() + static_cast<long>(length))),
                      IpVerdict::kDropped)
                << length;
    EXPECT_GT(input.counters().truncated.value(), 0u);
}

// RFC 1122 section 3.2.1.2: the checksum is verified, every bit of it.
TEST_F(IpInputTest, AnyBitFlippedInTheIpHeaderOrSegmentIsNoticed) {
    const Octets whole = good();
    for (std::size_t at = 14; at < whole.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            Octets bad = whole;
            bad[at] ^= static_cast<std::uint8_t>(1 << bit);
            ASSERT_EQ(verdict(bad), IpVerdict::kDropped) << at << '.' << bit;
        }
    EXPECT_GT(input.counters().bad_header_checksum.value(), 0u);
    EXPECT_GT(input.counters().bad_tcp_checksum.value(), 0u);
}

TEST_F(IpInputTest, BogusHeaderFieldsAreDropped) {
    const auto with = [&](std::size_t at, std::uint8_t value) {
        Octets packet = test::ipv4(kPeer.ip, kOurs.ip, 6, test::tcp(kPeer, kOurs));
        packet[at] = value;
        test::set16(packet, 10, 0);
        const std::size_t header = std::min<std::size_t>((packet[0] & 15u) * 4u, packet.size());
        test::set16(packet, 10,
                    test::rfc1071(Octets(packet.begin(), packet.begin() + static_cast<long>(header))));
        return verdict(framed(packet));
    };
    EXPECT_EQ(with(8, 64), IpVerdict::kTcp);
    EXPECT_EQ(with(0, 0x65), IpVerdict::kDropped) << "version 6 (RFC 1122 section 3.2.1.1)";
    for (std::uint8_t words = 0; words < 5; ++words)
        EXPECT_EQ(with(0, static_cast<std::uint8_t>(0x40 | words)), IpVerdict::kDropped) << "header length";
    EXPECT_EQ(with(0, 0x4f), IpVerdict::kDropped) << "header longer than the packet";
    EXPECT_EQ(with(2, 0xff), IpVerdict::kDropped) << "total length beyond the frame";
    EXPECT_EQ(with(3, 19), IpVerdict::kDropped) << "total length within the header";
    EXPECT_EQ(with(3, 21), IpVerdict::kDropped) << "no room for a TCP header";
    EXPECT_EQ(with(8, 0), IpVerdict::kDropped) << "TTL (RFC 1122 section 3.2.1.7)";
    EXPECT_EQ(with(9, 17), IpVerdict::kDropped) << "UDP";
    EXPECT_EQ(input.counters().unknown_protocol.value(), 1u);
}

TEST_F(IpInputTest, FragmentsAreCountedAndDropped) {
    for (const std::uint16_t field : {0x2000, 0x0001, 0x1fff, 0x2100})
        EXPECT_EQ(verdict(framed(test::ipv4(kPeer.ip, kOurs.ip, 6, test::tcp(kPeer, kOurs), {}, field))),
                  IpVerdict::kDropped);
    EXPECT_EQ(input.counters().fragments.value(), 4u);
    EXPECT_EQ(verdict(framed(test::ipv4(kPeer.ip, kOurs.ip, 6, test::tcp(kPeer, kOurs), {}, 0))),
              IpVerdict::kTcp);
}

TEST_F(IpInputTest, PacketsForOthersAreIgnored) {
    const SocketAddress other{Ipv4{0x0a000009}, 80};
    EXPECT_EQ(verdict(framed(test::ipv4(kPeer.ip, other.ip, 6, test::tcp(kPeer, other)))),
              IpVerdict::kDropped);
    EXPECT_EQ(verdict(framed(test::ipv4(kPeer.ip, kOurs.ip, 6, test::tcp(kPeer, kOurs)), test::kPeerMac)),
              IpVerdict::kDropped);
    EXPECT_EQ(input.counters().not_for_us.value(), 2u);
}

// RFC 1122 section 4.2.3.10: a segment to a broadcast address is dropped; section 3.2.1.3 names the martians.
TEST_F(IpInputTest, BroadcastSegmentsAndMartiansAreDropped) {
    const SocketAddress everyone{Ipv4{0x0a0000ff}, 80};
    EXPECT_EQ(verdict(framed(test::ipv4(kPeer.ip, everyone.ip, 6, test::tcp(kPeer, everyone)), kBroadcast)),
              IpVerdict::kDropped);
    EXPECT_EQ(verdict(framed(test::ipv4(kPeer.ip, kOurs.ip, 6, test::tcp(kPeer, kOurs)), kBroadcast)),
              IpVerdict::kDropped);
    for (const std::uint32_t from :
         {0u, 0x7f000001u, 0xe0000001u, 0xffffffffu, 0x0a0000ffu, test::kOurIp.value}) {
        const SocketAddress martian{Ipv4{from}, 1};
        EXPECT_EQ(verdict(framed(test::ipv4(martian.ip, kOurs.ip, 6, test::tcp(martian, kOurs)))),
                  IpVerdict::kDropped);
    }
    EXPECT_EQ(input.counters().martian.value(), 6u);
}

TEST_F(IpInputTest, KnowsOtherKindsOfFrames) {
    EXPECT_EQ(verdict(test::ethernet(kBroadcast, test::kPeerMac, 0x0806, Octets(28, 0))), IpVerdict::kArp);
    EXPECT_EQ(verdict(test::ethernet(test::kOurMac, test::kPeerMac, 0x88cc, Octets(60, 0))),
              IpVerdict::kDropped);
    EXPECT_EQ(input.counters().unknown_ether_type.value(), 1u);
    const Octets echo = test::icmp(8, 0, 1, test::text("ping"));
    const auto got = accept(framed(test::ipv4(kPeer.ip, kOurs.ip, 1, echo)));
    EXPECT_EQ(got.verdict, IpVerdict::kIcmp);
    EXPECT_EQ(got.data, echo);
}

TEST_F(IpInputTest, TrustsThePortsChecksums) {
    Octets bad = good();
    bad.back() ^= 1;
    rte_mbuf* frame = pool.mbuf(bad);
    frame->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    EXPECT_EQ(accept(frame, input).verdict, IpVerdict::kTcp);
}

TEST_F(IpInputTest, ScatteredPacketsAreCountedAndDropped) {
    EXPECT_EQ(accept(pool.chain(good(), 40), input).verdict, IpVerdict::kDropped);
    EXPECT_EQ(input.counters().scattered.value(), 1u);
    EXPECT_EQ(accept(pool.chain(good(), 5), input).verdict, IpVerdict::kDropped);
}

// Linux, CHECKSUM_PARTIAL: over veth the field holds the pseudo-header's sum, for a NIC to complete.
TEST_F(IpInputTest, UnfinishedChecksumsOfTheKernelAreAcceptedAndCounted) {
    const Octets frame = unfinished(0x02, {});
    EXPECT_EQ(accept(pool.mbuf(frame), input).verdict, IpVerdict::kDropped) << "from a real wire it is wrong";
    EXPECT_TRUE(kernel_input.hint().empty());
    EXPECT_EQ(accept(pool.mbuf(frame), kernel_input).verdict, IpVerdict::kTcp);
    EXPECT_EQ(accept(pool.mbuf(unfinished(0x10, test::text("hello"))), kernel_input).verdict,
              IpVerdict::kTcp);
    EXPECT_EQ(kernel_input.counters().unfinished_checksums.value(), 2u);
    EXPECT_NE(kernel_input.hint().find("ethtool -K"), std::string_view::npos);
    // A damaged one is still noticed.
    Octets bad = good();
    bad.back() ^= 1;
    EXPECT_EQ(accept(pool.mbuf(bad), kernel_input).verdict, IpVerdict::kDropped);
}

// A segment damaged on its way through a kernel that finishes its checksums: once in 65,536 it looks like
// this.
TEST_F(IpInputTest, AnUnfinishedChecksumAmongFinishedOnesIsDamage) {
    const Octets lone = unfinished(0x10, test::text("hello"));
    EXPECT_EQ(accept(pool.mbuf(good()), kernel_input).verdict, IpVerdict::kTcp);
    EXPECT_EQ(accept(pool.mbuf(lone), kernel_input).verdict, IpVerdict::kDropped);
    EXPECT_EQ(kernel_input.counters().bad_tcp_checksum.value(), 1u);
    EXPECT_EQ(kernel_input.counters().unfinished_checksums.value(), 0u);
    EXPECT_EQ(accept(pool.mbuf(lone), kernel_input).verdict, IpVerdict::kTcp) << "a real one is sent again";

    for (std::uint64_t i = 0; i < IpInput::kUnfinishedMemory; ++i)
        ASSERT_EQ(accept(pool.mbuf(good()), kernel_input).verdict, IpVerdict::kTcp);
    EXPECT_EQ(accept(pool.mbuf(lone), kernel_input).verdict, IpVerdict::kDropped) << "the last is long ago";
}

TEST_F(IpInputTest, SegmentsOverTheMtuAreCounted) {
    Octets cut = framed(test::ipv4(kPeer.ip, kOurs.ip, 6, test::tcp(kPeer, kOurs, Octets(1800, 1))));
    cut.resize(1514);
    EXPECT_EQ(accept(pool.mbuf(cut), kernel_input).verdict, IpVerdict::kDropped);
    EXPECT_EQ(kernel_input.counters().over_mtu.value(), 1u);
    EXPECT_FALSE(kernel_input.hint().empty());
}

TEST_F(IpInputTest, GarbageIsHarmless) {
    test::Numbers numbers(11);
    const Octets seed = good();
    for (int i = 0; i < 20000; ++i) {
        Octets frame = i % 2 == 0 ? Octets(numbers.below(200)) : seed;
        if (i % 2 == 0) {
            for (auto& octet : frame)
                octet = static_cast<std::uint8_t>(numbers.below(256));
            if (frame.size() > 14) std::copy_n(seed.begin(), 14, frame.begin());  // past the Ethernet header
        } else {
            for (int n = 0; n < 4; ++n)
                frame[14 + numbers.below(static_cast<std::uint32_t>(frame.size()) - 14)] =
                    static_cast<std::uint8_t>(numbers.below(256));
        }
        accept(frame);
    }
    EXPECT_EQ(pool.in_use(), 0u);
}

}  // namespace
}  // namespace millrace::net
