// RFC 6455 section 4.2: judge_cases.h, the policies, and what is answered.

#include <gtest/gtest.h>

#include <string>

#include "engine/handshake/handshake.h"
#include "tests/unit/handshake/judge_cases.h"

namespace millrace::ws {
namespace {

using test::JudgeCase;
using test::kJudgeCases;
using test::kOrdinary;
using test::request_text;
using test::with;

http::Request parsed(const std::string& text) {
    http::Request request;
    const auto result = http::parse_request(text, request, http::Limits{});
    EXPECT_TRUE(result.complete()) << result.why << " in " << text;
    return request;
}

UpgradePolicy policy_of(std::vector<std::string> origins, std::vector<std::string> subprotocols = {}) {
    return {.origins = std::move(origins), .subprotocols = std::move(subprotocols)};
}

class JudgeTable : public ::testing::TestWithParam<JudgeCase> {};

TEST_P(JudgeTable, HasItsVerdict) {
    const JudgeCase& c = GetParam();
    const std::string text = request_text(c.request_line, c.fields);
    const Judgement judgement = judge(parsed(text), policy_of({}, {"chat"}));
    const Verdict expected = c.status == kOrdinary ? Verdict::kOrdinary
                             : c.status == 101     ? Verdict::kUpgrade
                                                   : Verdict::kReject;
    EXPECT_EQ(judgement.verdict, expected) << judgement.why;
    EXPECT_EQ(judgement.status, c.status) << judgement.why;
    EXPECT_EQ(*judgement.why != '\0', expected == Verdict::kReject);
}

INSTANTIATE_TEST_SUITE_P(Sections, JudgeTable, ::testing::ValuesIn(kJudgeCases), [](const auto& tested) {
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
