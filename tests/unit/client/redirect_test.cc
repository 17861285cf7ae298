// RFC 9110 section 15.4: where redirects lead, and where a client does not go.

#include "engine/client/redirect.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::client {
namespace {

class Redirect : public ::testing::Test {
  protected:
    Expected<Url> from(std::string_view url, std::string fields, RedirectPolicy policy = {}) {
        head_ = "HTTP/1.1 302 Found\r\n" + std::move(fields) + "\r\n";
        EXPECT_TRUE(http::parse_response(head_, response_, http::Limits{}).complete());
        return follow(*parse_url(url), response_, policy);
    }
    std::string head_;
    http::Response response_;
};

TEST_F(Redirect, FollowsAbsoluteAndRelativeLocations) {
    EXPECT_EQ(from("ws://a/x/y", "Location: z\r\n")->text(), "ws://a/x/z");
    EXPECT_EQ(from("ws://a/x", "Location: http://b:81/y\r\n")->text(), "ws://b:81/y");
    EXPECT_EQ(from("ws://a/x", "Location: https://a/x\r\n")->text(), "wss://a/x");
}

TEST_F(Redirect, NeedsOneLocation) {
    EXPECT_FALSE(from("ws://a/", ""));
    EXPECT_FALSE(from("ws://a/", "Location: /x\r\nLocation: /y\r\n"));
    EXPECT_FALSE(from("ws://a/", "Location: ftp://x/\r\n"));
}

TEST_F(Redirect, LeadsNotFromSecretToPlain) {
    EXPECT_FALSE(from("wss://a/x", "Location: ws://a/x\r\n"));
    EXPECT_FALSE(from("wss://a/x", "Location: http://b/\r\n"));
    EXPECT_EQ(from("wss://a/x", "Location: http://b/\r\n", {.to_plain = true})->text(), "ws://b/");
    EXPECT_EQ(from("wss://a/x", "Location: //b/\r\n")->text(), "wss://b/");
}

TEST_F(Redirect, UserInformationStaysWithItsOrigin) {
    EXPECT_EQ(from("ws://u:p@a/x", "Location: /y\r\n")->user_info, "u:p");
    EXPECT_EQ(from("ws://u:p@a/x", "Location: http://a/y\r\n")->user_info, "u:p");
    EXPECT_FALSE(from("ws://u:p@a/x", "Location: http://b/y\r\n")->user_info);
    EXPECT_FALSE(from("ws://u:p@a/x", "Location: http://a:81/y\r\n")->user_info);
    EXPECT_FALSE(from("ws://u:p@a/x", "Location: https://a/y\r\n")->user_info);
}

TEST_F(Redirect, UserInformationInALocationIsNotTrusted) {  // section 4.2.4
    EXPECT_FALSE(from("ws://a/x", "Location: http://u:p@b/\r\n"));
    EXPECT_FALSE(from("ws://a/x", "Location: http://u:p@a/\r\n"));
    EXPECT_FALSE(from("ws://u:p@a/x", "Location: //v:q@a/\r\n"));
}

TEST(RedirectStatus, TheFiveThatNameAnotherPlace) {
    for (int status = 100; status < 600; ++status)
        EXPECT_EQ(is_redirect(status),
                  status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

}  // namespace
}  // namespace millrace::client
