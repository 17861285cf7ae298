#include "engine/proxy/forwarded.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::proxy {
namespace {

std::string client(std::string_view peer, const std::string& fields, bool rfc7239 = false) {
    const ForwardedPolicy policy{{*net::parse_cidr("10.0.0.0/8"), *net::parse_cidr("fd00::/8")}, rfc7239};
    http::Request request;
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    EXPECT_TRUE(http::parse_request(head, request, {}).complete());
    return net::to_string(client_address(request, *net::parse_socket_address(peer), policy));
}

TEST(Forwarded, OnlyTrustedPeersAreBelieved) {
    EXPECT_EQ(client("10.0.0.1:80", "X-Forwarded-For: 1.2.3.4\r\n"), "1.2.3.4:0");
    EXPECT_EQ(client("9.9.9.9:80", "X-Forwarded-For: 1.2.3.4\r\n"), "9.9.9.9:80");
    EXPECT_EQ(client("10.0.0.1:80", ""), "10.0.0.1:80");
}

TEST(Forwarded, TheListIsReadFromItsEndAsFarAsItIsTrusted) {
    EXPECT_EQ(client("10.0.0.1:80", "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.0.0.2\r\n"), "1.2.3.4:0");
    EXPECT_EQ(client("10.0.0.1:80", "X-Forwarded-For: 6.6.6.6\r\nA: b\r\nx-forwarded-for: 1.2.3.4 ,,\r\n"),
              "1.2.3.4:0");
    EXPECT_EQ(client("10.0.0.1:80", "X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n"), "10.0.0.3:0");
    EXPECT_EQ(client("10.0.0.1:80", "X-Forwarded-For: 1.2.3.4, garbage\r\n"), "10.0.0.1:80");
    EXPECT_EQ(client("10.0.0.1:80", "X-Forwarded-For: 1.2.3.4, unknown, 10.0.0.2\r\n"), "10.0.0.2:0");
}

TEST(Forwarded, AddressesInTheirManyForms) {
    EXPECT_EQ(client("[fd00::1]:80", "X-Forwarded-For: 2001:db8::1\r\n"), "[2001:db8::1]:0");
    EXPECT_EQ(client("[fd00::1]:80", "X-Forwarded-For: [2001:db8::1]\r\n"), "[2001:db8::1]:0");
    EXPECT_EQ(client("[fd00::1]:80", "X-Forwarded-For: [2001:db8::1]:99\r\n"), "[2001:db8::1]:99");
    EXPECT_EQ(client("[fd00::1]:80", "X-Forwarded-For: 1.2.3.4:99\r\n"), "1.2.3.4:99");
}

TEST(Forwarded, Rfc7239_4_ForNamesTheClient) {
    EXPECT_EQ(client("10.0.0.1:80", "Forwarded: for=1.2.3.4;proto=http;by=10.0.0.1\r\n", true), "1.2.3.4:0");
    EXPECT_EQ(client("10.0.0.1:80", "Forwarded: proto=http; For=\"[2001:db8::1]:4711\"\r\n", true),
              "[2001:db8::1]:4711");
    EXPECT_EQ(client("10.0.0.1:80", "Forwarded: for=6.6.6.6, for=1.2.3.4, for=10.0.0.2\r\n", true),
              "1.2.3.4:0");
    EXPECT_EQ(client("10.0.0.1:80", "Forwarded: for=1.2.3.4, for=_hidden\r\n", true), "10.0.0.1:80");
    EXPECT_EQ(client("10.0.0.1:80", "Forwarded: for=1.2.3.4, proto=http\r\n", true), "10.0.0.1:80");
}

TEST(Forwarded, TheOtherFieldIsTheClientsAndIgnored) {
    EXPECT_EQ(client("10.0.0.1:80", "Forwarded: for=1.2.3.4\r\n"), "10.0.0.1:80");
    EXPECT_EQ(client("10.0.0.1:80", "X-Forwarded-For: 1.2.3.4\r\n", true), "10.0.0.1:80");
}

}  // namespace
}  // namespace millrace::proxy
