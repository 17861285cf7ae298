// Handshakes: who is believed, what is agreed on, and in what turn.

#include "tests/unit/tls/tls_pair.h"

namespace millrace::test {
namespace {

using net::CloseReason;

TEST_F(TlsPair, CarriesBothWaysInTls13And12) {
    start();
    for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
        const auto with = trusting();
        SSL_CTX_set_max_proto_version(with->context(), version);
        const net::ConnId c = open(*with);
        ASSERT_TRUE(at_client[c].open) << at_client[c].why;
        ASSERT_NE(accepted, net::kNoConn);
        EXPECT_EQ(SSL_version(client->ssl(c)), version);
        EXPECT_TRUE(client->secured(c) && server->secured(accepted));
        for (const std::size_t n : {1u, 2u, 125u, 1000u, 16384u, 16385u, 70000u, 300000u})
            expect_talk(c, accepted, n);
    }
    EXPECT_EQ(server->tls_counters().handshakes.value(), 2u);
    EXPECT_EQ(server_below.lent(), 0) << "a receive buffer was kept";
}

TEST_F(TlsPair, NothingOlderThanTls12) {
    start();
    const auto with = trusting();
    SSL_CTX_set_min_proto_version(with->context(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(with->context(), TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(with->context(), "ALL:@SECLEVEL=0");
    const net::ConnId c = open(*with);
    EXPECT_FALSE(at_client[c].open);
    EXPECT_EQ(at_client[c].closed, CloseReason::kTlsFailed);
    EXPECT_EQ(accepted, net::kNoConn);
}

// A record may come in any pieces.
TEST_F(TlsPair, EveryByteByItself) {
    start();
    const auto with = trusting();
    server_below.piece = client_below.piece = 1;
    const net::ConnId c = open(*with);
    ASSERT_TRUE(at_client[c].open) << at_client[c].why;
    expect_talk(c, accepted, 300);
}

TEST_F(TlsPair, RecordsCutEverywhere) {
    start();
    const auto with = trusting();
    for (std::size_t piece = 2; piece < 400; piece += piece < 60 ? 1 : 13) {
        server_below.piece = client_below.piece = piece;
        const net::ConnId c = open(*with);
        ASSERT_TRUE(at_client[c].open) << at_client[c].why << ", pieces of " << piece;
        const net::ConnId s = accepted;
        at_server[s].received.clear();
        std::string all;
        for (const std::size_t n : {1u, 30u, 5u, 700u, 64u}) {  // a record each
            const std::string text = content(n, static_cast<unsigned>(n));
            ASSERT_TRUE(say(*client, c, text));
            client->flush(now);
            all += text;
        }
        run();
        ASSERT_EQ(at_server[s].received, all) << "pieces of " << piece;
        client->abort(c);
        run();
        ASSERT_TRUE(at_server[s].closed);
    }
    EXPECT_EQ(server->plaintexts_in_use(), 0u);
}

// RFC 6066 section 3: the certificate is the one for the name, else the first.
TEST_F(TlsPair, TheCertificateIsChosenByName) {
    const auto other = certificates().make(
        {.name = "other", .hosts = {"DNS:other.example", "DNS:*.other.example"}, .rsa = true});
    start({.certificates = {localhost(), other}, .client_ca = {}});
    for (const auto& [host, shown] : std::vector<std::pair<std::string, std::string>>{
             {"localhost", "localhost"}, {"other.example", "other"}, {"A.Other.Example", "other"}}) {
        const auto with = trusting({.host = host});
        const net::ConnId c = open(*with);
        ASSERT_TRUE(at_client[c].open) << host << ": " << at_client[c].why;
        char name[64] = "";
        X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client->ssl(c))),
                                  NID_commonName, name, sizeof name);
        EXPECT_EQ(name, shown);
        client->abort(c);
    }
    const auto unknown = trusting({.host = "localhost", .server_name = "nobody.example"});
    EXPECT_TRUE(at_client[open(*unknown)].open);
    const auto deeper = trusting({.host = "a.b.other.example"});
    EXPECT_FALSE(at_client[open(*deeper)].open);
}

TEST(TlsNames, Wildcards) {
    EXPECT_TRUE(tls::matches_name("a.example", "A.EXAMPLE"));
    EXPECT_TRUE(tls::matches_name("a.example", "a.example."));
    EXPECT_TRUE(tls::matches_name("*.example", "b.example"));
    EXPECT_FALSE(tls::matches_name("*.example", "example"));
    EXPECT_FALSE(tls::matches_name("*.example", ".example"));
    EXPECT_FALSE(tls::matches_name("*.example", "c.b.example"));
    EXPECT_FALSE(tls::matches_name("a.example", "b.example"));
    EXPECT_FALSE(tls::matches_name("a.example", ""));
}

// RFC 7301 section 3.2.
TEST_F(TlsPair, AlpnIsHttp11OrNothing) {
    start();
    const auto protocol_of = [&](net::ConnId c) {
        const unsigned char* name = nullptr;
        unsigned length = 0;
        SSL_get0_alpn_selected(client->ssl(c), &name, &length);
        return std::string(reinterpret_cast<const char*>(name), length);
    };
    const auto with = trusting();
    net::ConnId c = open(*with);
    EXPECT_EQ(protocol_of(c), "http/1.1");
    client->abort(c);

    const auto without = trusting();
    SSL_CTX_set_alpn_protos(without->context(), nullptr, 0);
    c = open(*without);
    EXPECT_TRUE(at_client[c].open);
    EXPECT_EQ(protocol_of(c), "");
    client->abort(c);

    const auto h2 = trusting();
    SSL_CTX_set_alpn_protos(h2->context(), reinterpret_cast<const unsigned char*>("\2h2"), 3);
    c = open(*h2);
    EXPECT_FALSE(at_client[c].open);
    EXPECT_NE(at_client[c].why.find("no application protocol"), std::string::npos) << at_client[c].why;
}

TEST_F(TlsPair, TheLatestSessionIsResumed) {
    start();
    for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
        const auto with = trusting();
        SSL_CTX_set_max_proto_version(with->context(), version);
        const auto resumed = server->tls_counters().resumed.value();
        for (int i = 0; i < 3; ++i) {
            const net::ConnId c = open(*with);
            ASSERT_TRUE(at_client[c].open) << at_client[c].why;
            expect_talk(c, accepted);
            EXPECT_EQ(SSL_session_reused(client->ssl(c)), i > 0) << "connection " << i;
            client->close(c);
            run();
            server->close(accepted);
            run();
        }
        EXPECT_EQ(server->tls_counters().resumed.value(), resumed + 2);
    }
}

TEST_F(TlsPair, WhoWasCutOffResumesToo) {
    start();
    const auto with = trusting();
    for (int i = 0; i < 3; ++i) {
        const net::ConnId c = open(*with);
        EXPECT_EQ(SSL_session_reused(client->ssl(c)), i > 0) << "connection " << i;
        client->abort(c);
        run();
    }
}

// Tickets outlive a reload, and the shard that wrote them.
TEST_F(TlsPair, SessionsAreResumedAfterAReload) {
    start();
    const auto with = trusting();
    net::ConnId c = open(*with);
    expect_talk(c, accepted);
    tls::ServerContextBox box;
    server->take_contexts_from(box);
    auto fresh = context({.certificates = {localhost()}, .client_ca = {}});
    ASSERT_TRUE(box.put(fresh));
    EXPECT_FALSE(box.put(fresh)) << "it has not been taken";
    run();
    EXPECT_EQ(server->tls_counters().contexts_replaced.value(), 1u);
    expect_talk(c, accepted);  // the old connection goes on
    c = open(*with);
    EXPECT_TRUE(SSL_session_reused(client->ssl(c)));
}

TEST_F(TlsPair, NewConnectionsShowTheNewCertificate) {
    start();
    const auto only_old = trusting();
    EXPECT_TRUE(at_client[open(*only_old)].open);
    const auto moved = certificates().make({.name = "moved", .hosts = {"DNS:moved.example"}});
    server->set_server_context(context({.certificates = {moved}, .client_ca = {}}));
    const auto with = trusting({.host = "moved.example"});
    EXPECT_TRUE(at_client[open(*with)].open);
    const auto fresh = trusting();  // with no session to resume
    const net::ConnId c = open(*fresh);
    EXPECT_NE(at_client[c].why.find("hostname mismatch"), std::string::npos) << at_client[c].why;
}

// RFC 5077 section 4: the keys of the hours before are read, and a ticket of theirs is written anew; older
// ones are of no use, whichever shard they come to, and whether certificates were reloaded in between.
TEST_F(TlsPair, TicketKeysTurnWithTheTime) {
    start();
    for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
        const auto with = trusting();
        SSL_CTX_set_max_proto_version(with->context(), version);
        const auto resumes = [&] {
            const auto before = server->tls_counters().resumed.value();
            const net::ConnId c = open(*with);
            EXPECT_TRUE(at_client[c].open) << at_client[c].why;
            expect_talk(c, accepted);  // which brings the ticket
            client->close(c);
            run();
            server->close(accepted);
            run();
            return server->tls_counters().resumed.value() != before;
        };
        EXPECT_FALSE(resumes());
        EXPECT_TRUE(resumes());
        // The time that OpenSSL lets a session live by is the clock's on the wall, which stands still here.
        // In TLS 1.2 OpenSSL's client forgets a session whose ticket is written anew.
        for (int period = 0; period < 3; ++period) {
            now += tls::TicketKeys::kLifetime;
            EXPECT_TRUE(resumes()) << "of the period before";
            EXPECT_EQ(resumes(), version == TLS1_3_VERSION);
        }
        server->set_server_context(context({.certificates = {localhost()}, .client_ca = {}}));
        EXPECT_TRUE(resumes()) << "after a reload, whose own keys are those of the process's start";
        now += 2 * tls::TicketKeys::kLifetime;
        EXPECT_FALSE(resumes()) << "too old";
        // Another shard, of the same first secret, that has looked at the clock more seldom.
        auto shard = context({.certificates = {localhost()}, .client_ca = {}});
        shard->tickets().turn(now);
        EXPECT_TRUE(resumes());
        server = std::move(*Secured::create(server_below, {}));
        server->set_server_context(std::move(shard));
        ASSERT_TRUE(server->listen_secure({}));
        EXPECT_TRUE(resumes()) << "at another shard";
    }
}

// RFC 5746 is of no use here: SSL_OP_NO_RENEGOTIATION answers with the alert no_renegotiation (RFC 5246
// section 7.2.2).
TEST_F(TlsPair, RenegotiationIsRefused) {
    start();
    const auto with = trusting();
    SSL_CTX_set_max_proto_version(with->context(), TLS1_2_VERSION);
    SSL_CTX_clear_options(with->context(), SSL_OP_NO_RENEGOTIATION);
    const net::ConnId c = open(*with);
    ASSERT_EQ(SSL_renegotiate(client->ssl(c)), 1);
    SSL_do_handshake(client->ssl(c));
    run();
    EXPECT_EQ(at_client[c].closed, CloseReason::kTlsFailed);
    EXPECT_NE(at_client[c].why.find("renegotiation"), std::string::npos) << at_client[c].why;
    EXPECT_EQ(server->tls_counters().handshakes.value(), 1u);
}

// RFC 8446 section 4.6.3: both ends may change keys as they like.
TEST_F(TlsPair, KeysAreUpdated) {
    start();
    const auto with = trusting();
    const net::ConnId c = open(*with);
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(SSL_key_update(client->ssl(c), SSL_KEY_UPDATE_REQUESTED), 1);
        ASSERT_EQ(SSL_key_update(server->ssl(accepted), SSL_KEY_UPDATE_REQUESTED), 1);
        expect_talk(c, accepted, 40000);
    }
}

struct Distrusted {
    std::string why;
    Certificates::Subject subject;
    std::string host = "localhost";
};

TEST_F(TlsPair, ServersThatCannotBeBelieved) {
    start();
    const std::vector<Distrusted> all{
        {"self-signed certificate", {.name = "self", .hosts = {"DNS:localhost"}, .self_signed = true}},
        {"certificate has expired", {.name = "late", .hosts = {"DNS:localhost"}, .days = -1}},
        {"hostname mismatch", {.name = "wrong", .hosts = {"DNS:elsewhere.example"}}},
        {"IP address mismatch", {.name = "address", .hosts = {"IP:127.0.0.2"}}, "127.0.0.1"},
    };
    for (const auto& [why, subject, host] : all) {
        server->set_server_context(
            context({.certificates = {certificates().make(subject)}, .client_ca = {}}));
        const auto with = trusting({.host = host});
        const net::ConnId c = open(*with);
        EXPECT_FALSE(at_client[c].open);
        EXPECT_EQ(at_client[c].closed, CloseReason::kTlsFailed);
        EXPECT_NE(at_client[c].why.find("its certificate is not trusted: " + why), std::string::npos)
            << subject.name << ": " << at_client[c].why;
        EXPECT_EQ(accepted, net::kNoConn);

        const auto insecure = trusting({.host = host, .insecure = true});
        const net::ConnId bold = open(*insecure);
        EXPECT_TRUE(at_client[bold].open) << at_client[bold].why;
        client->abort(bold);
        run();
    }
}

TEST_F(TlsPair, AnAddressIsVerifiedAsOne) {
    start();
    const auto with = trusting({.host = "127.0.0.1"});
    const net::ConnId c = open(*with);
    EXPECT_TRUE(at_client[c].open) << at_client[c].why;
    EXPECT_EQ(SSL_get_servername(server->ssl(accepted), TLSEXT_NAMETYPE_host_name), nullptr)
        << "RFC 6066 section 3: literal addresses are not permitted";
}

TEST_F(TlsPair, ClientCertificates) {
    const auto mine = certificates().make({.name = "client", .hosts = {"DNS:client"}});
    const auto strange =
        certificates().make({.name = "stranger", .hosts = {"DNS:client"}, .self_signed = true});
    start({.certificates = {localhost()}, .client_ca = certificates().ca()});
    for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
        const auto attempt = [&](const tls::CertificateFiles& files) {
            const auto with =
                trusting({.host = "localhost", .certificate = files.certificate, .key = files.key});
            SSL_CTX_set_max_proto_version(with->context(), version);
            const net::ConnId c = open(*with);
            const bool let_in = accepted != net::kNoConn;
            if (let_in) expect_talk(c, accepted);
            client->abort(c);
            run();
            return let_in;
        };
        EXPECT_TRUE(attempt(mine));
        EXPECT_FALSE(attempt({}));
        EXPECT_FALSE(attempt(strange));
    }
    EXPECT_EQ(server->tls_counters().handshakes_failed.value(), 4u);
}

TEST(TlsContexts, SayWhichFileIsWrong) {
    const tls::TicketKeys tickets;
    const auto wrong = [&](const tls::ServerConfig& config) {
        const auto made = tls::ServerContext::create(config, tickets);
        return made ? std::string() : made.error().message;
    };
    EXPECT_NE(wrong({}).find("--tls-cert"), std::string::npos);
    const auto files = localhost();
    EXPECT_NE(wrong({.certificates = {{"/nowhere.pem", files.key}}, .client_ca = {}}).find("/nowhere.pem"),
              std::string::npos);
    EXPECT_NE(
        wrong({.certificates = {{files.certificate, "/nowhere.key"}}, .client_ca = {}}).find("/nowhere.key"),
        std::string::npos);
    const auto other = certificates().make({.name = "mismatch", .hosts = {}});
    EXPECT_NE(wrong({.certificates = {{files.certificate, other.key}}, .client_ca = {}})
                  .find("key values mismatch"),
              std::string::npos);
    EXPECT_NE(wrong({.certificates = {files}, .client_ca = "/no-ca.pem"}).find("/no-ca.pem"),
              std::string::npos);
    EXPECT_FALSE(tls::ClientContext::create({.host = "a", .ca = "/no-ca.pem"}));
    EXPECT_FALSE(tls::ClientContext::create({.host = ""}));
}

}  // namespace
}  // namespace millrace::test
