#include "engine/http/credentials.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace millrace::http {
namespace {

using Found = std::optional<std::string_view>;

class Credentials : public ::testing::Test {
  protected:
    const Request& parse(const std::string& target, const std::string& fields) {
        head_ = "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
        EXPECT_TRUE(parse_request(head_, request_, {}).complete()) << head_;
        return request_;
    }
    Found bearer(const std::string& fields) { return bearer_token(parse("/", fields)); }
    Found query(const std::string& target, std::string_view name = "token") {
        return query_parameter(parse(target, ""), name, out_);
    }
    Found named(const std::string& fields, std::string_view name = "token") {
        return cookie(parse("/", fields), name);
    }

  private:
    std::string head_;
    Request request_;
    std::array<char, 9> out_;
};

TEST_F(Credentials, Rfc6750_2_1_BearerToken) {
    EXPECT_EQ(bearer("Authorization: Bearer abc.d=\r\n"), Found("abc.d="));
    EXPECT_EQ(bearer("authorization: bEARER   abc\r\n"), Found("abc"));
    EXPECT_EQ(bearer(""), std::nullopt);
    EXPECT_EQ(bearer("Authorization: Basic abc\r\n"), std::nullopt);
    EXPECT_EQ(bearer("Authorization: Bearer\r\n"), std::nullopt);
    EXPECT_EQ(bearer("Authorization: Bearerabc\r\n"), std::nullopt);
    EXPECT_EQ(bearer("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), std::nullopt);
}

TEST_F(Credentials, Rfc3986_2_1_QueryParameter) {
    EXPECT_EQ(query("/?token=abc"), Found("abc"));
    EXPECT_EQ(query("/?a=b&token=%61%2Bc+d&token=no"), Found("a+c+d"));
    EXPECT_EQ(query("/?token="), Found(""));
    EXPECT_EQ(query("/?token&tokens=1&atoken=2"), std::nullopt);
    EXPECT_EQ(query("/?token=a%2"), std::nullopt);
    EXPECT_EQ(query("/?token=a%zz"), std::nullopt);
    EXPECT_EQ(query("/?token=123456789"), Found("123456789"));
    EXPECT_EQ(query("/?token=1234567890"), std::nullopt);  // longer than the buffer
    EXPECT_EQ(query("/"), std::nullopt);
}

TEST_F(Credentials, Rfc6265_4_2_Cookie) {
    EXPECT_EQ(named("Cookie: token=abc\r\n"), Found("abc"));
    EXPECT_EQ(named("Cookie: a=b; token=\"x=y\"; token=no\r\n"), Found("x=y"));
    EXPECT_EQ(named("Cookie: a=b\r\nCookie: ;; token=\r\n"), Found(""));
    EXPECT_EQ(named("Cookie: Token=a; atoken=b; tokens=c; token\r\n"), std::nullopt);
    EXPECT_EQ(named("Set-Cookie: token=abc\r\n"), std::nullopt);
}

}  // namespace
}  // namespace millrace::http
