// From a URL to an open WebSocket: addresses, redirects, proxies.

#include "engine/client/dialer.h"

#include <gtest/gtest.h>

#include <memory>

namespace millrace::client {
namespace {

using Step = Dialer::Step;

Dialer dialer(std::string_view url, DialOptions options = {}) {
    auto made = Dialer::create(*parse_url(url), std::move(options));
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return std::move(*made);
}

net::SocketAddress at(std::string_view text) {
    return *net::parse_socket_address(text);
}

// An answer other than 101.
class Answer {
  public:
    explicit Answer(std::string head, std::string_view content = {}) : head_(std::move(head) + "\r\n") {
        EXPECT_TRUE(http::parse_response(head_, response_, http::Limits{}).complete());
        failure_ = {.why = "not 101", .connected = true, .response = &response_, .content = content};
    }
    static Answer redirect(std::string_view location, int status = 302) {
        return Answer("HTTP/1.1 " + std::to_string(status) + " Found\r\nLocation: " + std::string(location) +
                      "\r\n");
    }
    Answer& by_proxy() {
        failure_.from_proxy = true;
        return *this;
    }
    Answer(const Answer&) = delete;
    const OpeningFailure& failure() const { return failure_; }

  private:
    std::string head_;
    http::Response response_;
    OpeningFailure failure_;
};

std::string field(const ClientTarget& target, std::string_view name) {
    for (const auto& [field, value] : target.fields)
        if (field == name) return value;
    return "";
}

TEST(Dialer, AnAddressNeedsNoResolution) {
    Dialer d = dialer("ws://[::1]:9001/x");
    ASSERT_EQ(d.start(), Step::kConnect);
    EXPECT_EQ(d.address(), at("[::1]:9001"));
    EXPECT_TRUE(d.new_target());
    EXPECT_EQ(d.target().host, "[::1]:9001");
    EXPECT_EQ(d.target().path, "/x");
    EXPECT_TRUE(d.target().tunnel.authority.empty());
}

TEST(Dialer, TriesEachAddressUntilTcpIsEstablished) {
    Dialer d = dialer("ws://a/");
    ASSERT_EQ(d.start(), Step::kResolve);
    EXPECT_EQ(d.host(), "a");
    EXPECT_EQ(d.port(), 80);
    ASSERT_EQ(d.resolved(Addresses{at("1.1.1.1:80"), at("2.2.2.2:80"), at("3.3.3.3:80")}), Step::kConnect);
    EXPECT_EQ(d.address(), at("1.1.1.1:80"));
    ASSERT_EQ(d.failed({.why = "refused"}), Step::kConnect);
    EXPECT_EQ(d.address(), at("2.2.2.2:80"));
    EXPECT_FALSE(d.new_target());
    ASSERT_EQ(d.failed({.why = "refused"}), Step::kConnect);
    ASSERT_EQ(d.failed({.why = "timed out"}), Step::kGiveUp);
    EXPECT_EQ(d.why(), "ws://a/: timed out");
}

TEST(Dialer, AServerThatAnswersIsNotTriedAtAnotherAddress) {
    Dialer d = dialer("ws://a/");
    d.start();
    d.resolved(Addresses{at("1.1.1.1:80"), at("2.2.2.2:80")});
    EXPECT_EQ(d.failed({.why = "reset by peer", .connected = true}), Step::kGiveUp);
}

TEST(Dialer, ANameWithoutAddressEndsIt) {
    Dialer d = dialer("ws://a/");
    d.start();
    EXPECT_EQ(d.resolved(fail("the name a has no address")), Step::kGiveUp);
    EXPECT_EQ(d.why(), "the name a has no address");
}

TEST(Dialer, OtherStatusesAreReportedWithWhatTheServerSays) {
    Dialer d = dialer("ws://127.0.0.1/x");
    d.start();
    const Answer answer("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n",
                        "no \x1b[31msuch user\r\nmore");
    ASSERT_EQ(d.failed(answer.failure()), Step::kGiveUp);
    EXPECT_EQ(d.why(), "ws://127.0.0.1/x answered 401 Unauthorized: no [31msuch user");
}

TEST(Dialer, FollowsEachKindOfRedirect) {
    for (const int status : {301, 302, 303, 307, 308}) {
        Dialer d = dialer("ws://127.0.0.1/x");
        d.start();
        ASSERT_EQ(d.failed(Answer::redirect("/y", status).failure()), Step::kConnect) << status;
        EXPECT_EQ(d.target().path, "/y");
        EXPECT_TRUE(d.new_target());
        EXPECT_EQ(d.url().text(), "ws://127.0.0.1/y");
    }
    Dialer d = dialer("ws://127.0.0.1/x");
    d.start();
    EXPECT_EQ(d.failed(Answer("HTTP/1.1 304 Not Modified\r\nLocation: /y\r\n").failure()), Step::kGiveUp);
}

TEST(Dialer, ARedirectToANameIsResolved) {
    Dialer d = dialer("ws://127.0.0.1/x");
    d.start();
    ASSERT_EQ(d.failed(Answer::redirect("http://other:81/y").failure()), Step::kResolve);
    EXPECT_EQ(d.host(), "other");
    EXPECT_EQ(d.port(), 81);
    ASSERT_EQ(d.resolved(Addresses{at("[::9]:81")}), Step::kConnect);
    EXPECT_EQ(d.target().host, "other:81");
}

TEST(Dialer, RedirectsAreBoundedAndGoInNoCircle) {
    Dialer d = dialer("ws://127.0.0.1/0", {.redirects = {.most = 2}});
    d.start();
    ASSERT_EQ(d.failed(Answer::redirect("/1").failure()), Step::kConnect);
    ASSERT_EQ(d.failed(Answer::redirect("/2").failure()), Step::kConnect);
    ASSERT_EQ(d.failed(Answer::redirect("/3").failure()), Step::kGiveUp);
    EXPECT_NE(d.why().find("as many as are followed"), std::string::npos) << d.why();

    Dialer circle = dialer("ws://127.0.0.1/0");
    circle.start();
    ASSERT_EQ(circle.failed(Answer::redirect("/1").failure()), Step::kConnect);
    ASSERT_EQ(circle.failed(Answer::redirect("/0").failure()), Step::kGiveUp);
    EXPECT_NE(circle.why().find("circle"), std::string::npos) << circle.why();

    Dialer none = dialer("ws://127.0.0.1/0", {.redirects = {.most = 0}});
    none.start();
    EXPECT_EQ(none.failed(Answer::redirect("/1").failure()), Step::kGiveUp);
}

TEST(Dialer, CredentialsStayWithTheFirstOrigin) {
    const std::vector<std::pair<std::string, std::string>> fields{
        {"Authorization", "Bearer x"}, {"Cookie", "a=b"}, {"X-Kept", "1"}};
    Dialer d = dialer("ws://127.0.0.1/x", {.fields = fields});
    d.start();
    EXPECT_EQ(d.target().fields.size(), 3u);
    d.failed(Answer::redirect("/y").failure());
    EXPECT_EQ(d.target().fields.size(), 3u);
    d.failed(Answer::redirect("http://127.0.0.2/").failure());
    ASSERT_EQ(d.target().fields.size(), 1u);
    EXPECT_EQ(d.target().fields[0].first, "X-Kept");

    Dialer basic = dialer("ws://user:pass@127.0.0.1/x");
    basic.start();
    EXPECT_EQ(field(basic.target(), "Authorization"), "Basic dXNlcjpwYXNz");
    basic.failed(Answer::redirect("/y").failure());
    EXPECT_EQ(field(basic.target(), "Authorization"), "Basic dXNlcjpwYXNz");
    basic.failed(Answer::redirect("http://127.0.0.1:81/").failure());
    EXPECT_TRUE(basic.target().fields.empty());
    EXPECT_EQ(basic.url().text().find("user"), std::string::npos);
}

TEST(Dialer, AGivenAuthorizationGoesBeforeTheUrls) {
    Dialer d = dialer("ws://user:pass@127.0.0.1/x", {.fields = {{"authorization", "Bearer x"}}});
    ASSERT_EQ(d.target().fields.size(), 1u);
    EXPECT_EQ(d.target().fields[0].second, "Bearer x");
}

TEST(Dialer, AProxyIsConnectedToInsteadAndAskedForATunnel) {
    Dialer d = dialer("ws://server/x", {.proxy = Proxy{"127.0.0.1", 3128, "Basic eA=="}});
    ASSERT_EQ(d.start(), Step::kConnect);  // the server's name is the proxy's to resolve
    EXPECT_EQ(d.address(), at("127.0.0.1:3128"));
    EXPECT_EQ(d.target().tunnel.authority, "server:80");
    EXPECT_EQ(d.target().tunnel.credentials, "Basic eA==");
    EXPECT_EQ(d.target().host, "server");
    EXPECT_EQ(d.failed(Answer::redirect("http://elsewhere/").by_proxy().failure()), Step::kGiveUp);
    EXPECT_TRUE(d.why().starts_with("the proxy 127.0.0.1:3128 answered 302 Found")) << d.why();
}

TEST(Dialer, TheEnvironmentIsAskedForEachUrl) {
    const Environment environment = [](const char* name) -> const char* {
        if (std::string_view(name) == "http_proxy") return "http://127.0.0.9:3128";
        return std::string_view(name) == "no_proxy" ? "direct" : nullptr;
    };
    Dialer d = dialer("ws://server/x", {.environment = environment});
    ASSERT_EQ(d.start(), Step::kConnect);
    EXPECT_EQ(d.target().tunnel.authority, "server:80");
    ASSERT_EQ(d.failed(Answer::redirect("http://direct/").failure()), Step::kResolve);
    EXPECT_EQ(d.host(), "direct");
    EXPECT_TRUE(d.target().tunnel.authority.empty());
}

TEST(Dialer, WhatWouldBreakOutOfItsLineIsRefused) {
    const auto refused = [](DialOptions options) {
        const auto made = Dialer::create(*parse_url("ws://a/"), std::move(options));
        return !made && !made.error().message.empty();
    };
    EXPECT_TRUE(refused({.origin = "http://a\r\nX: y"}));
    EXPECT_TRUE(refused({.subprotocols = {"a\r\nX: y"}}));
    EXPECT_TRUE(refused({.subprotocols = {"a, b"}}));
    EXPECT_TRUE(refused({.subprotocols = {""}}));
    EXPECT_TRUE(refused({.fields = {{"X", "y\r\nZ: z"}}}));
    EXPECT_TRUE(refused({.fields = {{"X", std::string("y\0z", 3)}}}));
    EXPECT_TRUE(refused({.fields = {{"X: y\r\nZ", "z"}}}));
    EXPECT_TRUE(refused({.fields = {{"", "z"}}}));
    for (const char* own : {"Host", "upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Extensions",
                            "Content-Length", "Transfer-Encoding"})
        EXPECT_TRUE(refused({.fields = {{own, "x"}}})) << own;
    EXPECT_FALSE(refused({.fields = {{"X-Token", "a b; c\td"}}}));
    EXPECT_FALSE(Dialer::create(*parse_url("ws://a:%0d%0aX@b/"), {}));
}

}  // namespace
}  // namespace millrace::client
