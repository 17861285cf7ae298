#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "tests/unit/endpoint/endpoint_pair.h"

namespace millrace {
namespace {

using test::as_bytes;
using test::Echo;
using test::Heard;
using test::Listener;
using test::MemoryCarrier;
using test::open_now;
using ws::CloseCode;
using ws::Opcode;

class EndpointTest : public test::EndpointPair {};

TEST_F(EndpointTest, OpensAndEchoesEverySizeAtEveryCut) {
    for (const std::size_t piece : {1u, 3u, 100u, 1448u, 65536u}) {
        SCOPED_TRACE(piece);
        server_side = MemoryCarrier();
        client_side = MemoryCarrier();
        heard = served = {};
        start();
        server_side.piece = client_side.piece = piece;
        const auto id = open();
        ASSERT_EQ(heard.opens, 1);
        ASSERT_EQ(served.opens, 1);
        for (const std::size_t size : {0u, 1u, 125u, 126u, 1000u, 65535u, 65536u, 100000u}) {
            std::string text(size, '\0');
            for (std::size_t i = 0; i < size; ++i)
                text[i] = static_cast<char>('a' + i % 23);
            ASSERT_EQ(socket(id).send_text(text), SendStatus::kSent);
            run(4);
            ASSERT_EQ(heard.messages.size(), 1u) << size;
            EXPECT_EQ(heard.messages[0], text);
            heard.messages.clear();
        }
        EXPECT_EQ(socket(id).state().received, 8);
    }
}

TEST_F(EndpointTest, MessagesBehindTheRequestInOneBufferAreNotLost) {  // RFC 6455 section 4.2.2
    start();
    Raw raw = connect_raw();
    say(raw, upgrade_request() + frame(Opcode::kText, "early"));
    EXPECT_TRUE(
        raw.got.ends_with("\x81\x05"
                          "early"))
        << raw.got;
}

TEST_F(EndpointTest, RequestInPiecesOfOneByteIsUnderstood) {
    start();
    server_side.piece = 1;
    Raw raw = open_raw();
    EXPECT_EQ(server->counters().opened.value(), 1u);
}

// RFC 9112 section 2.2: a head in pieces of any size gets the verdict of the whole, the bad one no later than
// its line's end; and what is sent byte by byte is not parsed anew for each.
TEST_F(EndpointTest, HeadsInSingleBytesGetTheirVerdict) {
    start();
    server_side.piece = 1;
    const std::string fields(12'000, 'x');
    for (const auto& [request, status] : std::vector<std::pair<std::string, std::string>>{
             {"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + fields + "\r\n\r\n", "200"},
             {"GET /healthz HTTP/1.1\r\nHost : a\r\n", "400"},
             {"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + fields + fields, "431"},
             {"GET /" + fields, "414"}}) {
        Raw raw = connect_raw();
        ASSERT_TRUE(write_bytes(client_side, raw.id, as_bytes(request)));
        run_raw(raw, static_cast<int>(request.size()) + 10);
        EXPECT_TRUE(raw.got.starts_with("HTTP/1.1 " + status)) << status << ": " << raw.got.substr(0, 100);
    }
}

TEST_F(EndpointTest, PagesHaveTheirFields) {  // RFC 9110 sections 6.6.1, 8.8.3, 13.1.2
    start();
    Raw raw = connect_raw();
    say(raw, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_NE(raw.got.find("\r\nDate: "), std::string::npos);
    const auto at = raw.got.find("\r\nETag: ") + 8;
    const std::string etag = raw.got.substr(at, raw.got.find('\r', at) - at);
    ASSERT_EQ(etag.size(), 18u) << raw.got;
    raw.got.clear();
    say(raw, "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: " + etag + "\r\n\r\n");
    EXPECT_TRUE(raw.got.starts_with("HTTP/1.1 304 ")) << raw.got;
    EXPECT_TRUE(raw.got.ends_with("\r\n\r\n"));  // no content
    raw.got.clear();
    say(raw, "GET /%68ealthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(raw.got.ends_with("\r\n\r\nok\n")) << raw.got;
}

TEST_F(EndpointTest, PagesAreAnsweredInOrderOnOneConnection) {  // RFC 9112 section 9.3.2
    start();
    Raw raw = connect_raw();
    say(raw,
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /no HTTP/1.1\r\nHost: "
        "a\r\n\r\n");
    const auto first = raw.got.find("HTTP/1.1 200");
    const auto body = raw.got.find("<p>hello</p>");
    const auto second = raw.got.find("HTTP/1.1 200", first + 1);
    const auto third = raw.got.find("HTTP/1.1 404");
    EXPECT_LT(first, body);
    EXPECT_LT(body, second);
    EXPECT_LT(second, third);
    EXPECT_EQ(raw.got.find("ok\n"), std::string::npos);  // RFC 9110 section 9.3.2: HEAD has no content
    EXPECT_FALSE(raw.ended);
    say(raw, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(raw.ended);
}

TEST_F(EndpointTest, RefusesWhatItDoesNotServe) {
    start();
    for (const auto& [request, status] : std::vector<std::pair<std::string, std::string>>{
             {"NONSENSE\r\n\r\n", "400"},
             {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "405"},
             {"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", "405"},
             {upgrade_request("/nowhere"), "404"}}) {
        Raw raw = connect_raw();
        say(raw, request);
        EXPECT_TRUE(raw.got.starts_with("HTTP/1.1 " + status)) << request << " -> " << raw.got;
    }
    EXPECT_EQ(server->counters().opened.value(), 0u);
}

// What a TLS client understands is an alert (RFC 8446 section 6.2); the operator hears of it once.
TEST_F(EndpointTest, TlsOnAPlainPortIsAnsweredWithAnAlert) {
    std::vector<std::string> noticed;
    EndpointConfig config;
    config.notice = [&](std::string_view what) { noticed.emplace_back(what); };
    start(config);
    for (int i = 0; i < 2; ++i) {
        Raw raw = connect_raw();
        say(raw, std::string("\x16\x03\x01\x02\x00\x01", 6));
        EXPECT_EQ(raw.got, std::string("\x15\x03\x01\x00\x02\x02\x28", 7));
        EXPECT_TRUE(raw.ended);
    }
    EXPECT_EQ(server->counters().tls_hellos.value(), 2u);
    ASSERT_EQ(noticed.size(), 1u);
    EXPECT_NE(noticed[0].find("wss://"), std::string::npos);
}

TEST_F(EndpointTest, PingIsAnsweredWithItsPayloadAlsoInsideAMessage) {  // RFC 6455 sections 5.4, 5.5.2
    start();
    Raw raw = open_raw();
    say(raw, frame(Opcode::kText, "ab", false) + frame(Opcode::kPing, "beat") +
                 frame(Opcode::kContinuation, "cd"));
    EXPECT_EQ(raw.got,
              "\x8a\x04"
              "beat"
              "\x81\x04"
              "abcd");
}

TEST_F(EndpointTest, PeersCloseIsEchoedWithItsCodeAndTcpEnds) {  // RFC 6455 sections 5.5.1, 7.1.1
    start();
    Raw raw = open_raw();
    say(raw, frame(Opcode::kClose, std::string("\x0f\xa1", 2) + "done") + frame(Opcode::kText, "late"));
    EXPECT_EQ(raw.got, std::string("\x88\x02\x0f\xa1", 4));
    EXPECT_TRUE(raw.ended);
    ASSERT_EQ(served.closes.size(), 1u);
    EXPECT_EQ(served.closes[0], std::make_pair(CloseCode{4001}, std::string("done")));
    client_side.close(raw.id);
    run_raw(raw);
    EXPECT_TRUE(raw.closed);
    EXPECT_EQ(server_side.connections(), 0u);
}

TEST_F(EndpointTest, CloseByTheClientCompletesOnBothSides) {
    start();
    const auto id = open();
    socket(id).close(CloseCode::kNormal, "bye");
    EXPECT_EQ(socket(id).send_text("too late"), SendStatus::kClosed);
    run();
    ASSERT_EQ(heard.closes.size(), 1u);
    EXPECT_EQ(heard.closes[0].first, CloseCode::kNormal);
    ASSERT_EQ(served.closes.size(), 1u);
    EXPECT_EQ(served.closes[0], std::make_pair(CloseCode::kNormal, std::string("bye")));
    EXPECT_EQ(server_side.connections(), 0u);
    EXPECT_EQ(client_side.connections(), 0u);
    EXPECT_EQ(open_now(*client), 0u);
    EXPECT_EQ(open_now(*server), 0u);
}

TEST_F(EndpointTest, BrokenFramesFailTheConnectionWithTheirCode) {  // RFC 6455 section 7.1.7
    start({.max_message = 1000});
    for (const auto& [bytes, code] : std::vector<std::pair<std::string, int>>{
             {"\x81\x01x", 1002},                        // section 5.1: not masked
             {frame(Opcode{3}, "x"), 1002},              // section 5.2: reserved opcode
             {frame(Opcode::kContinuation, "x"), 1002},  // section 5.4: nothing to continue
             {frame(Opcode::kText, "\xff"), 1007},       // section 8.1
             {frame(Opcode::kBinary, std::string(1001, 'x')), 1009}}) {
        Raw raw = open_raw();
        say(raw, bytes);
        EXPECT_EQ(close_code(raw.got), code);
        EXPECT_TRUE(raw.ended);
    }
    EXPECT_EQ(server->counters().protocol_failures.value(), 5u);
    EXPECT_EQ(open_now(*server), 0u);
}

TEST_F(EndpointTest, PeerThatDoesNotReadIsSlowedAndLosesNothing) {
    EndpointConfig config;
    config.send_limit = 10'000;
    start(config);
    const auto id = open();
    server_side.peer_reads = false;
    const std::string text(1000, 'x');
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(socket(id).send_text(text + std::to_string(i)), SendStatus::kSent);
    run();
    EXPECT_GE(server->counters().holds.value(), 1u);
    EXPECT_LT(server_side.unsent(net::ConnId{0}), 10'000u + 1448u * 2);
    EXPECT_TRUE(heard.messages.empty());
    server_side.peer_reads = true;
    run(100);
    ASSERT_EQ(heard.messages.size(), 100u);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(heard.messages[static_cast<std::size_t>(i)], text + std::to_string(i));
    EXPECT_TRUE(served.failures.empty());
}

TEST_F(EndpointTest, HeldInputPinsNoReceiveBufferAndIsBounded) {
    EndpointConfig config;
    config.send_limit = 1000;
    config.message_memory = 64 << 10;
    start(config);
    std::vector<Raw> raws;
    for (int i = 0; i < 6; ++i)
        raws.push_back(open_raw());
    server_side.peer_reads = false;
    server_side.piece = 3 * 408;  // whole messages: none is under assembly
    const std::string text = frame(Opcode::kText, std::string(400, 'x'));
    for (Raw& raw : raws)  // a first poll fills the output, the next is held back
        for (int i = 0; i < 4; ++i)
            say(raw, text + text + text);
    EXPECT_GE(server->counters().holds.value(), 3u);
    run_raw(raws[0]);
    EXPECT_EQ(server_side.lent(), 0);
    // Beyond the shard's bound a connection is refused; those that were held lose nothing.
    EXPECT_GE(server->counters().memory_refusals.value(), 1u);
    server_side.peer_reads = true;
    std::map<net::ConnId, std::size_t> got;
    for (int polls = 0; polls < 60; ++polls) {
        poll_server();
        for (auto& event : client_side.poll(now))
            got[event.conn] += event.bytes.bytes().size();
        client_side.flush(now);
    }
    const auto whole =
        std::count_if(got.begin(), got.end(), [](const auto& of) { return of.second == 12 * 404; });
    EXPECT_EQ(whole, 4);  // as many as there are blocks
    EXPECT_EQ(open_now(*server), static_cast<std::uint64_t>(whole));
}

TEST_F(EndpointTest, LimitReachedInTheMiddleOfABufferLosesNoAnswer) {
    EndpointConfig config;
    config.send_limit = 500;
    start(config);
    const auto id = open();
    server_side.peer_reads = false;
    for (int i = 0; i < 200; ++i)
        ASSERT_EQ(socket(id).send_text("m" + std::to_string(i)), SendStatus::kSent);
    run();
    EXPECT_EQ(server->counters().holds.value(), 1u);
    server_side.peer_reads = true;
    run(100);
    ASSERT_EQ(heard.messages.size(), 200u);
    for (std::size_t i = 0; i < 200; ++i)
        EXPECT_EQ(heard.messages[i], "m" + std::to_string(i));
    EXPECT_TRUE(served.failures.empty());
}

TEST_F(EndpointTest, MemoryPressureHoldsInputAndLetsItGoOn) {
    start();
    const auto id = open();
    server_side.pressed = true;
    for (int i = 0; i < 10; ++i)
        ASSERT_EQ(socket(id).send_text("m"), SendStatus::kSent);
    run();
    EXPECT_TRUE(heard.messages.empty());
    EXPECT_TRUE(server_side.paused(net::ConnId{0}));
    server_side.pressed = false;
    run();
    EXPECT_EQ(heard.messages.size(), 10u);
    EXPECT_FALSE(server_side.paused(net::ConnId{0}));
}

// Who sends of its own accord reads on: the other end may write before it reads, and would wait for ever.
TEST_F(EndpointTest, AClientThatAnswersNothingReadsWhateverIsUnsent) {
    EndpointConfig config;
    config.send_limit = 5000;
    config.read_while_full = true;
    start({}, config);
    const auto id = open();
    client_side.peer_reads = false;
    while (socket(id).send_text(std::string(1000, 'y')) == SendStatus::kSent) {
    }
    const std::size_t unsent = client_side.unsent(id);
    server->socket<Echo>(net::ConnId{0}).send_text("first");
    run();
    EXPECT_EQ(heard.messages, std::vector<std::string>{"first"});
    client_side.pressed = true;
    server->socket<Echo>(net::ConnId{0}).send_text("second");
    run();
    EXPECT_EQ(heard.messages.size(), 1u) << "short of memory it waits all the same";
    client_side.pressed = false;
    run();
    EXPECT_EQ(heard.messages.size(), 2u);
    EXPECT_EQ(heard.drains, 0);
    EXPECT_EQ(client_side.unsent(id), unsent) << "nothing was said beyond the limit";
    client_side.peer_reads = true;
    run();
    EXPECT_EQ(heard.drains, 1);
    EXPECT_EQ(heard.messages.size(), 7u);
}

TEST_F(EndpointTest, FullSendIsToldAndDrainFollows) {
    EndpointConfig config;
    config.send_limit = 5000;
    start({}, config);
    const auto id = open();
    client_side.peer_reads = false;
    int sent = 0;
    while (socket(id).send_text(std::string(1000, 'y')) == SendStatus::kSent)
        ++sent;
    EXPECT_EQ(sent, 5);
    EXPECT_EQ(heard.drains, 0);
    client_side.peer_reads = true;
    run();
    EXPECT_EQ(heard.drains, 1);
    EXPECT_EQ(heard.messages.size(), 5u);
}

TEST_F(EndpointTest, MessageMemoryUsedUpRefusesTheNewAndKeepsTheOld) {
    EndpointConfig config;
    config.message_memory = 64 << 10;
    start(config);
    Raw raw = open_raw();
    Raw other = open_raw();
    say(other, frame(Opcode::kBinary, std::string(20'000, 'b'), false));  // takes two blocks of four
    say(raw, frame(Opcode::kBinary, std::string(60'000, 'a')));
    EXPECT_EQ(close_code(raw.got), 1013);
    EXPECT_EQ(server->counters().memory_refusals.value(), 1u);
    say(other, frame(Opcode::kContinuation, "end"));
    EXPECT_TRUE(other.got.ends_with("bend"));
}

TEST_F(EndpointTest, TimeoutsEndEachPhase) {
    EndpointConfig config;
    config.handshake_timeout = 1s;
    config.ping_interval = 2s;
    config.close_timeout = 3s;
    start(config);
    Raw silent = connect_raw();
    Raw half = connect_raw();
    say(half, "GET / HTTP/1.1\r\nHo");
    Raw opened = open_raw();
    now += 1s;
    run_raw(silent);
    EXPECT_TRUE(silent.ended);
    EXPECT_TRUE(silent.got.empty());
    now += 1s;
    run_raw(opened);
    EXPECT_EQ(opened.got, std::string("\x89\x00", 2));  // nothing heard: a Ping
    now += 2s;
    run_raw(opened);
    EXPECT_TRUE(opened.closed);  // and no answer: reset
    ASSERT_EQ(served.closes.size(), 1u);
    EXPECT_EQ(served.closes[0].first, CloseCode::kAbnormal);
    now += 3s;
    poll_server();
    poll_server();
    EXPECT_EQ(server_side.connections(), 0u);
}

// What memory there is, is for answers: a Ping waits until there is more, and nobody is given up meanwhile.
TEST_F(EndpointTest, NobodyIsPingedWhileMemoryIsShort) {
    EndpointConfig config;
    config.ping_interval = 2s;
    start(config);
    Raw raw = open_raw();
    server_side.pressed = true;
    now += 5s;
    run_raw(raw);
    EXPECT_TRUE(raw.got.empty());
    EXPECT_FALSE(raw.closed);
    server_side.pressed = false;
    now += 1s;
    run_raw(raw);
    EXPECT_EQ(raw.got, std::string("\x89\x00", 2));
}

TEST_F(EndpointTest, PongKeepsTheConnection) {
    EndpointConfig config;
    config.ping_interval = 2s;
    start(config);
    Raw raw = open_raw();
    for (int i = 0; i < 5; ++i) {
        raw.got.clear();
        now += 2s;
        run_raw(raw);
        EXPECT_EQ(raw.got, std::string("\x89\x00", 2));
        say(raw, frame(Opcode::kPong, ""));
    }
    EXPECT_FALSE(raw.closed);
}

// However many there are, each has its Ping within a sixteenth of the period, a few a poll, and none has a
// timer for it; who does not answer is given up a period after its Ping, and no other.
TEST_F(EndpointTest, AllOfManyArePingedInTurnWithoutATimer) {
    EndpointConfig config;
    config.ping_interval = 60s;
    start(config);
    constexpr int kMany = 1000;
    for (int i = 0; i < kMany; ++i)
        client->connect({}, target, now);
    run();
    ASSERT_EQ(heard.opens, kMany);
    Raw deaf = open_raw();
    for (int i = 0; i <= kMany; ++i)
        EXPECT_FALSE(server_side.has_timer(net::ConnId{static_cast<std::uint32_t>(i)}));
    const auto advance = [&](Duration time) {
        for (const Time end = now + time; now < end;) {
            now += 10ms;
            const auto before = server->counters().pings_sent.value();
            run(1);
            EXPECT_LE(server->counters().pings_sent.value() - before, 64u);
        }
    };
    advance(59s);
    EXPECT_EQ(server->counters().pings_sent.value(), 0u);
    advance(6s);
    EXPECT_EQ(server->counters().pings_sent.value(), kMany + 1u);
    EXPECT_EQ(client->counters().pings_received.value(), unsigned{kMany});
    EXPECT_EQ(server->counters().pongs_received.value(), unsigned{kMany});
    advance(53s);
    EXPECT_TRUE(served.closes.empty());
    advance(12s);
    ASSERT_EQ(served.closes.size(), 1u);
    EXPECT_EQ(served.closes[0].second, "no answer to a Ping");
    EXPECT_GE(server->counters().pings_sent.value(), kMany + 1u);
    EXPECT_TRUE(heard.closes.empty());
}

TEST_F(EndpointTest, IdleConnectionIsClosedWith1001) {
    EndpointConfig config;
    config.idle_timeout = 5s;
    start(config);
    open();
    now += 5s;
    run();
    ASSERT_EQ(heard.closes.size(), 1u);
    EXPECT_EQ(heard.closes[0], std::make_pair(CloseCode::kGoingAway, std::string("idle")));
}

TEST_F(EndpointTest, DrainClosesAllWith1001AndEnds) {
    start();
    for (int i = 0; i < 300; ++i)
        client->connect({}, target, now);
    run();
    ASSERT_EQ(heard.opens, 300);
    server->drain(CloseCode::kGoingAway, now);
    EXPECT_FALSE(server->drained());
    run(40);
    ASSERT_EQ(heard.closes.size(), 300u);
    for (const auto& [code, reason] : heard.closes)
        EXPECT_EQ(code, CloseCode::kGoingAway);
    EXPECT_TRUE(server->drained());
    client->connect({}, target, now);
    run();
    EXPECT_EQ(heard.failures.size(), 1u);  // no longer listening
}

TEST_F(EndpointTest, ClientHearsWhyItsOpeningFailed) {
    start();
    const auto missing = client->add_target<Listener>({.host = "server", .path = "/nowhere"});
    client->connect({}, missing, now);
    run();
    ASSERT_EQ(heard.failures.size(), 1u);
    server_side.stop_listening();
    client->connect({}, target, now);
    run();
    ASSERT_EQ(heard.failures.size(), 2u);
    EXPECT_EQ(heard.failures[1], "refused");
    EXPECT_EQ(heard.opens, 0);
    EXPECT_EQ(client_side.connections(), 0u);
}

TEST_F(EndpointTest, PeerThatVanishesIsReportedAs1006) {  // RFC 6455 section 7.1.5
    start();
    const auto id = open();
    client->socket<Listener>(id).abort();
    run();
    ASSERT_EQ(served.closes.size(), 1u);
    EXPECT_EQ(served.closes[0].first, CloseCode::kAbnormal);
    EXPECT_EQ(server->counters().lost.value(), 1u);
    EXPECT_TRUE(heard.closes.empty());  // who aborts hears nothing more
}

TEST_F(EndpointTest, SharedFrameReachesAllSubscribers) {
    start();
    std::vector<net::ConnId> ids;
    for (int i = 0; i < 10; ++i)
        ids.push_back(open());
    const auto shared = server->encode(Opcode::kText, as_bytes("to all"));
    for (std::uint32_t i = 0; i < 10; ++i)
        EXPECT_EQ(server->socket<Echo>(net::ConnId{i}).send_shared(shared), SendStatus::kSent);
    run();
    EXPECT_EQ(heard.messages, std::vector<std::string>(10, "to all"));
}

}  // namespace
}  // namespace millrace
