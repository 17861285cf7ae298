// RFC 6455 section 4.1: what a client sends, and what it must refuse.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/handshake/handshake.h"

namespace millrace::ws {
namespace {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr const char* kStatus = "HTTP/1.1 101 Switching Protocols\r\n";
constexpr const char* kUpgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
constexpr const char* kAccept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

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

struct Case {
    const char* what;
    std::string head;
    bool established;
};

std::string answer(std::string_view fields) {
    return kStatus + std::string(fields) + "\r\n";
}

std::string full(std::string_view more) {
    return answer(std::string(kUpgrade) + kAccept + std::string(more));
}

const Case kCases[] = {
    {"TheExample", full(""), true},
    {"OtherFieldsAndReason",
     "HTTP/1.1 101 WebSocket\r\nServer: x\r\n" + std::string(kUpgrade) + kAccept + "\r\n", true},
    {"AnyCase",
     answer("UPGRADE: WebSocket\r\nCONNECTION: keep-alive, UPGRADE\r\nsec-websocket-accept: "
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
     true},
    {"AcceptWithSpace",
     answer(std::string(kUpgrade) + "Sec-WebSocket-Accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n"), true},
    {"Status200", "HTTP/1.1 200 OK\r\n" + std::string(kUpgrade) + kAccept + "\r\n", false},
    {"Status302", "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", false},
    {"Http10", "HTTP/1.0 101 Switching Protocols\r\n" + std::string(kUpgrade) + kAccept + "\r\n", false},
    {"NoUpgrade", answer("Connection: Upgrade\r\n" + std::string(kAccept)), false},
    {"OtherUpgrade", answer("Upgrade: h2c\r\nConnection: Upgrade\r\n" + std::string(kAccept)), false},
    {"UpgradeList", answer("Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n" + std::string(kAccept)),
     false},
    {"TwoUpgrades", full("Upgrade: websocket\r\n"), false},
    {"NoConnection", answer("Upgrade: websocket\r\n" + std::string(kAccept)), false},
    {"ConnectionClose", answer("Upgrade: websocket\r\nConnection: close\r\n" + std::string(kAccept)), false},
    {"NoAccept", answer(kUpgrade), false},
    {"EmptyAccept", answer(std::string(kUpgrade) + "Sec-WebSocket-Accept:\r\n"), false},
    {"OtherAccept", answer(std::string(kUpgrade) + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n"),
     false},
    {"AcceptInOtherCase",
     answer(std::string(kUpgrade) + "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), false},
    {"AcceptTooLong",
     answer(std::string(kUpgrade) + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=x\r\n"), false},
    {"KeyEchoed", answer(std::string(kUpgrade) + "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
     false},
    {"TwoAccepts", full(kAccept), false},
    {"Extension", full("Sec-WebSocket-Extensions: permessage-deflate\r\n"), false},
    {"OfferedSubprotocol", full("Sec-WebSocket-Protocol: chat\r\n"), true},
    {"OtherOfferedSubprotocol", full("Sec-WebSocket-Protocol: superchat\r\n"), true},
    {"UnofferedSubprotocol", full("Sec-WebSocket-Protocol: soap\r\n"), false},
    {"SubprotocolInOtherCase", full("Sec-WebSocket-Protocol: Chat\r\n"), false},
    {"SubprotocolList", full("Sec-WebSocket-Protocol: chat, superchat\r\n"), false},
    {"EmptySubprotocol", full("Sec-WebSocket-Protocol:\r\n"), false},
    {"TwoSubprotocols", full("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"), false},
};

class CheckResponse : public ::testing::TestWithParam<Case> {};

TEST_P(CheckResponse, EstablishesOrSaysWhyNot) {
    const Case& c = GetParam();
    http::Response response;
    ASSERT_TRUE(http::parse_response(c.head, response, http::Limits{}).complete());
    const std::vector<std::string> subprotocols{"chat", "superchat"};
    const std::string_view why =
        check_response(response, {.host = "a", .key = kKey, .subprotocols = subprotocols}).why;
    EXPECT_EQ(why.empty(), c.established) << why;
}

INSTANTIATE_TEST_SUITE_P(Section4_1, CheckResponse, ::testing::ValuesIn(kCases),
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
