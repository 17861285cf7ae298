// Peers that are slow on purpose: messages that do not go on, Close frames that nobody answers, answers that
// nobody reads.

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/endpoint/endpoint_pair.h"

namespace millrace {
namespace {

using test::as_bytes;
using ws::CloseCode;
using ws::Opcode;

class StressTest : public test::EndpointPair {
  protected:
    static EndpointConfig patient(Duration timeout) {
        EndpointConfig config;
        config.handshake_timeout = timeout;
        config.progress_timeout = timeout;
        config.send_limit = 10'000;
        return config;
    }
    // `each` every second, for so many seconds; whether the server still has the connection open then.
    bool survives(Raw& raw, std::string_view each, int seconds) {
        for (int i = 0; i < seconds && !raw.ended && !raw.closed; ++i) {
            now += 1s;
            if (each.empty() || write_bytes(client_side, raw.id, as_bytes(each))) run_raw(raw);
        }
        return !raw.ended && !raw.closed;
    }
    // Sends what it gets echoed, and the server cannot get rid of.
    void fill(Raw& raw, int messages = 15) {
        server_side.peer_reads = false;
        for (int i = 0; i < messages; ++i)
            say(raw, frame(Opcode::kBinary, std::string(1000, 'x')));
    }
    // The server ends it, and nothing is left of it, though the peer does not end its side.
    void ends_within(Duration limit) {
        for (const Time end = now + limit; now <= end; now += 500ms)
            poll_server();
        EXPECT_EQ(server_side.connections(), 0u);
        EXPECT_EQ(open_now(*server), 0u);
    }
};

// A request line, a field, the content by its length and in chunks: whatever trickles in time.
TEST_F(StressTest, Rfc9110_15_5_9_EveryPartOfARequestMustHaveComeInTimeElseItIs408) {
    start(patient(10s));
    for (const std::string begun :
         {"G", "GET /he", "GET / HTTP/1.1\r\nHo",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n"}) {
        Raw raw = connect_raw();
        say(raw, begun);
        EXPECT_TRUE(survives(raw, "a", 9)) << begun;
        EXPECT_FALSE(survives(raw, "a", 2)) << begun;
        EXPECT_TRUE(raw.got.starts_with("HTTP/1.1 408 ")) << begun;
        ends_within(6s);
        // On a connection that has been answered before, the time runs from the request's first byte.
        Raw second = connect_raw();
        say(second, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(survives(second, "", 5));
        second.got.clear();
        say(second, begun);
        EXPECT_TRUE(survives(second, "a", 9)) << begun;
        EXPECT_FALSE(survives(second, "a", 2)) << begun;
        EXPECT_TRUE(second.got.starts_with("HTTP/1.1 408 ")) << begun;
        ends_within(6s);
    }
    EXPECT_EQ(server->counters().refused_late.value(), 10u);
    EXPECT_LE(server->memory_in_use(), 1u << 20);
}

TEST_F(StressTest, TheTimeThatTlsTookCounts) {
    server_side.handshake_time = 7s;
    start(patient(10s));
    Raw raw = connect_raw();
    say(raw, "GET / HT");
    EXPECT_TRUE(survives(raw, "", 2));
    EXPECT_FALSE(survives(raw, "", 2));
    EXPECT_TRUE(raw.got.starts_with("HTTP/1.1 408 "));
    server_side.handshake_time = 70s;
    Raw late = connect_raw();
    EXPECT_FALSE(survives(late, "", 1));
}

// The client's role: a server, or a proxy asked to CONNECT (RFC 9110 section 9.3.6), that answers byte by
// byte.
TEST_F(StressTest, AnAnswerThatTricklesIsNotWaitedFor) {
    start({}, patient(10s));
    ClientTarget tunnelled{.host = "far.example", .path = "/echo"};
    tunnelled.tunnel.authority = "far.example:80";
    const auto through = client->add_target<test::Listener>(std::move(tunnelled));
    for (const std::uint8_t to : {target, through}) {
        heard.failures.clear();
        client->connect({}, to, now);
        poll_client();  // the server accepts, and says nothing by itself
        const std::string answer = "HTTP/1.1 101 Switching Protocols\r\nX: ";
        for (std::size_t i = 0; i < 15 && heard.failures.empty(); ++i) {
            server_side.poll(now);
            write_bytes(server_side, net::ConnId{0}, as_bytes(std::string_view(answer).substr(i, 1)));
            server_side.flush(now);
            poll_client();
            EXPECT_EQ(heard.failures.empty(), i < 10) << i;
            now += 1s;
        }
        ASSERT_EQ(heard.failures.size(), 1u);
        EXPECT_EQ(heard.failures[0], "timed out awaiting the response");
        poll_client();
        EXPECT_EQ(client_side.connections(), 0u);
        server_side.abort(net::ConnId{0});
        server_side.poll(now), client_side.poll(now);
    }
}

// What a peer may leave unfinished at each step of RFC 6455 section 5.2: the header, its extended length, its
// key, the payload, the message of which a fragment came (section 5.4), a control frame (section 5.5).
TEST_F(StressTest, Rfc6455_7_4_1_WhatHasBegunMustGoOnElseItIs1008) {
    start(patient(10s));
    const std::string half = frame(Opcode::kBinary, std::string(100'000, 'x')).substr(0, 50);
    std::size_t cases = 0;
    for (const std::string& begun :
         {std::string("\x81"), std::string("\x81\xfe\x01"), std::string("\x81\x85\0\0", 4), half,
          frame(Opcode::kText, "a", false), std::string("\x89\x85")}) {
        const std::string each = begun == half ? "x" : "";  // trickles
        Raw raw = open_raw();
        say(raw, begun);
        EXPECT_TRUE(survives(raw, each, 9)) << ::testing::PrintToString(begun);
        EXPECT_FALSE(survives(raw, each, 2)) << ::testing::PrintToString(begun);
        EXPECT_EQ(close_code(raw.got), 1008);
        EXPECT_EQ(server->counters().slow_messages.value(), ++cases);
        ends_within(6s);
    }
    // Pings between its fragments are no progress worth mentioning.
    Raw raw = open_raw();
    say(raw, frame(Opcode::kText, "a", false));
    EXPECT_FALSE(survives(raw, frame(Opcode::kPing, ""), 11));
    EXPECT_EQ(server->counters().slow_messages.value(), ++cases);
    ends_within(6s);
    EXPECT_EQ(served.closes.back().first, CloseCode::kPolicyViolation);
}

TEST_F(StressTest, Rfc6455_5_4_TheMessageOfASlowServerMustGoOnToo) {  // the client's role
    EndpointConfig config = patient(10s);
    start({}, config);
    open();
    const net::ConnId at_server{0};
    ASSERT_TRUE(write_bytes(server_side, at_server,
                            as_bytes(std::string("\x01\x01"
                                                 "a",
                                                 3))));
    for (int i = 0; i < 11; ++i)
        now += 1s, run(3);
    ASSERT_EQ(heard.closes.size(), 1u);
    EXPECT_EQ(heard.closes[0].first, CloseCode::kPolicyViolation);
    ASSERT_EQ(served.closes.size(), 1u);
    EXPECT_EQ(served.closes[0].first, CloseCode::kPolicyViolation);
}

TEST_F(StressTest, AMessageOverASlowLineArrives) {
    start(patient(10s));
    Raw raw = open_raw();
    const std::string long_one = frame(Opcode::kBinary, std::string(20'000, 'x'));
    for (std::size_t at = 0; at < long_one.size(); at += 200)
        EXPECT_TRUE(survives(raw, long_one.substr(at, 200), 1)) << at;
    EXPECT_TRUE(raw.got.ends_with(std::string(20'000, 'x')));
    // Small ones with pauses within them; then such that each buffer ends within the next.
    const std::string small = frame(Opcode::kText, "hello");
    for (int i = 0; i < 30; ++i) {
        EXPECT_TRUE(survives(raw, small.substr(0, 3), 1));
        EXPECT_TRUE(survives(raw, small.substr(3), 1));
    }
    EXPECT_TRUE(survives(raw, small.substr(0, 3), 1));
    EXPECT_TRUE(survives(raw, small.substr(3) + small.substr(0, 3), 30));
    EXPECT_EQ(server->counters().slow_messages.value(), 0u);
    EXPECT_EQ(server->counters().messages_received.value(), 61u);
}

TEST_F(StressTest, NoTimerBurdensWhoHasNothingUnderWay) {
    start(patient(10s));
    Raw raw = open_raw();
    EXPECT_FALSE(server_side.has_timer(net::ConnId{0}));
    say(raw, frame(Opcode::kText, "hello"));
    EXPECT_FALSE(server_side.has_timer(net::ConnId{0}));
    const std::string cut = frame(Opcode::kText, "hello");
    say(raw, cut.substr(0, 5));
    EXPECT_TRUE(server_side.has_timer(net::ConnId{0}));
    say(raw, cut.substr(5));
    EXPECT_TRUE(survives(raw, "", 30));
    EXPECT_FALSE(server_side.has_timer(net::ConnId{0}));
}

TEST_F(StressTest, TheWatchAndKeepAliveShareATimer) {
    for (const auto& [ping, dies] :
         {std::pair{Duration(3s), true}, {Duration(60s), true}, {Duration(3s), false}}) {
        EndpointConfig config = patient(10s);
        config.ping_interval = ping;
        start(config);
        Raw raw = open_raw();
        say(raw, frame(Opcode::kText, "a", false));
        bool alive = true;
        int seconds = 0;
        for (; seconds < 40 && alive; ++seconds) {
            if (!dies && seconds == 5) say(raw, frame(Opcode::kContinuation, "b"));
            alive = survives(raw, ping == Duration(3s) ? frame(Opcode::kPong, "") : std::string(), 1);
        }
        EXPECT_EQ(alive, !dies);
        EXPECT_TRUE(!dies || (seconds >= 10 && seconds <= 13)) << seconds;
    }
}

TEST_F(StressTest, Rfc6455_7_1_1_APeerThatNeverAnswersOurCloseIsEnded) {
    EndpointConfig config = patient(10s);
    config.close_timeout = 5s;
    start(config);
    Raw raw = open_raw();
    server->socket<test::Echo>(net::ConnId{0}).close();
    EXPECT_TRUE(survives(raw, "", 4));
    survives(raw, "", 2);
    EXPECT_TRUE(raw.closed);
    EXPECT_EQ(close_code(raw.got), 1000);
    EXPECT_EQ(served.closes.back().first, CloseCode::kAbnormal);

    // Nor does it matter whether it goes on sending, before its Close or behind it (section 1.4).
    for (const bool answers : {false, true}) {
        Raw busy = open_raw();
        server->socket<test::Echo>(net::ConnId{0}).close();
        run_raw(busy);
        if (answers) say(busy, frame(Opcode::kClose, "\x03\xe8"));
        for (int i = 0; i < 6 && !busy.closed; ++i) {
            now += 1s;
            for (int n = 0; n < 20 && !busy.closed; ++n)
                if (write_bytes(client_side, busy.id, as_bytes(frame(Opcode::kText, "still here"))))
                    run_raw(busy, 1);
            EXPECT_LT(server->memory_in_use(), 1u << 20);
        }
        EXPECT_TRUE(busy.closed) << answers;
        ends_within(1s);
        EXPECT_EQ(server->counters().messages_received.value(), 0u);
    }
}

TEST_F(StressTest, ACloseBehindMuchThatIsReadSlowlyIsWaitedFor) {
    EndpointConfig config = patient(10s);
    config.close_timeout = 5s;
    start(config);
    Raw raw = open_raw();
    fill(raw, 8);
    server->socket<test::Echo>(net::ConnId{0}).close();
    for (int i = 0; i < 3; ++i) {
        server_side.take(net::ConnId{0}, 2000);
        now += 5s;
        run_raw(raw);
        EXPECT_FALSE(raw.closed) << i;
    }
    now += 5s, run_raw(raw);
    EXPECT_TRUE(raw.closed);
}

TEST_F(StressTest, WhoDoesNotReadIsHeardNoMoreAndEndedInTime) {
    start(patient(10s));
    Raw raw = open_raw();
    fill(raw);
    ASSERT_TRUE(server_side.paused(net::ConnId{0}));
    const std::size_t heard_before = server->counters().messages_received.value();
    const std::size_t unsent = server_side.unsent(net::ConnId{0});
    EXPECT_LT(unsent, 12'000u);
    for (int i = 0; i < 4; ++i) {  // a kilobyte now and then
        now += 10s;
        server_side.take(net::ConnId{0}, 1024);
        run_raw(raw);
        ASSERT_FALSE(raw.closed) << i;
    }
    EXPECT_EQ(server->counters().messages_received.value(), heard_before);
    now += 9s, run_raw(raw);
    ASSERT_FALSE(raw.closed);
    now += 2s, run_raw(raw);
    EXPECT_TRUE(raw.closed);
    EXPECT_EQ(server->counters().slow_readers.value(), 1u);
    ASSERT_EQ(served.closes.size(), 1u);
    EXPECT_EQ(served.closes[0], std::make_pair(CloseCode::kAbnormal, std::string("the peer does not read")));
    ends_within(1s);
}

// An application that fills the room again as soon as there is some must not make a reader look like none.
TEST_F(StressTest, WhoReadsSteadilyStaysHoweverMuchIsSent) {
    start(patient(10s));
    Raw raw = open_raw();
    server_side.peer_reads = false;
    const std::string news(1000, 'n');
    auto socket = server->socket<test::Echo>(net::ConnId{0});
    std::size_t sent = 0;
    for (int second = 0; second < 60; ++second) {
        while (socket.send_text(news) == SendStatus::kSent)
            ++sent;
        server_side.take(net::ConnId{0}, 1500);
        now += 1s;
        run_raw(raw);
    }
    EXPECT_FALSE(raw.closed);
    EXPECT_GT(sent, 80u);
    EXPECT_EQ(server->counters().slow_readers.value(), 0u);
}

TEST_F(StressTest, NobodyIsBlamedForAPoolThatIsDry) {
    start(patient(10s));
    Raw raw = open_raw();
    server_side.pressed = true;
    say(raw, frame(Opcode::kText, "a"));
    ASSERT_TRUE(server_side.paused(net::ConnId{0}));
    EXPECT_TRUE(survives(raw, "", 40));
    server_side.pressed = false;
    run_raw(raw);
    EXPECT_TRUE(raw.got.ends_with("a"));
}

TEST_F(StressTest, Rfc6455_7_4_1_WhoDoesNotReadIsClosedWith1013WhereThatIsThePolicy) {
    EndpointConfig config = patient(10s);
    config.close_slow_readers = true;
    config.close_timeout = 5s;
    start(config);
    for (const bool pushed : {false, true}) {
        Raw raw = open_raw();
        const auto before = server->counters().slow_readers.value();
        if (pushed) {
            server_side.peer_reads = false;
            auto socket = server->socket<test::Echo>(net::ConnId{0});
            while (socket.send_text(std::string(1000, 'x')) == SendStatus::kSent) {
            }
            EXPECT_EQ(socket.send_text("x"), SendStatus::kClosed);
        } else {
            fill(raw);
        }
        EXPECT_EQ(server->counters().slow_readers.value(), before + 1);
        EXPECT_LT(server_side.unsent(net::ConnId{0}), 12'000u);
        server_side.peer_reads = true;  // it reads after all
        run_raw(raw);
        EXPECT_EQ(close_code(raw.got), 1013);
        say(raw, frame(Opcode::kClose, "\x03\xf5"));
        EXPECT_TRUE(raw.ended);
        EXPECT_EQ(served.closes.back().first, CloseCode::kTryAgainLater);
        ends_within(6s);
    }
    Raw never = open_raw();
    fill(never);
    now += 5s, run_raw(never);
    EXPECT_TRUE(never.closed);
    EXPECT_EQ(served.closes.back().first, CloseCode::kAbnormal);
    ends_within(1s);

    server_side.peer_reads = true;
    Raw untold = open_raw();  // no room for the Close: no waiting for its answer
    fill(untold, 10);
    server_side.pool_dry = true;
    say(untold, frame(Opcode::kText, "a"));
    run_raw(untold);
    EXPECT_TRUE(untold.closed);
    EXPECT_EQ(server->counters().slow_readers.value(), 4u);
    server_side.pool_dry = false;
    ends_within(1s);
}

}  // namespace
}  // namespace millrace
