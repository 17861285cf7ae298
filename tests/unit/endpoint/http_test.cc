// Ordinary HTTP on a server's port: content, expectations, methods, answers that wait for room, time limits.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/endpoint/endpoint_pair.h"

namespace millrace {
namespace {

using test::as_bytes;
using ws::Opcode;

class HttpTest : public test::EndpointPair {
  protected:
    static std::string request(std::string_view line, std::string_view fields = "",
                               std::string_view content = "") {
        return std::string(line) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" +
               std::string(content);
    }
    static const inline std::string kGet = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

    static std::size_t count(const std::string& text, std::string_view what) {
        std::size_t found = 0;
        for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1))
            ++found;
        return found;
    }
    // The statuses of the answers in `got`, in order.
    static std::vector<int> statuses(const std::string& got) {
        std::vector<int> found;
        for (auto at = got.find("HTTP/1.1 "); at != got.npos; at = got.find("HTTP/1.1 ", at + 1))
            found.push_back(std::stoi(got.substr(at + 9, 3)));
        return found;
    }
    // What is answered to `text` in pieces of every size.
    void expect(std::string_view text, const std::vector<int>& answers, bool ended) {
        for (const std::size_t piece : {1u, 2u, 7u, 100u, 100'000u}) {
            server_side.piece = piece;
            Raw raw = connect_raw();
            ASSERT_TRUE(write_bytes(client_side, raw.id, as_bytes(text)));
            run_raw(raw, 8);
            EXPECT_EQ(statuses(raw.got), answers)
                << testing::PrintToString(text) << " in pieces of " << piece;
            EXPECT_EQ(raw.ended, ended) << testing::PrintToString(text) << " in pieces of " << piece;
        }
    }
};

TEST_F(HttpTest, Rfc9112_6_3_ContentIsReadPastAndTheConnectionGoesOn) {
    start();
    expect(request("POST /", "Content-Length: 3\r\n", "GET") + kGet, {405, 200}, false);
    expect(request("GET /healthz", "Content-Length: 5\r\n", "hello") + kGet, {200, 200}, false);
    expect(request("PUT /no", "Transfer-Encoding: chunked\r\n", "5\r\nGET /\r\n0\r\nX: y\r\n\r\n") + kGet,
           {404, 200}, false);
    expect(request("POST /", "Content-Length: 0\r\n") + kGet, {405, 200}, false);
    expect(request("POST /", "Content-Length: 3\r\nConnection: close\r\n", "abc"), {405}, true);
}

TEST_F(HttpTest, Rfc9110_15_5_14_TooMuchContentIs413AndTheEnd) {
    EndpointConfig config;
    config.http.body_bytes = 50;
    start(config);
    expect(request("POST /", "Content-Length: 50\r\n", std::string(50, 'x')) + kGet, {405, 200}, false);
    expect(request("POST /", "Content-Length: 51\r\n", std::string(51, 'x')) + kGet, {413}, true);
    expect(request("POST /", "Content-Length: 99999999999999\r\n"), {413}, true);
    expect(request("POST /", "Transfer-Encoding: chunked\r\n", "33\r\n"), {413}, true);
}

TEST_F(HttpTest, Rfc9112_7_1_BadChunksAre400AndTheEnd) {
    start();
    for (const std::string content : {"x\r\n", "1\nx", "1\r\nxx\r\n", "0\r\n\n"})
        expect(request("POST /", "Transfer-Encoding: chunked\r\n", content) + kGet, {400}, true);
    // RFC 9112 section 6.1: what frames the content twice is an attempt to smuggle.
    expect(request("POST /", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), {400},
           true);
}

TEST_F(HttpTest, Rfc9110_10_1_1_ContinueComesBeforeTheContent) {
    start();
    Raw raw = connect_raw();
    say(raw, request("PUT /", "Expect: 100-continue\r\nContent-Length: 3\r\n"));
    EXPECT_EQ(raw.got, "HTTP/1.1 100 Continue\r\n\r\n");
    say(raw, "abc");
    EXPECT_EQ(statuses(raw.got), (std::vector{100, 405}));
    raw.got.clear();
    say(raw, request("PUT /", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_EQ(statuses(raw.got), (std::vector{100}));
    say(raw, "1\r\na\r\n0\r\n\r\n" + kGet);
    EXPECT_EQ(statuses(raw.got), (std::vector{100, 405, 200}));
    raw.got.clear();
    // It may be left out when the content has begun to come, and for HTTP/1.0 it must be.
    say(raw, request("PUT /", "Expect: 100-continue\r\nContent-Length: 3\r\n", "a"));
    EXPECT_EQ(raw.got, "");
    say(raw, "bc");
    EXPECT_EQ(statuses(raw.got), (std::vector{405}));
    Raw old = connect_raw();
    say(old, "PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(old.got, "");
}

TEST_F(HttpTest, Rfc9110_10_1_1_WhatIsNotReadIsRefusedInsteadOfContinued) {
    start();
    expect(request("PUT /", "Expect: 100-continue\r\nContent-Length: 1000000\r\n"), {413}, true);
    expect(request("PUT /", "Expect: lunch\r\nContent-Length: 3\r\n"), {417}, true);
}

TEST_F(HttpTest, Rfc9110_9_1_MethodsAreAnsweredByWhatIsKnownOfThem) {
    start();
    expect(request("OPTIONS *") + kGet, {204, 200}, false);
    expect(request("OPTIONS http://a"), {204}, false);
    expect(request("OPTIONS /"), {204}, false);
    expect(request("OPTIONS /no"), {404}, false);
    expect(request("BREW /") + kGet, {501, 200}, false);
    expect(request("get /"), {501}, false);  // section 9.1: methods are case-sensitive
    expect(request("DELETE /"), {405}, false);
    expect(request("TRACE /"), {405}, false);
    expect("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", {501}, false);
    expect(request("GET http://a/healthz?x"), {200}, false);  // RFC 9112 section 3.2.2
    Raw raw = connect_raw();
    say(raw, request("PATCH /"));
    EXPECT_NE(raw.got.find("\r\nAllow: GET, HEAD, OPTIONS\r\n"), raw.got.npos);
}

TEST_F(HttpTest, Rfc9110_15_5_22_AWebSocketsPathNamesItsProtocol) {
    start();
    Raw raw = connect_raw();
    say(raw, request("GET /echo") + kGet);
    EXPECT_EQ(statuses(raw.got), (std::vector{426, 200}));
    EXPECT_NE(raw.got.find("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"), raw.got.npos) << raw.got;
}

TEST_F(HttpTest, PipelinedAnswersThatFindNoRoomWaitForIt) {
    constexpr int kRequests = 40;
    for (const std::size_t piece : {100u, 1448u, 100'000u}) {
        SCOPED_TRACE(piece);
        EndpointConfig config;
        config.send_limit = 2 * kLongPage;
        start(config);
        server_side.piece = piece;
        server_side.send_limit = 3 * kLongPage;
        Raw raw = connect_raw();
        std::string all;
        for (int i = 0; i < kRequests; ++i)
            all += request("GET /long") + request("POST /", "Content-Length: 3\r\n", "abc");
        server_side.peer_reads = false;
        say(raw, all + request("GET /healthz", "Connection: close\r\n"));
        EXPECT_LE(server_side.unsent(net::ConnId{0}), 4 * kLongPage);
        EXPECT_TRUE(server_side.paused(net::ConnId{0}));
        server_side.peer_reads = true;
        run_raw(raw, 3 * kRequests);
        EXPECT_EQ(statuses(raw.got).size(), 2u * kRequests + 1);
        EXPECT_EQ(count(raw.got, "\r\n\r\n" + std::string(kLongPage, 'l') + "HTTP/1.1 405"),
                  std::size_t{kRequests});
        EXPECT_TRUE(raw.got.ends_with("ok\n"));
        EXPECT_TRUE(raw.ended);
        server_side = test::MemoryCarrier();
        client_side = test::MemoryCarrier();
    }
}

// The carrier refuses though the connection has nothing unsent: its pool is dry.
TEST_F(HttpTest, AnAnswerThatFindsNoMemoryIsOwed) {
    start();
    for (const std::size_t piece : {1u, 100'000u}) {
        server_side.piece = piece;
        Raw raw = connect_raw();
        server_side.pool_dry = true;
        say(raw, request("POST /", "Content-Length: 3\r\n", "abc") + kGet + kGet);
        EXPECT_EQ(raw.got, "");
        server_side.pool_dry = false;
        run_raw(raw, 10);
        EXPECT_EQ(statuses(raw.got), (std::vector{405, 200, 200}));
        say(raw, upgrade_request() + frame(Opcode::kText, "now"));
        EXPECT_TRUE(raw.got.ends_with("now"));
        client_side.abort(raw.id);
        run_raw(raw);
    }
}

TEST_F(HttpTest, Rfc9110_15_5_9_WhatIsNotWholeInTimeIs408) {
    EndpointConfig config;
    config.handshake_timeout = 10s;
    start(config);
    for (const std::string& begun : {std::string("G"), std::string("GET / HTTP/1.1\r\nHost: a\r\nX"),
                                     request("POST /", "Content-Length: 30\r\n", "abc"),
                                     request("POST /", "Transfer-Encoding: chunked\r\n", "1f\r\nab")}) {
        Raw raw = connect_raw();
        say(raw, begun);
        // A byte now and then puts nothing off.
        for (int i = 0; i < 9; ++i) {
            now += 1s;
            say(raw, "a");
            ASSERT_EQ(raw.got, "") << begun;
        }
        now += 1s;
        run_raw(raw);
        EXPECT_EQ(statuses(raw.got), (std::vector{408})) << begun;
        EXPECT_NE(raw.got.find("\r\nConnection: close\r\n"), raw.got.npos);
        EXPECT_TRUE(raw.ended);
    }
    Raw silent = connect_raw();
    now += 10s;
    run_raw(silent);
    EXPECT_EQ(silent.got, "");
    EXPECT_TRUE(silent.ended);
}

TEST_F(HttpTest, ALaterRequestsTimeBeginsWithItsFirstByte) {
    EndpointConfig config;
    config.handshake_timeout = 10s;
    start(config);
    Raw raw = connect_raw();
    say(raw, kGet);
    now += 9s;
    say(raw, "GET /healthz HT");
    raw.got.clear();
    for (int i = 0; i < 9; ++i) {
        now += 1s;
        run_raw(raw);
        ASSERT_EQ(raw.got, "");
    }
    now += 1s;
    run_raw(raw);
    EXPECT_EQ(statuses(raw.got), (std::vector{408}));
    Raw idle = connect_raw();
    say(idle, kGet);
    idle.got.clear();
    now += 10s;
    run_raw(idle);
    EXPECT_EQ(idle.got, "");
    EXPECT_TRUE(idle.ended);
}

TEST_F(HttpTest, ALongAnswerMayTakeItsTimeButNotForEver) {
    EndpointConfig config;
    config.handshake_timeout = 10s;
    config.close_timeout = 5s;
    for (const std::string fields : {"", "Connection: close\r\n"}) {
        start(config);
        Raw raw = connect_raw();
        server_side.peer_reads = false;
        say(raw, request("GET /long", fields));
        for (int i = 0; i < 10; ++i) {  // some is read, now and then
            now += 10s;
            server_side.take(net::ConnId{0}, 2000);
            run_raw(raw);
            ASSERT_FALSE(raw.closed) << i;
        }
        for (int i = 0; i < 2; ++i) {
            now += 10s;
            run_raw(raw);
        }
        EXPECT_TRUE(raw.closed);
        EXPECT_EQ(server_side.connections(), 0u);
        server_side = test::MemoryCarrier();
        client_side = test::MemoryCarrier();
    }
}

}  // namespace
}  // namespace millrace
