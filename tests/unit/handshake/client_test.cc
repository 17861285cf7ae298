// RFC 6455 section 4.1: what a client sends, and what it must refuse.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/handshake/handshake.h"
#include "tests/unit/handshake/response_cases.h"

namespace millrace::ws {
namespace {

using test::full;
using test::kKey;
using test::kResponseCases;
using test::ResponseCase;

std::string written(const ClientRequest& request, std::size_t room = 1024) {
    std::vector<char> out(room);
    return {out.data(), write_client_request(out, request)};
}

TEST(ClientRequest, HasWhatTheRfcAsksFor) {
    EXPECT_EQ(
        written({.host = "server.example.com", .target = "/chat?x=1", .key = kKey}),
        "GET /chat?x=1 HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
}

TEST(ClientRequest, NamesOriginSubprotocolsAndExtras) {
    const std::vector<std::string> subprotocols{"chat", "superchat"};
    const http::Field extra[] = {{"Authorization", "Bearer x"}};
    const std::string text = written(
        {.host = "a", .key = kKey, .origin = "http://b", .subprotocols = subprotocols, .extra = extra});
    EXPECT_NE(text.find("\r\nOrigin: http://b\r\n"), std::string::npos);
    EXPECT_NE(text.find("\r\nSec-WebSocket-Protocol: chat, superchat\r\n"), std::string::npos);
    EXPECT_NE(text.find("\r\nAuthorization: Bearer x\r\n"), std::string::npos);
}

TEST(ClientRequest, IsAcceptedByOurServer) {
    const std::vector<std::string> subprotocols{"chat"};
    const std::string text =
        written({.host = "a:1", .key = kKey, .origin = "http://a:1", .subprotocols = subprotocols});
    http::Request request;
    ASSERT_TRUE(http::parse_request(text, request, http::Limits{}).complete());
    const UpgradePolicy policy{.origins = {}, .subprotocols = {"chat"}};
    const Judgement judgement = judge(request, policy);
    ASSERT_EQ(judgement.verdict, Verdict::kUpgrade) << judgement.why;
    std::vector<char> out(512);
    const std::size_t size = write_switching_protocols(out, judgement);
    http::Response response;
    ASSERT_TRUE(http::parse_response({out.data(), size}, response, http::Limits{}).complete());
    EXPECT_EQ(check_response(response, {.host = "a:1", .key = kKey, .subprotocols = subprotocols}).why, "");
}

TEST(ClientRequest, RefusesWhatWouldBreakOutOfItsLine) {
    EXPECT_EQ(written({.host = "a\r\nX: y", .key = kKey}), "");
    EXPECT_EQ(written({.host = "", .key = kKey}), "");
    for (const char* key : {"", "short", "dGhlIHNhbXBsZSBub25jZQ==\r\nX: y"})
        EXPECT_EQ(written({.host = "a", .key = key}), "") << key;
    for (const char* target : {"", "x", "/a b", "/\r\nX: y", "/\xc3\xa9", "/#x"})
        EXPECT_EQ(written({.host = "a", .target = target, .key = kKey}), "") << target;
    const std::vector<std::string> subprotocols{"a, b"};
    EXPECT_EQ(written({.host = "a", .key = kKey, .subprotocols = subprotocols}), "");
    const http::Field extra[] = {{"X", "y\r\nZ: z"}};
    EXPECT_EQ(written({.host = "a", .key = kKey, .extra = extra}), "");
}

TEST(ClientRequest, FitsExactlyOrNotAtAll) {
    const ClientRequest request{.host = "a", .key = kKey};
    const std::string whole = written(request);
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_EQ(written(request, size), "") << size;
    EXPECT_EQ(written(request, whole.size()), whole);
}

class CheckResponse : public ::testing::TestWithParam<ResponseCase> {};

TEST_P(CheckResponse, EstablishesOrSaysWhyNot) {
    const ResponseCase& c = GetParam();
    http::Response response;
    ASSERT_TRUE(http::parse_response(c.head, response, http::Limits{}).complete());
    const std::vector<std::string> subprotocols{"chat", "superchat"};
    const std::string_view why =
        check_response(response, {.host = "a", .key = kKey, .subprotocols = subprotocols}).why;
    EXPECT_EQ(why.empty(), c.established) << why;
}

INSTANTIATE_TEST_SUITE_P(Section4_1, CheckResponse, ::testing::ValuesIn(kResponseCases),
                         [](const auto& tested) { return std::string(tested.param.what); });

TEST(CheckResponse, RefusesAnythingForAKeyThatIsNone) {
    http::Response response;
    const std::string text = full("");
    ASSERT_TRUE(http::parse_response(text, response, http::Limits{}).complete());
    EXPECT_NE(check_response(response, {.host = "a", .key = "short"}).why, "");
}

TEST(CheckResponse, RefusesAnySubprotocolWhenNoneWasOffered) {
    http::Response response;
    const std::string text = full("Sec-WebSocket-Protocol: chat\r\n");
    ASSERT_TRUE(http::parse_response(text, response, http::Limits{}).complete());
    EXPECT_NE(check_response(response, {.host = "a", .key = kKey}).why, "");
}

}  // namespace
}  // namespace millrace::ws
