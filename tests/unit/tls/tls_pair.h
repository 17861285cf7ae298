#pragma once
// A secured server and a secured client over carriers in memory.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "engine/tls/tls_carrier.h"
#include "tests/unit/endpoint/memory_carrier.h"
#include "tests/unit/tls/certificates.h"

namespace millrace::test {

using tls::TlsConfig;
using Secured = tls::TlsCarrier<MemoryCarrier>;
static_assert(net::Carrier<Secured>);

inline const tls::CertificateFiles& localhost() {
    static const auto files =
        certificates().make({.name = "localhost", .hosts = {"DNS:localhost", "IP:127.0.0.1"}});
    return files;
}

// What the events have said of one end's connections.
struct TlsSeen {
    std::string received;
    std::string why;
    bool open = false, peer_closed = false;
    net::CloseReason peer_closed_reason{};
    std::optional<net::CloseReason> closed;
};

class TlsPair : public ::testing::Test {
  protected:
    void start(const tls::ServerConfig& config = {.certificates = {localhost()}, .client_ca = {}},
               TlsConfig bounds = {}) {
        MemoryCarrier::join(server_below, client_below);
        auto made = Secured::create(server_below, bounds);
        ASSERT_TRUE(made);
        server = std::move(*made);
        server->set_server_context(context(config));
        ASSERT_TRUE(server->listen_secure({}));
        auto made_client = Secured::create(client_below, bounds);
        ASSERT_TRUE(made_client);
        client = std::move(*made_client);
    }

    std::unique_ptr<tls::ServerContext> context(const tls::ServerConfig& config) {
        auto made = tls::ServerContext::create(config, tickets);
        EXPECT_TRUE(made) << made.error().message;
        return made ? std::move(*made) : nullptr;
    }

    static std::unique_ptr<tls::ClientContext> trusting(tls::ClientConfig config = {.host = "localhost"}) {
        if (config.ca.empty()) config.ca = certificates().ca();
        auto made = tls::ClientContext::create(config);
        EXPECT_TRUE(made) << made.error().message;
        return std::move(*made);
    }

    void turn(Secured& end, std::map<net::ConnId, TlsSeen>& seen) {
        for (auto& event : end.poll(now)) {
            TlsSeen& of = seen[event.conn];
            const auto bytes = event.bytes.bytes();
            switch (event.kind) {
                case net::EventKind::kAccepted:
                    of = {};
                    accepted = event.conn;
                    [[fallthrough]];
                case net::EventKind::kConnected:
                    of.open = true;
                    break;
                case net::EventKind::kReceived:
                    EXPECT_FALSE(bytes.empty());
                    of.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                    break;
                case net::EventKind::kPeerClosed:
                    EXPECT_FALSE(of.peer_closed) << "told twice";
                    of.peer_closed = true;
                    of.peer_closed_reason = event.reason;
                    break;
                case net::EventKind::kClosed:
                    EXPECT_FALSE(of.closed) << "told twice";
                    of.closed = event.reason;
                    of.why = end.why(event.conn);
                    break;
                case net::EventKind::kWritable:
                case net::EventKind::kTimer:
                    break;
            }
        }
        end.flush(now);
    }
    void run(int turns = 20) {
        for (int i = 0; i < turns; ++i) {
            turn(*client, at_client);
            turn(*server, at_server);
            now += 1us;
        }
    }

    net::ConnId open(tls::ClientContext& with, net::SocketAddress address = {}) {
        accepted = net::kNoConn;
        const net::ConnId id = client->connect_secure(address, with, now);
        at_client[id] = {};
        run();
        return id;
    }

    static bool say(Secured& end, net::ConnId id, std::string_view text) {
        return write_bytes(end, id, std::as_bytes(std::span(text)));
    }

    // Each end hears what the other says, exactly.
    void expect_talk(net::ConnId c, net::ConnId s, std::size_t bytes = 1000) {
        const std::string up = content(bytes, 1), down = content(bytes, 2);
        at_client[c].received.clear();
        at_server[s].received.clear();
        ASSERT_TRUE(say(*client, c, up));
        ASSERT_TRUE(say(*server, s, down));
        run();
        EXPECT_EQ(at_server[s].received, up);
        EXPECT_EQ(at_client[c].received, down);
    }
    static std::string content(std::size_t bytes, unsigned seed) {
        std::string text(bytes, '\0');
        for (std::size_t i = 0; i < bytes; ++i)
            text[i] = static_cast<char>((i * 2654435761u + seed * 40503u) >> 13);
        return text;
    }

    MemoryCarrier server_below, client_below;
    tls::TicketKeys tickets;
    std::unique_ptr<Secured> server, client;
    std::map<net::ConnId, TlsSeen> at_server, at_client;
    net::ConnId accepted = net::kNoConn;
    Time now{1s};
};

}  // namespace millrace::test
