#include "netstack/base/address.h"

#include <gtest/gtest.h>

namespace millrace::net {
namespace {

TEST(Address, ParsesAndPrints) {
    EXPECT_EQ(parse_ipv4("10.0.0.1")->value, 0x0a000001u);
    EXPECT_EQ(to_string(Ipv4{0xc0a80a01}), "192.168.10.1");
    const auto socket = parse_socket_address("127.0.0.1:9001");
    ASSERT_TRUE(socket);
    EXPECT_EQ(to_string(*socket), "127.0.0.1:9001");
}

TEST(Address, RefusesWhatIsNotOne) {
    for (const char* text : {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", "localhost", "10.0.0.1/24"})
        EXPECT_FALSE(parse_ipv4(text)) << text;
    for (const char* text : {"10.0.0.1", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/", "10.0.0.1/2 "})
        EXPECT_FALSE(parse_cidr(text)) << text;
    for (const char* text : {"10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:+1", ":80"})
        EXPECT_FALSE(parse_socket_address(text)) << text;
}

TEST(Cidr, ContainsItsNetworkOnly) {
    const Cidr net = *parse_cidr("10.1.2.3/20");
    EXPECT_TRUE(net.contains(*parse_ipv4("10.1.0.0")));
    EXPECT_TRUE(net.contains(*parse_ipv4("10.1.15.255")));
    EXPECT_FALSE(net.contains(*parse_ipv4("10.1.16.0")));
    EXPECT_TRUE(parse_cidr("1.2.3.4/0")->contains(*parse_ipv4("200.0.0.1")));
}

}  // namespace
}  // namespace millrace::net
