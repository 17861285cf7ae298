#include "netstack/ip/local_addresses.h"

#include <gtest/gtest.h>

namespace millrace::net {
namespace {

IpAddress ip(std::string_view text) {
    return *parse_ip(text);
}

LocalAddresses addresses(std::initializer_list<const char*> ranges,
                         const std::vector<IpAddress>& gateway = {}) {
    std::vector<LocalRange> list;
    for (const char* text : ranges)
        list.push_back(*parse_local_range(text));
    auto made = LocalAddresses::create(std::move(list), gateway);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return *made;
}

TEST(LocalRange, ParsesSinglesAndRanges) {
    EXPECT_EQ(parse_local_range("10.0.0.1/24")->count, 1u);
    const auto range = parse_local_range("10.1.0.1+160/16");
    ASSERT_TRUE(range);
    EXPECT_EQ(range->first, ip("10.1.0.1"));
    EXPECT_EQ(range->count, 160u);
    EXPECT_EQ(range->prefix, 16);
    for (const char* text : {"", "10.0.0.1", "10.0.0.1+/24", "10.0.0.1+x/24", "10.0.0.1/24+5",
                             "10.0.0.1+0/24", "10.0.0.0/24", "10.0.0.255/24", "10.0.0.1+255/24",
                             "127.0.0.1/8", "224.0.0.1/24", "0.0.0.1/8", "10.0.0.250+4294967295/24"})
        EXPECT_FALSE(parse_local_range(text)) << text;
    EXPECT_TRUE(parse_local_range("10.0.0.1+254/24"));
    EXPECT_TRUE(parse_local_range("10.0.0.0/31")) << "RFC 3021";
    EXPECT_TRUE(parse_local_range("10.0.0.7/32"));
}

TEST(LocalAddresses, KnowsItsOwnAndBroadcasts) {
    const auto local = addresses({"10.0.0.1/24", "10.1.0.1+3/16"});
    for (const char* ours : {"10.0.0.1", "10.1.0.1", "10.1.0.3"})
        EXPECT_TRUE(local.is_local(ip(ours))) << ours;
    for (const char* not_ours : {"10.0.0.2", "10.1.0.4", "10.1.0.0", "0.0.0.0"})
        EXPECT_FALSE(local.is_local(ip(not_ours))) << not_ours;
    for (const char* all : {"255.255.255.255", "10.0.0.255", "10.1.255.255"})
        EXPECT_TRUE(local.is_broadcast(ip(all))) << all;
    EXPECT_FALSE(local.is_broadcast(ip("10.1.0.255")));
}

TEST(LocalAddresses, NextHopIsTheNeighbourOrTheGateway) {
    const auto local = addresses({"10.0.0.1/24", "10.1.0.1/16"}, {ip("10.0.0.254")});
    EXPECT_EQ(local.next_hop(ip("10.0.0.77")), ip("10.0.0.77"));
    EXPECT_EQ(local.next_hop(ip("10.1.200.7")), ip("10.1.200.7"));
    EXPECT_EQ(local.next_hop(ip("8.8.8.8")), ip("10.0.0.254"));
    EXPECT_EQ(local.source_for(ip("10.1.200.7")), ip("10.1.0.1"));
    EXPECT_EQ(addresses({"10.0.0.1/24"}).next_hop(ip("8.8.8.8")), std::nullopt);
}

TEST(LocalAddresses, RefusesWhatCannotWork) {
    const auto range = *parse_local_range("10.0.0.1/24");
    EXPECT_FALSE(LocalAddresses::create({}, {}));
    EXPECT_FALSE(LocalAddresses::create({range, range}, {}));
    EXPECT_FALSE(LocalAddresses::create({range, *parse_local_range("10.0.0.1+5/24")}, {}));
    EXPECT_FALSE(LocalAddresses::create({range}, {ip("10.0.1.1")})) << "a gateway out of reach";
    EXPECT_FALSE(LocalAddresses::create({range}, {ip("10.0.0.1")})) << "ourselves as the gateway";
}

// RFC 4862 section 5.4.5: a duplicate is none of ours, wherever in its range it lies.
TEST(LocalAddresses, OneThatIsAnothersIsWithdrawn) {
    for (const char* gone : {"10.1.0.1", "10.1.0.3", "10.1.0.5"}) {
        auto local = addresses({"10.0.0.1/24", "10.1.0.1+5/16"});
        local.withdraw(ip(gone));
        for (const char* ours : {"10.0.0.1", "10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5"})
            EXPECT_EQ(local.is_local(ip(ours)), std::string_view(ours) != gone)
                << ours << " without " << gone;
        EXPECT_FALSE(local.is_local(ip("10.1.0.6")));
    }
    auto local = addresses({"10.0.0.1/24"});
    local.withdraw(ip("10.0.0.2"));
    EXPECT_TRUE(local.is_local(ip("10.0.0.1")));
    local.withdraw(ip("10.0.0.1"));
    EXPECT_TRUE(local.ranges().empty());
    EXPECT_EQ(local.source_for(ip("10.0.0.2")), IpAddress{});
}

}  // namespace
}  // namespace millrace::net
