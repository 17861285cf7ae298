// RFC 9110 section 9.3.6: CONNECT, the client's half.

#include "engine/handshake/tunnel.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::ws {
namespace {

std::string written(std::string_view authority, std::string_view credentials = {}, std::size_t room = 512) {
    std::vector<char> out(room);
    return {out.data(), write_connect_request(out, authority, credentials)};
}

TEST(ConnectRequest, NamesTheServerAsTargetAndHost) {
    EXPECT_EQ(written("server:80"), "CONNECT server:80 HTTP/1.1\r\nHost: server:80\r\n\r\n");
    EXPECT_EQ(written("[::1]:443", "Basic eA=="),
              "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic eA==\r\n\r\n");
}

TEST(ConnectRequest, IsAProperRequest) {
    http::Request request;
    const std::string text = written("server:80");
    ASSERT_TRUE(http::parse_request(text, request, http::Limits{}).complete());
    EXPECT_EQ(request.host, "server:80");
}

TEST(ConnectRequest, RefusesWhatWouldBreakOutOfItsLine) {
    for (const char* authority : {"", "a b:80", "a:80\r\nX: y", "a:80/x", "u@a:80", "a:x"})
        EXPECT_EQ(written(authority), "") << authority;
    EXPECT_EQ(written("a:80", "x\r\nY: z"), "");
    const std::string whole = written("a:80");
    for (std::size_t room = 0; room < whole.size(); ++room)
        EXPECT_EQ(written("a:80", {}, room), "");
}

TEST(ConnectResponse, Any2xxOpensTheTunnel) {
    http::Response response;
    for (int status = 100; status < 600; ++status) {
        response.status = status;
        EXPECT_EQ(check_connect_response(response, false).empty(), status / 100 == 2) << status;
    }
    response.status = 407;
    EXPECT_NE(check_connect_response(response, false), check_connect_response(response, true));
}

}  // namespace
}  // namespace millrace::ws
