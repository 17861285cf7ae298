#include "netstack/base/address.h"

#include <gtest/gtest.h>

namespace millrace::net {
namespace {

TEST(Address, ParsesAndPrints) {
    EXPECT_EQ(*parse_ip("10.0.0.1"), Ipv4{0x0a000001});
    EXPECT_EQ(to_string(Ipv4{0xc0a80a01}), "192.168.10.1");
    const auto socket = parse_socket_address("127.0.0.1:9001");
    ASSERT_TRUE(socket);
    EXPECT_EQ(to_string(*socket), "127.0.0.1:9001");
    EXPECT_EQ(*parse_ip("2001:db8::ff"), IpAddress(0x20010db800000000, 0xff));
    EXPECT_EQ(to_string(*parse_ip("2001:0DB8:0:0:0:0:0:00ff")), "2001:db8::ff") << "RFC 5952 section 4";
    const auto bracketed = parse_socket_address("[fe80::1]:80");
    ASSERT_TRUE(bracketed);
    EXPECT_EQ(bracketed->ip, IpAddress(0xfe80000000000000, 1));
    EXPECT_EQ(bracketed->port, 80);
    EXPECT_EQ(to_string(*bracketed), "[fe80::1]:80");
}

TEST(Address, RefusesWhatIsNotOne) {
    for (const char* text : {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", "localhost", "10.0.0.1/24", "1:2",
                             "[::1]", "::1%eth0", ":::"})
        EXPECT_FALSE(parse_ip(text)) << text;
    for (const char* text : {"10.0.0.1", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/", "10.0.0.1/2 ", "::1",
                             "::1/129", "/64", "[::1]/64"})
        EXPECT_FALSE(parse_cidr(text)) << text;
    for (const char* text : {"10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:+1", ":80", "::1:80",
                             "[::1]", "[::1]80", "[10.0.0.1]:80", "[]:80", "[::1:80"})
        EXPECT_FALSE(parse_socket_address(text)) << text;
}

// RFC 4291: section 2.5.5.2, the mapped form; 2.5.2, unspecified; 2.5.6, link-local; 2.7, groups.
TEST(Address, KnowsItsKind) {
    const IpAddress v4 = Ipv4{0x0a000001};
    EXPECT_TRUE(v4.is_v4());
    EXPECT_EQ(v4.v4(), Ipv4{0x0a000001});
    EXPECT_EQ(v4, *parse_ip("::ffff:10.0.0.1"));
    EXPECT_EQ(v4.plus(0x100), *parse_ip("10.0.1.1"));
    for (const char* text : {"::1", "::10.0.0.1", "2001:db8::a00:1", "::fffe:a00:1"})
        EXPECT_FALSE(parse_ip(text)->is_v4()) << text;
    for (const char* text : {"0.0.0.0", "::"})
        EXPECT_TRUE(parse_ip(text)->is_unspecified()) << text;
    EXPECT_NE(*parse_ip("0.0.0.0"), IpAddress{});
    EXPECT_TRUE(parse_ip("febf::1")->is_link_local());
    EXPECT_FALSE(parse_ip("fec0::1")->is_link_local());
    EXPECT_TRUE(parse_ip("ff02::1")->is_v6_multicast());
    EXPECT_FALSE(parse_ip("224.0.0.1")->is_v6_multicast());
}

TEST(Cidr, ContainsItsNetworkOnly) {
    const Cidr net = *parse_cidr("10.1.2.3/20");
    EXPECT_TRUE(net.contains(*parse_ip("10.1.0.0")));
    EXPECT_TRUE(net.contains(*parse_ip("10.1.15.255")));
    EXPECT_FALSE(net.contains(*parse_ip("10.1.16.0")));
    EXPECT_TRUE(parse_cidr("1.2.3.4/0")->contains(*parse_ip("200.0.0.1")));
    EXPECT_FALSE(parse_cidr("1.2.3.4/0")->contains(*parse_ip("2001:db8::1"))) << "of the other family";
    EXPECT_FALSE(parse_cidr("2001:db8::1/64")->contains(*parse_ip("10.0.0.1")));
    struct {
        const char *network, *inside, *outside;
    } const cases[] = {{"2001:db8::1/64", "2001:db8::ffff:1:2:3", "2001:db8:0:1::1"},
                       {"2001:db8::1/20", "2001:fff::1", "2001:1000::1"},
                       {"2001:db8::1/120", "2001:db8::fe", "2001:db8::1fe"},
                       {"2001:db8::1/128", "2001:db8::1", "2001:db8::2"}};
    for (const auto& c : cases) {
        EXPECT_TRUE(parse_cidr(c.network)->contains(*parse_ip(c.inside))) << c.network;
        EXPECT_FALSE(parse_cidr(c.network)->contains(*parse_ip(c.outside))) << c.network;
    }
    EXPECT_TRUE(parse_cidr("::1/0")->contains(*parse_ip("2001:db8::1")));
}

}  // namespace
}  // namespace millrace::net
