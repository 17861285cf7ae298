// RFC 6455 section 4.2.1 and RFC 9110 section 7.8 as a table of header lines.

#include <gtest/gtest.h>

#include <string>

#include "engine/handshake/handshake.h"

namespace millrace::ws {
namespace {

struct Case {
    const char* rule;
    std::string fields;
    int status;  // 101: upgrade; 0: an ordinary request
    const char* request_line = "GET /echo HTTP/1.1";
};

constexpr int kOrdinary = 0;

constexpr const char* kUpgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
constexpr const char* kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr const char* kVersion = "Sec-WebSocket-Version: 13\r\n";

std::string upgraded_by(std::string_view upgrade) {
    return std::string(upgrade) + kKey + kVersion;
}

std::string with_key(std::string_view key) {
    return kUpgrade + std::string(key) + kVersion;
}

std::string with_version(std::string_view version) {
    return std::string(kUpgrade) + kKey + std::string(version);
}

std::string with(std::string_view fields) {
    return std::string(kUpgrade) + kKey + kVersion + std::string(fields);
}

const Case kCases[] = {
    // Upgrade and Connection are lists, in any case, over any number of lines
    {"Rfc9110_7_8", upgraded_by("Upgrade: websocket\r\nConnection: Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("upgrade: WebSocket\r\nconnection: UPGRADE\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: websocket\r\nConnection: keep-alive\r\nConnection: upgrade\r\n"),
     101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: example/1, websocket, foo/2\r\nConnection: Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: example/1,websocket\r\nConnection: Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: example/1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: , websocket\t,\r\nConnection: ,upgrade,\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: h2c\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Upgrade: example/1, foo/2\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Upgrade: websocket/13\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Upgrade: websockets\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Upgrade:\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Connection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by(""), kOrdinary},
    {"Rfc9110_7_8", "", kOrdinary},
    {"Rfc9110_7_8", upgraded_by(kUpgrade), kOrdinary, "GET /echo HTTP/1.0"},
    {"Rfc6455_4_2_1_4", upgraded_by("Upgrade: websocket\r\n"), 400},
    {"Rfc6455_4_2_1_4", upgraded_by("Upgrade: websocket\r\nConnection: close\r\n"), 400},
    {"Rfc6455_4_2_1_4", upgraded_by("Upgrade: websocket\r\nConnection: upgraded\r\n"), 400},

    // Request line
    {"Rfc6455_4_2_1_1", with(""), 101, "GET /a/b?c=d HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with(""), 101, "GET ws://server.example.com/echo HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with(""), 405, "POST /echo HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with(""), 405, "HEAD /echo HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with(""), 405, "get /echo HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with("Content-Length: 0\r\n"), 101},
    {"Rfc6455_4_2_1_1", with("Content-Length: 5\r\n"), 400},
    {"Rfc6455_4_2_1_1", with("Transfer-Encoding: chunked\r\n"), 400},

    // Sec-WebSocket-Key
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key:   dGhlIHNhbXBsZSBub25jZQ==  \r\n"), 101},
    {"Rfc6455_4_2_1_5", with_key("SEC-WEBSOCKET-KEY: ++//AAAAAAAAAAAAAAAAAA==\r\n"), 101},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAz==\r\n"), 101},
    {"Rfc6455_4_2_1_5", with_key(""), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key:\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== x\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNh XBsZSBub25jZQ==\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhl-HNhbXBsZSBub25jZQ==\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhl=HNhbXBsZSBub25jZQ==\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key(std::string(kKey) + kKey), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: " + std::string(4000, 'A') + "==\r\n"), 400},

    // Sec-WebSocket-Version
    {"Rfc6455_4_4", with_version(""), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version:\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 8\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 14\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 013\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 130\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 13;q=1\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 8, 13\r\n"), 101},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 25\r\nSec-WebSocket-Version: 13, 8\r\n"), 101},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 8\r\nSec-WebSocket-Version: 7\r\n"), 426},

    // Sec-WebSocket-Protocol
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: chat\r\n"), 101},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: unknown, other\r\n"), 101},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: a,,b\r\n"), 101},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol:\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: ,\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: chat room\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: \"chat\"\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: chat, a/b\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: x=1\r\n"), 400},

    // Extensions that we do not speak are left out of the answer
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"), 101},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: x-a, x-b; y=\"z\"\r\n"), 101},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: x-a; y=\"z, z\"\r\n"), 400},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: permessage-deflate; =1\r\n"), 400},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: x-a;\r\n"), 400},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: x a\r\n"), 400},

    // Origin, with the default policy
    {"Rfc6455_10_2", with("Origin: http://server.example.com\r\n"), 101},
    {"Rfc6455_10_2", with("Origin: https://SERVER.example.COM\r\n"), 101},
    {"Rfc6455_10_2", with("Origin: http://example.com\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com:81\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com.evil.org\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://evil.org/server.example.com\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com@evil.org\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com/\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: server.example.com\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: null\r\n"), 403},
    {"Rfc6455_10_2", with("Origin:\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com\r\nOrigin: http://server.example.com\r\n"), 400},
};

http::Request parsed(const std::string& text) {
    http::Request request;
    const auto result = http::parse_request(text, request, http::Limits{});
    EXPECT_TRUE(result.complete()) << result.why << " in " << text;
    return request;
}

std::string request_text(std::string_view line, std::string_view fields) {
    return std::string(line) + "\r\nHost: server.example.com\r\n" + std::string(fields) + "\r\n";
}

UpgradePolicy policy_of(std::vector<std::string> origins, std::vector<std::string> subprotocols = {}) {
    return {.origins = std::move(origins), .subprotocols = std::move(subprotocols)};
}

class JudgeTable : public ::testing::TestWithParam<Case> {};

TEST_P(JudgeTable, HasItsVerdict) {
    const Case& c = GetParam();
    const std::string text = request_text(c.request_line, c.fields);
    const Judgement judgement = judge(parsed(text), policy_of({}, {"chat"}));
    const Verdict expected = c.status == kOrdinary ? Verdict::kOrdinary
                             : c.status == 101     ? Verdict::kUpgrade
                                                   : Verdict::kReject;
    EXPECT_EQ(judgement.verdict, expected) << judgement.why;
    EXPECT_EQ(judgement.status, c.status) << judgement.why;
    EXPECT_EQ(*judgement.why != '\0', expected == Verdict::kReject);
}

INSTANTIATE_TEST_SUITE_P(Sections, JudgeTable, ::testing::ValuesIn(kCases), [](const auto& tested) {
    return std::string(tested.param.rule) + "_Case" + std::to_string(tested.index);
});

int status_for_origin(std::vector<std::string> origins, const std::string& fields) {
    const std::string text = request_text("GET / HTTP/1.1", with(fields));
    return judge(parsed(text), policy_of(std::move(origins))).status;
}

TEST(Origin, IsComparedWithTheAllowedOnesWithoutCase) {
    const std::vector<std::string> allowed{"https://a.example", "http://b.example:8080"};
    EXPECT_EQ(status_for_origin(allowed, "Origin: https://a.example\r\n"), 101);
    EXPECT_EQ(status_for_origin(allowed, "Origin: HTTPS://A.Example\r\n"), 101);
    EXPECT_EQ(status_for_origin(allowed, "Origin: http://b.example:8080\r\n"), 101);
    EXPECT_EQ(status_for_origin(allowed, "Origin: http://a.example\r\n"), 403);
    EXPECT_EQ(status_for_origin(allowed, "Origin: http://b.example\r\n"), 403);
    EXPECT_EQ(status_for_origin(allowed, "Origin: http://server.example.com\r\n"), 403);
    EXPECT_EQ(status_for_origin(allowed, "Origin: null\r\n"), 403);
    EXPECT_EQ(status_for_origin(allowed, ""), 101);
}

TEST(Origin, StarAllowsAll) {
    EXPECT_EQ(status_for_origin({"*"}, "Origin: http://anywhere\r\n"), 101);
    EXPECT_EQ(status_for_origin({"*"}, "Origin: null\r\n"), 101);
    EXPECT_EQ(status_for_origin({"null"}, "Origin: null\r\n"), 101);
}

TEST(Origin, IsComparedWithTheTargetsHostWhereThatPrevails) {
    const std::string text = "GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n" +
                             with("Origin: http://a.example\r\n") + "\r\n";
    EXPECT_EQ(judge(parsed(text), {}).status, 101);
}

std::string_view chosen(const UpgradePolicy& policy, const std::string& fields) {
    return judge(parsed(request_text("GET / HTTP/1.1", with(fields))), policy).subprotocol;
}

// Section 4.1: the client lists its subprotocols by preference; section 4.2.2: the server selects one of
// them.
TEST(Subprotocol, IsTheFirstOfTheClientsThatWeSpeak) {
    const UpgradePolicy policy = policy_of({}, {"superchat", "chat"});
    EXPECT_EQ(chosen(policy, "Sec-WebSocket-Protocol: soap, chat, superchat\r\n"), "chat");
    EXPECT_EQ(chosen(policy, "Sec-WebSocket-Protocol: soap\r\nSec-WebSocket-Protocol: superchat\r\n"),
              "superchat");
    EXPECT_EQ(chosen(policy, "Sec-WebSocket-Protocol: Chat\r\n"), "");  // compared with case
    EXPECT_EQ(chosen(policy, "Sec-WebSocket-Protocol: cha\r\n"), "");
    EXPECT_EQ(chosen(policy, ""), "");
    EXPECT_EQ(chosen({}, "Sec-WebSocket-Protocol: chat\r\n"), "");
    const std::string_view name = chosen(policy, "Sec-WebSocket-Protocol: chat\r\n");
    EXPECT_EQ(name.data(), policy.subprotocols[1].data());  // outlives the request
}

std::string written(std::size_t size, const std::vector<char>& out) {
    return {out.data(), size};
}

// Section 1.3 gives this exchange.
TEST(SwitchingProtocols, IsTheAnswerOfTheRfcsExample) {
    const std::string text =
        request_text("GET /chat HTTP/1.1", with("Sec-WebSocket-Protocol: chat, superchat\r\n"));
    const UpgradePolicy policy = policy_of({}, {"chat"});
    const http::Request request = parsed(text);
    const Judgement judgement = judge(request, policy);
    std::vector<char> out(512);
    const std::string answer = written(write_switching_protocols(out, judgement), out);
    EXPECT_EQ(answer,
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
    for (std::size_t size = 0; size < answer.size(); ++size) {
        std::vector<char> small(size);
        EXPECT_EQ(write_switching_protocols(small, judgement), 0u) << size;
    }
}

TEST(SwitchingProtocols, AnswersAnUpgradeOnly) {
    std::vector<char> out(512);
    EXPECT_EQ(write_switching_protocols(out, Judgement{}), 0u);
    EXPECT_EQ(write_switching_protocols(out, Judgement{.verdict = Verdict::kReject, .status = 400}), 0u);
}

std::string rejection(int status, bool keep_alive) {
    std::vector<char> out(512);
    const Judgement judgement{.verdict = Verdict::kReject, .status = status, .why = "because"};
    return written(write_rejection(out, judgement, "", keep_alive), out);
}

TEST(Rejection, SaysWhatItsStatusCallsFor) {
    EXPECT_EQ(
        rejection(426, true),
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: "
        "Upgrade\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 8\r\n\r\nbecause\n");
    EXPECT_NE(rejection(426, false).find("\r\nConnection: Upgrade, close\r\n"), std::string::npos);
    EXPECT_NE(rejection(405, true).find("\r\nAllow: GET\r\n"), std::string::npos);
    EXPECT_EQ(rejection(403, true).find("Connection"), std::string::npos);
    EXPECT_NE(rejection(403, false).find("\r\nConnection: close\r\n"), std::string::npos);
    const std::string whole = rejection(400, false);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        std::vector<char> small(size);
        const Judgement judgement{.verdict = Verdict::kReject, .status = 400, .why = "because"};
        EXPECT_EQ(write_rejection(small, judgement, "", false), 0u) << size;
    }
}

}  // namespace
}  // namespace millrace::ws
