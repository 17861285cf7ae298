#include "netstack/ip/icmp.h"

#include <gtest/gtest.h>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames.h"

namespace millrace::net {
namespace {

using test::Octets;

const SocketAddress kOurs{test::kOurIp, 5000}, kPeer{Ipv4{0x08080808}, 443};
constexpr Ipv4 kRouter{0x0a0000fe};

class IcmpTest : public ::testing::Test {
  protected:
    struct Result {
        Icmp::Verdict verdict;
        Octets data;
    };
    Result input(const Octets& message, bool unicast = true) {
        rte_mbuf* m = pool.mbuf(message);
        const auto verdict = icmp.input(m, {kRouter, test::kOurIp, unicast}, now, error);
        Result result{verdict, test::bytes_of(m)};
        release(m);
        return result;
    }
    Icmp::Verdict verdict(const Octets& message, bool unicast = true) {
        return input(message, unicast).verdict;
    }
    // The quotation that RFC 792 asks for: our IP header and eight bytes.
    static Octets quotation() {
        Octets quoted = test::ipv4(kOurs.ip, kPeer.ip, 6, test::tcp(kOurs, kPeer, {}, 0x02, 0xcafebabe));
        quoted.resize(28);
        return quoted;
    }

    test::TestPool pool;
    Icmp icmp{10};
    IcmpError error{};
    Time now = Time{} + 1h;
};

// RFC 792, "Echo or Echo Reply Message": the data come back as they were.
TEST_F(IcmpTest, AnEchoBecomesItsReply) {
    const auto got = input(test::icmp(8, 0, 0x12345678, test::text("abcdefgh")));
    ASSERT_EQ(got.verdict, Icmp::Verdict::kReply);
    Octets expected = test::icmp(0, 0, 0x12345678, test::text("abcdefgh"));
    test::set16(expected, 2, 0);  // completed on the way out
    EXPECT_EQ(got.data, expected);
}

TEST_F(IcmpTest, EchoesAreAnsweredAtABoundedRate) {
    const Octets echo = test::icmp(8, 0, 1, {});
    for (int i = 0; i < 10; ++i)
        ASSERT_EQ(verdict(echo), Icmp::Verdict::kReply) << i;
    EXPECT_EQ(verdict(echo), Icmp::Verdict::kNothing);
    now += 99ms;
    EXPECT_EQ(verdict(echo), Icmp::Verdict::kNothing);
    now += 1ms;
    EXPECT_EQ(verdict(echo), Icmp::Verdict::kReply);
    EXPECT_EQ(verdict(echo), Icmp::Verdict::kNothing);
    EXPECT_EQ(icmp.counters().echoes_limited.value(), 3u);
    now += 1h;
    for (int i = 0; i < 10; ++i)
        ASSERT_EQ(verdict(echo), Icmp::Verdict::kReply) << i;
    EXPECT_EQ(verdict(echo), Icmp::Verdict::kNothing) << "a pause saves up one burst, not more";
}

// RFC 1122 section 3.2.2.6.
TEST_F(IcmpTest, BroadcastsAreNotAnswered) {
    EXPECT_EQ(verdict(test::icmp(8, 0, 1, {}), false), Icmp::Verdict::kNothing);
    EXPECT_EQ(icmp.counters().ignored.value(), 1u);
}

// RFC 792; RFC 5927 section 4.1 wants the sequence number.
TEST_F(IcmpTest, UnreachableNamesTheConnection) {
    for (std::uint8_t code = 0; code < 4; ++code) {
        ASSERT_EQ(verdict(test::icmp(3, code, 0, quotation())), Icmp::Verdict::kError);
        EXPECT_EQ(error.too_big, code == 4);
        EXPECT_EQ(error.local, kOurs);
        EXPECT_EQ(error.remote, kPeer);
        EXPECT_EQ(error.sequence, 0xcafebabe);
        EXPECT_EQ(error.next_mtu, 0);
    }
}

// RFC 1191 section 4.
TEST_F(IcmpTest, FragmentationNeededTellsTheMtu) {
    ASSERT_EQ(verdict(test::icmp(3, 4, 1400, quotation())), Icmp::Verdict::kError);
    EXPECT_TRUE(error.too_big);
    EXPECT_EQ(error.next_mtu, 1400);
}

TEST_F(IcmpTest, ErrorsAboutWhatWeDidNotSendAreBad) {
    Octets of_another = test::ipv4(Ipv4{0x0a000033}, kPeer.ip, 6, test::tcp(kOurs, kPeer));
    EXPECT_EQ(verdict(test::icmp(3, 1, 0, of_another)), Icmp::Verdict::kNothing);
    Octets udp = test::ipv4(kOurs.ip, kPeer.ip, 17, Octets(8, 0));
    EXPECT_EQ(verdict(test::icmp(3, 1, 0, udp)), Icmp::Verdict::kNothing);
    Octets later_fragment = test::ipv4(kOurs.ip, kPeer.ip, 6, test::tcp(kOurs, kPeer), {}, 0x0010);
    EXPECT_EQ(verdict(test::icmp(3, 1, 0, later_fragment)), Icmp::Verdict::kNothing);
    EXPECT_EQ(icmp.counters().bad.value(), 3u);
}

// RFC 1122 section 3.2.2: unknown types are discarded silently; so is what we never ask for.
TEST_F(IcmpTest, OtherTypesAreIgnored) {
    for (int type = 0; type < 256; ++type) {
        if (type == 8 || type == 3) continue;
        EXPECT_EQ(verdict(test::icmp(static_cast<std::uint8_t>(type), 0, 0, quotation())),
                  Icmp::Verdict::kNothing);
    }
    EXPECT_EQ(icmp.counters().ignored.value(), 254u);
}

TEST_F(IcmpTest, TruncationsAndWrongChecksumsAreBad) {
    const Octets whole = test::icmp(3, 1, 0, quotation());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        Octets cut(whole.begin(), whole.begin() + static_cast<long>(length));
        EXPECT_EQ(verdict(cut), Icmp::Verdict::kNothing) << length;
        if (length < 8) continue;
        test::set16(cut, 2, 0);
        test::set16(cut, 2, test::rfc1071(cut));  // the same cut, with a checksum that holds
        EXPECT_EQ(verdict(cut), Icmp::Verdict::kNothing) << length;
    }
    Octets long_header = whole;
    long_header[8] = 0x4f;  // the quoted header claims more than is there
    test::set16(long_header, 2, 0);
    test::set16(long_header, 2, test::rfc1071(long_header));
    EXPECT_EQ(verdict(long_header), Icmp::Verdict::kNothing);
}

}  // namespace
}  // namespace millrace::net
