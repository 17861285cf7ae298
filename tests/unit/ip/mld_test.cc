// Messages of multicast listener discovery: RFC 3810 section 5, RFC 2710 section 3.

#include "netstack/ip/mld.h"

#include <gtest/gtest.h>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames6.h"

namespace millrace::net {
namespace {

using test::Octets;

const IpAddress kGroup = solicited_node_group(test::kOurIp6);

class MldTest : public ::testing::Test {
  protected:
    // An ICMPv6 message as it comes from the peer by this arrival.
    template <class Parse>
    auto parse(const Octets& message, Parse&& parser) {
        rte_mbuf* m = pool.mbuf(message);
        auto result = parser(m, arrival);
        release(m);
        return result;
    }
    auto query(const Octets& message) { return parse(message, parse_mld_query); }

    test::TestPool pool;
    IpArrival arrival{test::kPeerLinkLocal, kAllNodes, false, 1, true};
};

TEST_F(MldTest, ReadsQueriesOfVersion2) {  // section 5.1
    const auto q = query(test::mld_query(kGroup, 1000, 2, 125));
    ASSERT_TRUE(q);
    EXPECT_EQ(q->group, kGroup);
    EXPECT_EQ(q->max_response, 1s);
    EXPECT_FALSE(q->version1);
    EXPECT_EQ(q->robustness, 2);
    EXPECT_EQ(q->interval, 125s);
    EXPECT_TRUE(query(test::mld_query({}, 1000, 2, 125))->group.is_unspecified()) << "a general one";
}

TEST_F(MldTest, AQueryAboutSourcesIsOneAboutAll) {
    Octets message = test::mld_query(kGroup, 1000, 2, 125);
    message[27] = 1;
    test::put_ip(message, test::kPeerIp6);
    ASSERT_TRUE(query(message));
    EXPECT_EQ(query(message)->group, kGroup);
}

// Sections 5.1.3 and 5.1.9: (mantissa | implied one) << (exponent + 3).
TEST_F(MldTest, LongTimesAreFloatingNumbers) {
    EXPECT_EQ(query(test::mld_query({}, 32767, 2, 127))->max_response, 32767ms);
    EXPECT_EQ(query(test::mld_query({}, 32767, 2, 127))->interval, 127s);
    EXPECT_EQ(query(test::mld_query({}, 0x8000, 2, 0x80))->max_response, (0x1000 << 3) * 1ms);
    EXPECT_EQ(query(test::mld_query({}, 0x8000, 2, 0x80))->interval, (0x10 << 3) * 1s);
    EXPECT_EQ(query(test::mld_query({}, 0xffff, 2, 0xff))->max_response, (0x1fff << 10) * 1ms);
    EXPECT_EQ(query(test::mld_query({}, 0xffff, 2, 0xff))->interval, (0x1f << 10) * 1s);
}

TEST_F(MldTest, TheLengthSaysTheVersion) {  // section 8.1
    Octets message = test::mld_query(kGroup, 0xffff, 2, 125);
    for (std::size_t length = 0; length < 28; ++length) {
        const auto q = query(Octets(message.begin(), message.begin() + static_cast<long>(length)));
        ASSERT_EQ(q.has_value(), length == 24) << length;
        if (!q) continue;
        EXPECT_TRUE(q->version1);
        EXPECT_EQ(q->max_response, 65535ms) << "RFC 2710 section 3.4 has no floating numbers";
        EXPECT_EQ(q->group, kGroup);
    }
}

TEST_F(MldTest, WhatIsNotFromTheLinkIsNoMessage) {  // section 6.2
    const Octets message = test::mld_query({}, 1000, 2, 125);
    ASSERT_TRUE(query(message));
    arrival.hop_limit = 2;
    EXPECT_FALSE(query(message));
    arrival.hop_limit = 1;
    arrival.router_alert = false;
    EXPECT_FALSE(query(message));
    arrival.router_alert = true;
    arrival.source = test::kPeerIp6;
    EXPECT_FALSE(query(message));
}

TEST_F(MldTest, OnlyGroupsAreAskedAbout) {
    EXPECT_FALSE(query(test::mld_query(test::kOurIp6, 1000, 2, 125)));
}

TEST_F(MldTest, ReadsReportsOfVersion1) {  // RFC 2710 section 3
    Octets message(24, 0);
    message[0] = 131;
    Octets group;
    test::put_ip(group, kGroup);
    std::copy(group.begin(), group.end(), message.begin() + 8);
    EXPECT_EQ(parse(message, parse_mld_report), kGroup);
    EXPECT_FALSE(query(message));
    message[0] = 130;
    EXPECT_FALSE(parse(message, parse_mld_report));
    message[0] = 131;
    message.pop_back();
    EXPECT_FALSE(parse(message, parse_mld_report));
}

TEST_F(MldTest, WritesReportsOfVersion2) {  // section 5.2
    rte_mbuf* frame = pool.mbuf({});
    const std::array records{MldRecord{MldRecordType::kToExclude, kGroup},
                             MldRecord{MldRecordType::kIsExclude, solicited_node_group(test::kPeerIp6)}};
    write_mld_report(frame, test::kOurMac, test::kOurLinkLocal, records);
    EXPECT_EQ(test::bytes_of(frame),
              test::mld_report_frame(test::kOurLinkLocal,
                                     {{4, kGroup}, {2, solicited_node_group(test::kPeerIp6)}}));
    release(frame);
}

TEST_F(MldTest, TheLargestReportFitsEveryLink) {
    rte_mbuf* frame = pool.mbuf({});
    const std::vector<MldRecord> records(kMostMldRecords, {MldRecordType::kIsExclude, kGroup});
    write_mld_report(frame, test::kOurMac, {}, records);
    EXPECT_LE(frame->pkt_len, 14u + 1280);
    EXPECT_GT(frame->pkt_len + 20, 14u + 1280);
    release(frame);
}

TEST_F(MldTest, WritesReportsOfVersion1) {  // RFC 2710 section 3: to the group itself
    rte_mbuf* frame = pool.mbuf({});
    write_mld_report_v1(frame, test::kOurMac, test::kOurLinkLocal, kGroup);
    EXPECT_EQ(test::bytes_of(frame), test::mld_report_v1_frame(test::kOurLinkLocal, kGroup));
    release(frame);
}

}  // namespace
}  // namespace millrace::net
