// What strangers, storms and want of memory can do, and how connections end.

#include "tests/unit/tls/tls_pair.h"

namespace millrace::test {
namespace {

using net::CloseReason;

class TlsBounds : public TlsPair {
  protected:
    // A connection to the server on which the test says exactly what it wants, beside the client.
    net::ConnId connect_raw() {
        const net::ConnId id = client_below.connect({}, now);
        run_raw(id);
        return id;
    }
    void run_raw(net::ConnId id, int turns = 8) {
        for (int i = 0; i < turns; ++i) {
            client_below.flush(now);
            turn(*server, at_server);
            for (auto& event : client_below.poll(now)) {
                if (event.conn != id) continue;
                const auto bytes = event.bytes.bytes();
                raw_got.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                raw_ended |=
                    event.kind == net::EventKind::kPeerClosed || event.kind == net::EventKind::kClosed;
            }
            now += 1us;
        }
    }
    void say_raw(net::ConnId id, std::string_view text) {
        ASSERT_TRUE(write_bytes(client_below, id, std::as_bytes(std::span(text))));
        run_raw(id);
    }
    std::string raw_got;
    bool raw_ended = false;
};

TEST_F(TlsBounds, HttpOnATlsPortIsAnsweredPlainly) {
    start();
    const net::ConnId id = connect_raw();
    say_raw(id, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(raw_got.starts_with("HTTP/1.1 400 ")) << raw_got;
    EXPECT_NE(raw_got.find("speaks TLS"), std::string::npos);
    const std::size_t body = raw_got.find("\r\n\r\n") + 4;
    EXPECT_NE(raw_got.find("Content-Length: " + std::to_string(raw_got.size() - body) + "\r\n"),
              std::string::npos);
    EXPECT_TRUE(raw_ended);
    EXPECT_EQ(server->tls_counters().http_on_tls.value(), 1u);
    EXPECT_EQ(accepted, net::kNoConn);
}

TEST_F(TlsBounds, WhatIsNotTlsGetsAnAlert) {
    start();
    for (const std::string_view first :
         {std::string_view("\x80\x2e\x01\x03\x01", 5), std::string_view("\x16\x02\x00\x00\x05", 5),
          std::string_view("\x16\x03\x01\x00\x03", 5), std::string_view("\x16\x03\x01\xff\xff", 5)}) {
        raw_got.clear();
        raw_ended = false;
        const net::ConnId id = connect_raw();
        say_raw(id, first);
        EXPECT_EQ(raw_got, std::string_view("\x15\x03\x01\x00\x02\x02\x28", 7));
        EXPECT_TRUE(raw_ended);
    }
    EXPECT_EQ(server->tls_counters().not_tls.value(), 4u);
}

// A whole record that is no ClientHello comes to OpenSSL, which says so.
TEST_F(TlsBounds, ARecordOfNonsenseIsAnsweredWithAnAlert) {
    start();
    const net::ConnId id = connect_raw();
    say_raw(id, std::string_view("\x16\x03\x01\x00\x04\x07\x00\x00\x00", 9));
    ASSERT_GE(raw_got.size(), 7u);
    EXPECT_EQ(raw_got[0], 21);
    EXPECT_TRUE(raw_ended);
    EXPECT_EQ(server->tls_counters().handshakes_failed.value(), 1u);
}

TEST_F(TlsBounds, HalfAHelloEndsByTheTimeout) {
    start({.certificates = {localhost()}, .client_ca = {}}, {.handshake_timeout = 5s});
    const net::ConnId id = connect_raw();
    say_raw(id, std::string_view("\x16\x03\x01\x02\x00\x01", 6));
    now += 4s;
    run_raw(id);
    EXPECT_FALSE(raw_ended);
    now += 2s;
    run_raw(id);
    EXPECT_TRUE(raw_ended);
    EXPECT_EQ(server->tls_counters().handshakes_timed_out.value(), 1u);
    // A peer that does not go by itself is made to.
    EXPECT_EQ(server_below.connections(), 1u);
    now += 2s;
    run_raw(id);
    EXPECT_EQ(server_below.connections(), 0u);
    EXPECT_EQ(server->inputs_in_use(), 0u);
}

// A storm: so many handshakes begin in a poll, the others wait in their order, and who is established goes
// on.
TEST_F(TlsBounds, AStormIsServedInTurn) {
    constexpr int kStorm = 40;
    start();
    const auto with = trusting();
    const net::ConnId old = open(*with);
    const net::ConnId at_old = accepted;
    std::vector<std::unique_ptr<tls::ClientContext>> strangers;
    for (int i = 0; i < kStorm; ++i) {
        strangers.push_back(trusting());
        ASSERT_NE(client->connect_secure({}, *strangers.back(), now), net::kNoConn);
    }
    // All hellos have been sent before the server looks.
    for (int i = 0; i < 2 * kStorm; ++i)
        turn(*client, at_client);
    const auto handshakes = [&] { return server->tls_counters().handshakes.value(); };
    const auto before = handshakes();
    ASSERT_TRUE(say(*client, old, "still there?"));
    client->flush(now);
    turn(*server, at_server);
    EXPECT_EQ(at_server[at_old].received, "still there?");
    EXPECT_GT(server->tls_counters().handshakes_put_off.value(), 0u);
    EXPECT_EQ(server->handshakes_under_way(), 1u) << "one begins in a poll";
    for (int i = 0; i < 5; ++i)
        turn(*server, at_server);
    EXPECT_EQ(server->handshakes_under_way(), 6u);
    run(200);
    EXPECT_EQ(handshakes(), before + kStorm);
    EXPECT_EQ(server->inputs_in_use(), 0u);
}

TEST_F(TlsBounds, HandshakesUnderWayAreBounded) {
    start({.certificates = {localhost()}, .client_ca = {}}, {.handshake_timeout = 5s, .max_handshakes = 3});
    const auto with = trusting();
    std::vector<net::ConnId> silent;
    for (int i = 0; i < 5; ++i)
        silent.push_back(client_below.connect({}, now));
    // Hellos of an unbound client, sent by hand to all of them, who never go on.
    SSL* ssl = with->open();
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    SSL_do_handshake(ssl);
    char* hello = nullptr;
    const long size = BIO_get_mem_data(out, &hello);
    for (const net::ConnId id : silent)
        ASSERT_TRUE(
            write_bytes(client_below, id, std::as_bytes(std::span(hello, static_cast<std::size_t>(size)))));
    SSL_free(ssl);
    run_raw(silent[0], 30);
    EXPECT_EQ(server->handshakes_under_way(), 3u);
    now += 6s;
    run_raw(silent[0], 30);
    EXPECT_EQ(server->tls_counters().handshakes_timed_out.value(), 5u);
    EXPECT_EQ(server->handshakes_under_way(), 0u);
    EXPECT_TRUE(at_client[open(*with)].open) << "there is room again";
}

TEST_F(TlsBounds, NewOnesAreRefusedWhenHandshakeMemoryIsUsedUp) {
    start({.certificates = {localhost()}, .client_ca = {}}, {.handshake_memory = 3 * 16384});
    const net::ConnId a = connect_raw(), b = connect_raw(), c = connect_raw(), d = connect_raw();
    for (const net::ConnId id : {a, b, c})
        say_raw(id, "\x16\x03");
    EXPECT_FALSE(raw_ended);
    say_raw(d, "\x16\x03");
    EXPECT_TRUE(raw_ended);
    EXPECT_EQ(server->tls_counters().handshakes_refused.value(), 1u);
    EXPECT_EQ(server->inputs_in_use(), 3u);
}

// Neither side's last bytes are lost, and both know that they were the last.
TEST_F(TlsBounds, CloseNotifyGoesBeforeFin) {
    start();
    const auto with = trusting();
    const net::ConnId c = open(*with);
    const net::ConnId s = accepted;
    ASSERT_TRUE(say(*client, c, "the last"));
    client->close(c);
    EXPECT_FALSE(client->prepare(c, 1));
    run();
    EXPECT_EQ(at_server[s].received, "the last");
    EXPECT_TRUE(at_server[s].peer_closed);
    EXPECT_EQ(at_server[s].peer_closed_reason, CloseReason::kNone);
    ASSERT_TRUE(say(*server, s, "an answer all the same"));  // RFC 8446 section 6.1: the other way goes on
    server->close(s);
    run();
    EXPECT_EQ(at_client[c].received, "an answer all the same");
    EXPECT_EQ(at_client[c].closed, CloseReason::kFinished);
    EXPECT_EQ(at_server[s].closed, CloseReason::kFinished);
    EXPECT_EQ(server->tls_counters().truncated.value(), 0u);
    EXPECT_EQ(client->tls_counters().truncated.value(), 0u);
}

TEST_F(TlsBounds, AFinWithoutCloseNotifyIsToldAsATruncation) {
    start();
    const auto with = trusting();
    const net::ConnId c = open(*with);
    ASSERT_TRUE(say(*client, c, "cut"));
    client->flush(now);
    client_below.close(c);  // behind TLS's back
    run();
    EXPECT_EQ(at_server[accepted].received, "cut");
    EXPECT_TRUE(at_server[accepted].peer_closed);
    EXPECT_EQ(at_server[accepted].peer_closed_reason, CloseReason::kTruncated);
    EXPECT_EQ(server->tls_counters().truncated.value(), 1u);
}

TEST_F(TlsBounds, AnEndDuringTheHandshakeIsAFailure) {
    start();
    const auto with = trusting();
    const net::ConnId c = client->connect_secure({}, *with, now);
    turn(*client, at_client);
    server_below.poll(now);
    server_below.close(net::ConnId{0});  // it has accepted TCP and says nothing
    for (int i = 0; i < 4; ++i) {
        server_below.flush(now);
        turn(*client, at_client);
    }
    EXPECT_EQ(at_client[c].closed, CloseReason::kTlsFailed);
    EXPECT_NE(at_client[c].why.find("during the TLS handshake"), std::string::npos);
}

// A damaged record ends the connection with an alert (RFC 8446 section 5.2), and is told once.
TEST_F(TlsBounds, ADamagedRecordIsFatal) {
    start();
    const auto with = trusting();
    const net::ConnId c = open(*with);
    const net::ConnId s = accepted;
    ASSERT_TRUE(say(*client, c, "before"));
    client->flush(now);
    const std::string damaged = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
    ASSERT_TRUE(write_bytes(client_below, c, std::as_bytes(std::span(damaged))));
    run();
    EXPECT_EQ(at_server[s].received, "before");
    EXPECT_EQ(at_server[s].closed, CloseReason::kTlsFailed);
    EXPECT_FALSE(at_server[s].why.empty());
    EXPECT_NE(at_client[c].why.find("bad record mac"), std::string::npos) << at_client[c].why;
    EXPECT_EQ(server->tls_counters().failed.value(), 1u);
    now += 2s;
    run();
    EXPECT_EQ(server_below.connections(), 0u);
}

TEST_F(TlsBounds, WithoutMemoryNothingIsHalfSent) {
    start();
    const auto with = trusting();
    const net::ConnId c = open(*with);
    client_below.pool_dry = true;
    EXPECT_FALSE(say(*client, c, "refused"));
    client_below.pool_dry = false;
    expect_talk(c, accepted);

    server_below.pool_dry = true;  // no handshake can be answered
    const auto other = trusting();
    const net::ConnId late = open(*other);
    EXPECT_FALSE(at_client[late].open);
    EXPECT_EQ(server->tls_counters().handshakes_refused.value(), 1u);
    server_below.pool_dry = false;
    expect_talk(c, accepted == net::kNoConn ? net::ConnId{0} : accepted);
}

// The buffers for cut records are used up: who comes then is read later, and nobody loses anything.
TEST_F(TlsBounds, OutOfPlaintextBuffersReadingWaits) {
    start({.certificates = {localhost()}, .client_ca = {}}, {.plaintext_buffers = 1});
    const auto with = trusting();
    const net::ConnId a = open(*with);
    const net::ConnId at_a = accepted;
    const net::ConnId b = open(*with);
    const net::ConnId at_b = accepted;
    server_below.piece = 1000;
    const std::string text = content(40'000, 1);
    ASSERT_TRUE(say(*client, a, text));
    ASSERT_TRUE(say(*client, b, text));
    client->close(b);  // its end waits as well
    run(2);
    EXPECT_GT(server->tls_counters().plaintext_put_off.value(), 0u);
    EXPECT_TRUE(server_below.paused(at_b));
    run(20);
    EXPECT_EQ(at_server[at_a].received, text);
    EXPECT_EQ(at_server[at_b].received, text);
    EXPECT_TRUE(at_server[at_b].peer_closed);
    EXPECT_EQ(at_server[at_b].peer_closed_reason, CloseReason::kNone);
    EXPECT_FALSE(server_below.paused(at_a));
    EXPECT_EQ(server->inputs_in_use(), 0u);
    server_below.piece = 1448;
    expect_talk(a, at_a);
}

TEST_F(TlsBounds, WhoIsHeldBackAndPausedHearsNothingUntilBothAreOver) {
    start({.certificates = {localhost()}, .client_ca = {}}, {.plaintext_buffers = 1});
    const auto with = trusting();
    const net::ConnId a = open(*with);
    const net::ConnId at_a = accepted;
    const net::ConnId b = open(*with);
    const net::ConnId at_b = accepted;
    server_below.piece = 1000;
    const std::string text = content(10'000, 1);
    ASSERT_TRUE(say(*client, a, text));
    ASSERT_TRUE(say(*client, b, text));
    run(1);
    ASSERT_TRUE(server_below.paused(at_b));
    server->pause(at_b);
    const std::size_t before = at_server[at_b].received.size();
    run(10);
    EXPECT_EQ(at_server[at_a].received, text);
    EXPECT_EQ(at_server[at_b].received.size(), before);
    server->resume(at_b);
    run(10);
    EXPECT_EQ(at_server[at_b].received, text);

    // One that ends meanwhile leaves nothing behind.
    ASSERT_TRUE(say(*client, a, text));
    ASSERT_TRUE(say(*client, b, text));
    run(1);
    server->abort(at_b);
    run(10);
    EXPECT_EQ(at_server[at_a].received, text + text);
    EXPECT_EQ(server->inputs_in_use(), 0u);
    EXPECT_EQ(server->plaintexts_in_use(), 0u);
}

// Thousands of records behind the handshake's last flight fill few buffers.
TEST_F(TlsBounds, ManySmallRecordsBehindTheHandshakeShareBuffers) {
    start({.certificates = {localhost()}, .client_ca = {}}, {.plaintext_buffers = 4});
    const auto with = trusting();
    accepted = net::kNoConn;
    const net::ConnId c = client->connect_secure({}, *with, now);
    for (int i = 0; i < 10 && !at_client[c].open; ++i) {
        turn(*client, at_client);
        if (!at_client[c].open) turn(*server, at_server);
    }
    ASSERT_TRUE(at_client[c].open);
    std::string text;
    for (int i = 0; i < 1000; ++i) {
        const std::string one = content(10, static_cast<unsigned>(i));
        ASSERT_TRUE(say(*client, c, one));
        client->flush(now);
        text += one;
    }
    run();
    EXPECT_EQ(at_server[accepted].received, text);
    EXPECT_EQ(server->tls_counters().plaintext_refused.value(), 0u);
    EXPECT_EQ(server->tls_counters().plaintext_put_off.value(), 0u);
}

// The PROXY protocol's specification, section 2: its header precedes what the client says, here its hello.
TEST_F(TlsBounds, AProxyHeaderStandsBeforeTheHello) {
    start({.certificates = {localhost()}, .client_ca = {}},
          {.handshake_timeout = 5s, .proxy_protocol = true});
    const auto with = trusting();
    const std::string_view local("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);  // version 2, LOCAL
    for (const std::string_view header : {std::string_view("PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n"),
                                          std::string_view("PROXY UNKNOWN\r\n"), local}) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1448}}) {
            server_below.piece = piece;
            accepted = net::kNoConn;
            const net::ConnId c = client->connect_secure({}, *with, now);
            at_client[c] = {};
            ASSERT_TRUE(write_bytes(client_below, c, std::as_bytes(std::span(header))));
            run(30);
            ASSERT_TRUE(at_client[c].open) << header << piece;
            ASSERT_NE(accepted, net::kNoConn);
            const bool named = header.starts_with("PROXY TCP4");
            EXPECT_EQ(net::to_string(server->peer(accepted)) == "192.0.2.7:5000", named);
            expect_talk(c, accepted);
            client->abort(c);
            run();
        }
    }
    // A hello without one, which nobody may send past the balancer, is ended; so is half a header, in time.
    const auto bare = trusting();
    const net::ConnId c = open(*bare);
    EXPECT_FALSE(at_client[c].open);
    EXPECT_EQ(server->tls_counters().proxy_refused.value(), 1u);
    const net::ConnId half = connect_raw();
    say_raw(half, "PROXY TC");
    now += 6s;
    run_raw(half);
    EXPECT_TRUE(raw_ended);
    EXPECT_EQ(server->tls_counters().handshakes_timed_out.value(), 1u);
}

// A plain connection's bytes, then TLS on it, as behind a proxy's CONNECT.
TEST_F(TlsBounds, TlsBeginsOnAPlainConnection) {
    start();
    const auto with = trusting();
    const net::ConnId c = client->connect({}, now);
    turn(*client, at_client);
    EXPECT_TRUE(at_client[c].open);
    EXPECT_FALSE(client->secured(c));
    at_client[c] = {};
    client->secure(c, *with);
    run();
    EXPECT_TRUE(at_client[c].open) << "kConnected comes once more";
    expect_talk(c, accepted);
}

TEST_F(TlsBounds, PlainListenersPassThrough) {
    MemoryCarrier::join(server_below, client_below);
    server = std::move(*Secured::create(server_below, {}));
    client = std::move(*Secured::create(client_below, {}));
    ASSERT_TRUE(server->listen({}));
    const net::ConnId c = client->connect({}, now);
    run();
    ASSERT_NE(accepted, net::kNoConn);
    EXPECT_FALSE(server->secured(accepted));
    expect_talk(c, accepted, 20000);
    const auto shared = server->make_shared(std::as_bytes(std::span("shared", 6)));
    at_client[c].received.clear();
    ASSERT_TRUE(server->append(accepted, shared));
    run();
    EXPECT_EQ(at_client[c].received, "shared");
    client->close(c);
    run();
    EXPECT_EQ(at_server[accepted].peer_closed_reason, CloseReason::kNone);
}

// Messages of one connection share a record; whoever comes between ends it.
TEST_F(TlsBounds, WhatIsWrittenTogetherIsOneRecord) {
    start();
    const auto with = trusting();
    const net::ConnId a = open(*with), at_a = accepted;
    const net::ConnId b = open(*with), at_b = accepted;
    const auto records = [&] { return server->tls_counters().records_sent.value(); };
    const auto before = records();
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(say(*server, at_a, "together "));
    ASSERT_TRUE(say(*server, at_b, "apart"));
    ASSERT_TRUE(say(*server, at_a, "again"));
    server->flush(now);
    EXPECT_EQ(records(), before + 3);
    run();
    EXPECT_TRUE(at_client[a].received.starts_with("together together"));
    EXPECT_TRUE(at_client[a].received.ends_with("again"));
    EXPECT_EQ(at_client[b].received, "apart");
    // What was staged for a connection that is aborted goes nowhere.
    ASSERT_TRUE(say(*server, at_a, "never"));
    server->abort(at_a);
    ASSERT_TRUE(say(*server, at_b, " still"));
    run();
    EXPECT_EQ(at_client[b].received, "apart still");
    EXPECT_EQ(at_client[a].closed, CloseReason::kReset);
}

}  // namespace
}  // namespace millrace::test
