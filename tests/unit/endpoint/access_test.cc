// Who may open a WebSocket, whom the application sees, and what is said of those who may not.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/endpoint/endpoint_pair.h"

namespace millrace {
namespace {

class AccessTest : public test::EndpointPair {
  protected:
    Raw ask(std::string_view path, std::string_view fields = "", std::string_view before = "") {
        Raw raw = connect_raw();
        say(raw, std::string(before) + upgrade_request(path, fields));
        return raw;
    }
    bool opens(std::string_view path, std::string_view fields = "", std::string_view before = "") {
        return ask(path, fields, before).got.find("HTTP/1.1 101 ") == 0;
    }
    // What /guarded says of the peer.
    std::string seen(std::string_view fields, std::string_view before = "") {
        const std::string got = ask("/guarded?name=bob", fields, before).got;
        const auto at = got.find(" at ");
        return at == got.npos ? got : got.substr(at + 4);
    }
};

TEST_F(AccessTest, AHandlerDecidesBeforeTheUpgradeAndKnowsLaterWhom) {
    start();
    EXPECT_TRUE(ask("/guarded?name=%62ob").got.find("hello b at ") != std::string::npos);
    Raw raw = ask("/guarded");
    EXPECT_TRUE(raw.got.starts_with("HTTP/1.1 401 ")) << raw.got;
    EXPECT_NE(raw.got.find("\r\nWWW-Authenticate: Bearer realm=\"names\"\r\n"), raw.got.npos);
    EXPECT_TRUE(raw.got.ends_with("who is it?\n"));
    raw.got.clear();
    say(raw, upgrade_request("/guarded?name=mallory"));
    EXPECT_TRUE(raw.got.starts_with("HTTP/1.1 403 ")) << raw.got;
    raw.got.clear();
    say(raw, upgrade_request("/guarded?name=ann"));  // RFC 9112 section 9.3: the connection persists
    EXPECT_NE(raw.got.find("hello a at "), raw.got.npos) << raw.got;
    EXPECT_EQ(server->counters().refused_unauthorised.value(), 1u);
    EXPECT_EQ(server->counters().refused_forbidden.value(), 1u);
    EXPECT_EQ(server->counters().handshake_failed.value(), 2u);
}

TEST_F(AccessTest, TokensAreAskedForAtEveryRoute) {
    EndpointConfig config;
    config.tokens.add("secret+1");
    config.tokens.add("other");
    start(config);
    EXPECT_FALSE(opens("/echo"));
    EXPECT_FALSE(opens("/echo?token=secret"));
    EXPECT_FALSE(opens("/echo?token="));
    EXPECT_FALSE(opens("/guarded?name=bob"));
    EXPECT_TRUE(opens("/echo?token=secret%2B1"));
    EXPECT_TRUE(opens("/echo", "Authorization: Bearer other\r\n"));
    EXPECT_TRUE(opens("/echo", "Cookie: a=b; token=other\r\n"));
    EXPECT_FALSE(opens("/echo?token=other", "Authorization: Bearer wrong\r\n"));
    EXPECT_TRUE(opens("/guarded?name=bob&token=other"));
    EXPECT_FALSE(opens("/guarded?token=other"));
    Raw page = connect_raw();
    say(page, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(page.got.ends_with("ok\n"));
}

TEST_F(AccessTest, TokensAreAskedForAtGuardedPages) {
    const auto figures = [this](Raw& raw, std::string_view query, std::string_view fields = "") {
        raw.got.clear();
        say(raw, fmt::format("GET /figures{} HTTP/1.1\r\nHost: a\r\n{}\r\n", query, fields));
        return raw.got;
    };
    EndpointConfig config;
    config.tokens.add("secret");
    start(config);
    Raw raw = connect_raw();
    EXPECT_TRUE(figures(raw, "").starts_with("HTTP/1.1 401 ")) << raw.got;
    EXPECT_NE(raw.got.find("\r\nWWW-Authenticate: Bearer"), raw.got.npos);
    EXPECT_TRUE(figures(raw, "?token=wrong").starts_with("HTTP/1.1 401 ")) << raw.got;
    EXPECT_TRUE(figures(raw, "?token=secret").ends_with("\r\n\r\n3\n")) << raw.got;
    EXPECT_TRUE(figures(raw, "", "Authorization: Bearer secret\r\n").ends_with("\r\n\r\n3\n")) << raw.got;
    EXPECT_EQ(server->counters().refused_unauthorised.value(), 2u);
    start();
    raw = connect_raw();
    EXPECT_TRUE(figures(raw, "").ends_with("\r\n\r\n3\n")) << raw.got;
}

TEST_F(AccessTest, ThePeerIsTheCarriersUnlessAProxyIsTrusted) {
    start();
    const std::string bare = seen("X-Forwarded-For: 1.2.3.4\r\n");
    EXPECT_EQ(bare, net::to_string(net::SocketAddress{}));
    EndpointConfig config;
    config.forwarded.trusted = {net::Cidr{net::IpAddress(), 128}, *net::parse_cidr("10.0.0.0/8")};
    start(config);
    EXPECT_EQ(seen("X-Forwarded-For: 9.9.9.9, 1.2.3.4, 10.1.1.1\r\n"), "1.2.3.4:0");
    EXPECT_EQ(seen(""), net::to_string(net::SocketAddress{}));
    // One connection of a proxy carries the requests of many.
    Raw raw = ask("/guarded", "X-Forwarded-For: 1.1.1.1\r\n");
    say(raw, upgrade_request("/guarded?name=bob", "X-Forwarded-For: 2.2.2.2\r\n"));
    EXPECT_TRUE(raw.got.ends_with(" at 2.2.2.2:0")) << raw.got;
}

TEST_F(AccessTest, ProxyProtocolNamesThePeerAndIsAskedFor) {
    using namespace std::string_literals;
    const std::string text = "PROXY TCP4 1.2.3.4 5.6.7.8 1111 80\r\n";
    const std::string binary = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\1\2\3\4\5\6\7\x08\0\x50\0\x51"s;
    for (const std::size_t piece : {1u, 5u, 100'000u}) {
        SCOPED_TRACE(piece);
        EndpointConfig config;
        config.proxy_protocol = true;
        start(config);
        server_side.piece = piece;
        EXPECT_EQ(seen("", text), "1.2.3.4:1111");
        EXPECT_EQ(seen("", binary), "1.2.3.4:80");
        EXPECT_EQ(seen("X-Forwarded-For: 9.9.9.9\r\n", text), "1.2.3.4:1111");
        EXPECT_EQ(seen("", "PROXY UNKNOWN\r\n"), net::to_string(net::SocketAddress{}));
        Raw without = ask("/echo");
        EXPECT_TRUE(without.closed);
        EXPECT_EQ(without.got, "");
        Raw half = connect_raw();
        say(half, text.substr(0, 20));
        now += 10s;
        run_raw(half);
        EXPECT_EQ(half.got, "");  // no HTTP was spoken yet
        EXPECT_TRUE(half.ended);
        Raw page = connect_raw();
        say(page, text + "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_NE(page.got.find("ok\nHTTP/1.1 200 "), page.got.npos) << page.got;
        server_side = test::MemoryCarrier();
        client_side = test::MemoryCarrier();
    }
}

TEST_F(AccessTest, RefusalsAreToldABoundedNumberASecond) {
    start();
    RefusalLog log;
    server->log_refusals(log);
    Raw raw = ask("/echo?token=secret", "Origin: http://evil.example\r\n");
    EXPECT_TRUE(raw.got.starts_with("HTTP/1.1 403 ")) << raw.got;
    Refusal refusal;
    ASSERT_TRUE(log.pop(refusal));
    EXPECT_EQ(refusal.status, 403);
    EXPECT_EQ(refusal.path.view(), "/echo");  // without the query, where secrets are
    EXPECT_EQ(refusal.origin.view(), "http://evil.example");
    EXPECT_EQ(refusal.why.view(), "pages of this Origin may not connect (RFC 6455 section 10.2)");
    EXPECT_FALSE(log.pop(refusal));
    for (int i = 0; i < 30; ++i) {
        Raw bad = connect_raw();
        say(bad, "NONSENSE\r\n\r\n");
    }
    int told = 0;
    while (log.pop(refusal)) {
        ++told;
        EXPECT_EQ(refusal.status, 400);
        EXPECT_EQ(refusal.path.view(), "");
    }
    EXPECT_EQ(told, 9);
    now += 1s;
    Raw more = ask("/nowhere", "Origin: http://" + std::string(300, 'x') + "\r\n");
    ASSERT_TRUE(log.pop(refusal));
    EXPECT_EQ(refusal.untold, 21u);
    EXPECT_EQ(refusal.origin.view().size(), 119u);
}

}  // namespace
}  // namespace millrace
