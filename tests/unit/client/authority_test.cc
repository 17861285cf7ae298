// RFC 7617: user names and passwords as URLs have them.

#include "engine/client/authority.h"

#include <gtest/gtest.h>

namespace millrace::client {
namespace {

TEST(BasicCredentials, TheExamplesOfTheRfc) {  // section 2, and section 2.1's in UTF-8
    EXPECT_EQ(*basic_credentials("Aladdin:open%20sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    EXPECT_EQ(*basic_credentials("test:123%C2%A3"), "Basic dGVzdDoxMjPCow==");
}

TEST(BasicCredentials, PasswordsMayHaveColonsAndBeEmpty) {
    EXPECT_EQ(*basic_credentials("a:b:c"), "Basic YTpiOmM=");
    EXPECT_EQ(*basic_credentials("a:b%3Ac"), "Basic YTpiOmM=");
    EXPECT_EQ(*basic_credentials("a:"), *basic_credentials("a"));
    EXPECT_EQ(*basic_credentials(""), "Basic Og==");
}

TEST(BasicCredentials, WhatCannotBeSentIsRefused) {
    for (const char* text : {"a%3Ab:c", "a:%0d%0aX", "a:\r\n", "a:%zz", "a:%4", "%"})
        EXPECT_FALSE(basic_credentials(text)) << text;
}

TEST(Authority, UserInformationEndsAtTheLastSign) {
    const auto authority = parse_authority("a@b@c:1");
    ASSERT_TRUE(authority);
    EXPECT_EQ(authority->user_info, "a@b");
    EXPECT_EQ(authority->host, "c");
    EXPECT_EQ(authority->port, 1);
    EXPECT_EQ(write_authority("::1", 80), "[::1]:80");
}

}  // namespace
}  // namespace millrace::client
