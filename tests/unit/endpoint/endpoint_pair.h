#pragma once
// A server endpoint and a client endpoint in memory, and raw connections beside the client.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/endpoint/endpoint.h"
#include "engine/http/credentials.h"
#include "tests/unit/endpoint/memory_carrier.h"

namespace millrace::test {

using ws::CloseCode;
using ws::Opcode;

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}

inline std::uint64_t open_now(const auto& endpoint) {
    return endpoint.counters().opened.value() - endpoint.counters().ended.value();
}

struct Heard {
    std::vector<std::string> messages;
    std::vector<std::pair<CloseCode, std::string>> closes;
    std::vector<std::string> failures;
    int opens = 0, drains = 0, pongs = 0;
};

struct Echo {
    Heard* heard;
    void on_open(auto&) { ++heard->opens; }
    void on_message(auto& ws, const Message& message) {
        if (ws.send(message) != SendStatus::kSent) heard->failures.push_back("an answer was refused");
    }
    void on_close(auto&, CloseCode code, std::string_view reason) {
        heard->closes.emplace_back(code, reason);
    }
};

// Opens for who says his name in the query, greets him, and tells where he is.
struct Guarded {
    struct State {
        char name;
    };
    Access authorise(const http::Request& request, State& state) {
        char decoded[8];
        const auto name = http::query_parameter(request, "name", decoded);
        if (!name) return Access::unauthorised("who is it?", "Bearer realm=\"names\"");
        if (*name == "mallory") return Access::forbid("not you");
        state.name = name->front();
        return Access::allow();
    }
    void on_open(auto& ws) {
        ws.send_text(std::string("hello ") + ws.state().name + " at " + net::to_string(ws.peer()));
    }
};

struct Listener {
    struct State {
        int received;
    };
    Heard* heard;
    void on_open(auto&) { ++heard->opens; }
    void on_message(auto& ws, const Message& message) {
        ++ws.state().received;
        std::vector<std::byte> scratch;
        heard->messages.emplace_back(message.text(scratch));
    }
    void on_pong(auto&, std::span<const std::byte>) { ++heard->pongs; }
    void on_drain(auto&) { ++heard->drains; }
    void on_close(auto&, CloseCode code, std::string_view reason) {
        heard->closes.emplace_back(code, reason);
    }
    void on_failed(net::ConnId, std::string_view why) { heard->failures.emplace_back(why); }
};

// A server endpoint with /echo and a page, joined to a client endpoint and, through the same carrier, to
// raw connections on which a test says exactly what it wants.
class EndpointPair : public ::testing::Test {
  protected:
    using Server = Endpoint<MemoryCarrier, Echo, Guarded>;
    using Client = Endpoint<MemoryCarrier, Listener>;

    static constexpr std::size_t kLongPage = 100'000;

    void start(EndpointConfig config = {}, EndpointConfig client_config = {}) {
        MemoryCarrier::join(server_side, client_side);
        auto server_app = app(route("/echo", Echo{&served}), route("/guarded", Guarded{}),
                              page("/", "text/html", "<p>hello</p>"), page("/healthz", "text/plain", "ok\n"),
                              page("/long", "text/plain", std::string(kLongPage, 'l')),
                              guarded(page("/figures", "text/plain", "3\n")));
        auto made = Server::create(server_side, config, std::move(server_app));
        ASSERT_TRUE(made);
        server = std::move(*made);
        ASSERT_TRUE(server_side.listen({}));
        auto client_app = app(route("/echo", Listener{&heard}));
        auto made_client = Client::create(client_side, client_config, std::move(client_app));
        ASSERT_TRUE(made_client);
        client = std::move(*made_client);
        target = client->add_target<Listener>({.host = "server:9001", .path = "/echo"});
    }

    void poll_server() {
        server->handle(server_side.poll(now), now);
        server->tick(now);
        server_side.flush(now);
    }
    void poll_client() {
        client->handle(client_side.poll(now), now);
        client->tick(now);
        client_side.flush(now);
    }
    void run(int polls = 20) {
        for (int i = 0; i < polls; ++i) {
            poll_client();
            poll_server();
            now += 1us;
        }
    }
    net::ConnId open() {
        const net::ConnId id = client->connect({}, target, now);
        run();
        return id;
    }
    auto socket(net::ConnId id) { return client->socket<Listener>(id); }

    // --- raw connections to the server, beside the client endpoint ---
    struct Raw {
        net::ConnId id = net::kNoConn;
        std::string got;
        bool ended = false;   // the server will send no more
        bool closed = false;  // the connection is over
    };
    // Polls the server and the raw connection (the client endpoint is not used in such a test).
    void run_raw(Raw& raw, int polls = 6) {
        for (int i = 0; i < polls; ++i) {
            client_side.flush(now);
            poll_server();
            for (auto& event : client_side.poll(now)) {
                if (event.conn != raw.id) continue;
                const auto bytes = event.bytes.bytes();
                raw.got.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                raw.ended |= event.kind == net::EventKind::kPeerClosed;
                raw.closed |= event.kind == net::EventKind::kClosed;
            }
            now += 1us;
        }
    }
    Raw connect_raw() {
        Raw raw;
        raw.id = client_side.connect({}, now);
        run_raw(raw);
        return raw;
    }
    void say(Raw& raw, std::string_view text) {
        ASSERT_TRUE(write_bytes(client_side, raw.id, as_bytes(text)));
        run_raw(raw);
    }
    static std::string upgrade_request(std::string_view path = "/echo", std::string_view fields = "") {
        return "GET " + std::string(path) +
               " HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
               std::string(fields) + "\r\n";
    }
    Raw open_raw(std::string_view fields = "") {
        Raw raw = connect_raw();
        say(raw, upgrade_request("/echo", fields));
        EXPECT_TRUE(raw.got.starts_with("HTTP/1.1 101 ")) << raw.got;
        EXPECT_NE(raw.got.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);  // section 1.3's example
        raw.got.clear();
        return raw;
    }
    // A masked frame with the key 0, whose payload is thus as it is written.
    static std::string frame(Opcode opcode, std::string_view payload, bool fin = true, bool rsv1 = false) {
        std::byte head[ws::kMaxHeader];
        const std::size_t size = ws::encode_header(head, opcode, fin, payload.size(), ws::MaskKey{0}, rsv1);
        return std::string(reinterpret_cast<const char*>(head), size) + std::string(payload);
    }
    // The code of the Close frame that `got` ends with.
    static int close_code(const std::string& got) {
        for (std::size_t i = 0; i + 4 <= got.size(); ++i)
            if (got[i] == '\x88')
                return (static_cast<unsigned char>(got[i + 2]) << 8) | static_cast<unsigned char>(got[i + 3]);
        return -1;
    }

    MemoryCarrier server_side, client_side;
    Heard served, heard;
    std::unique_ptr<Server> server;
    std::unique_ptr<Client> client;
    std::uint8_t target = 0;
    Time now{1s};
};

}  // namespace millrace::test
