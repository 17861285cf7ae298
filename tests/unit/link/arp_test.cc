#include "netstack/link/arp.h"

#include <gtest/gtest.h>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames.h"

namespace millrace::net {
namespace {

using test::Octets;

Octets request() {
    return test::ethernet(kBroadcast, test::kPeerMac, 0x0806,
                          test::arp(1, test::kPeerMac, test::kPeerIp, MacAddress{}, test::kOurIp));
}

// RFC 826, "Packet format".
TEST(Arp, ParsesARequest) {
    test::TestPool pool;
    rte_mbuf* frame = pool.mbuf(request());
    const auto packet = parse_arp(frame);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->operation, ArpOperation::kRequest);
    EXPECT_EQ(packet->sender_mac, test::kPeerMac);
    EXPECT_EQ(packet->sender, test::kPeerIp);
    EXPECT_EQ(packet->target, test::kOurIp);
    release(frame);
}

TEST(Arp, WritesAReplyOctetByOctet) {
    test::TestPool pool;
    rte_mbuf* frame = pool.mbuf({});
    write_arp(frame, test::kOurMac, test::kPeerMac,
              {ArpOperation::kReply, test::kOurMac, test::kOurIp, test::kPeerMac, test::kPeerIp});
    EXPECT_EQ(test::bytes_of(frame),
              test::ethernet(test::kPeerMac, test::kOurMac, 0x0806,
                             test::arp(2, test::kOurMac, test::kOurIp, test::kPeerMac, test::kPeerIp)));
    release(frame);
}

TEST(Arp, RefusesWhatIsNotIpv4OverEthernet) {
    test::TestPool pool;
    const auto refused = [&](const Octets& bytes) {
        rte_mbuf* frame = pool.mbuf(bytes);
        const bool parsed = parse_arp(frame).has_value();
        release(frame);
        return !parsed;
    };
    EXPECT_FALSE(refused(request()));
    for (std::size_t length = 0; length < request().size(); ++length) {
        Octets cut = request();
        cut.resize(length);
        EXPECT_TRUE(refused(cut)) << length;
    }
    // Hardware type, protocol type, both address lengths, operation, a group MAC address as the sender.
    for (const auto& [at, value] :
         {std::pair{15, 6}, {16, 0x86}, {18, 8}, {19, 16}, {21, 3}, {21, 0}, {22, 0x01}}) {
        Octets bad = request();
        bad[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
        EXPECT_TRUE(refused(bad)) << at;
    }
}

}  // namespace
}  // namespace millrace::net
