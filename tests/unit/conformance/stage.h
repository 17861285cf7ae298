#pragma once
// A whole endpoint in either role over one carrier, and a peer of it that sends octets as it is told, over
// another: what the conformance suite is played on. The endpoint answers every message with the same message.

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/endpoint/endpoint.h"
#include "tests/unit/carrier/carrier_pair.h"

namespace millrace::conformance {

// What the application heard.
struct Heard {
    int opens = 0, failures = 0;
    std::vector<int> closes;
};

struct Echo {
    Heard* heard;
    void on_open(auto&) { ++heard->opens; }
    void on_message(auto& ws, const Message& message) { ws.send(message); }
    void on_close(auto&, ws::CloseCode code, std::string_view) {
        heard->closes.push_back(static_cast<int>(code));
    }
    void on_failed(net::ConnId, std::string_view) { ++heard->failures; }
};

template <class Pair>
class Stage {
  public:
    using Carrier = typename Pair::Carrier;

    Stage(ws::Role role, const EndpointConfig& config)
        : role_(role),
          // The peer's own bound lets it send the longest case in one go.
          pair_({.server_connections = 8, .client_connections = 8, .send_limit = 48u << 20}),
          carrier_(role == ws::Role::kServer ? pair_.server() : pair_.client()),
          peer_(role == ws::Role::kServer ? pair_.client() : pair_.server()),
          address_(pair_.listen()) {
        auto made = Endpoint<Carrier, Echo>::create(
            carrier_, config, app(route("/echo", Echo{&heard}), page("/page", "text/plain", "page\n")));
        if (!made) throw std::runtime_error(made.error().message);
        endpoint_ = std::move(*made);
    }

    // A target of the client's, for open().
    std::uint8_t add_target(ClientTarget target) {
        return endpoint_->template add_target<Echo>(std::move(target));
    }

    // A new TCP connection between the two. As a client the endpoint has sent its request to `target`, which
    // is then in received().
    void open(std::uint8_t target = 0) {
        heard = {};
        if (role_ == ws::Role::kServer) {
            id_ = peer_.connect(address_, now_);
            until([&] { return peer_[id_].open; });
            return;
        }
        const std::size_t before = peer_.accepted.size();
        endpoint_->connect(address_, target, now_);
        until([&] { return peer_.accepted.size() > before; });
        id_ = peer_.accepted.back();
        until([&] { return received().ends_with("\r\n\r\n"); });
    }

    // The peer sends, however long it takes the endpoint to read; false when that does not end.
    bool send(std::string_view bytes, std::size_t piece = 64 << 10) {
        while (!bytes.empty()) {
            const std::string_view next = bytes.substr(0, piece);
            const auto written = [&] {
                return net::test::write(peer_.carrier, id_, std::as_bytes(std::span(next)));
            };
            if (!until(written)) return false;
            bytes.remove_prefix(next.size());
        }
        turn();
        return true;
    }
    // What came from the endpoint since open() or forget().
    std::string_view received() {
        const auto& bytes = peer_[id_].received;
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    void forget() { peer_[id_].received.clear(); }
    // The endpoint will send no more.
    bool ended() { return peer_[id_].peer_closed || peer_[id_].closed.has_value(); }

    void turn() {
        now_ = pair_.next_time();
        endpoint_->handle(carrier_.poll(now_), now_);
        endpoint_->tick(now_);
        carrier_.flush(now_);
        peer_.turn(now_);
    }
    void turns(int n) {
        while (n-- > 0)
            turn();
    }
    // Turns until `reached`; false when it never is.
    template <class Reached>
    bool until(Reached reached) {
        for (int i = 0; i < kMostTurns; ++i) {
            if (reached()) return true;
            turn();
        }
        return reached();
    }

    // The peer resets the connection, so that the next case finds nothing of this one.
    void close() {
        if (!peer_[id_].closed) {
            peer_.carrier.abort(id_);
            peer_[id_].closed = net::CloseReason::kReset;
        }
        until([&] { return carrier_.connections() == 0 && peer_.carrier.connections() == 0; });
    }

    Heard heard;

  private:
    // For what does not happen: a failing case ends, too.
    static constexpr int kMostTurns = 20'000;

    ws::Role role_;
    Pair pair_;
    Carrier& carrier_;
    net::test::End<Carrier> peer_;
    net::SocketAddress address_;
    std::unique_ptr<Endpoint<Carrier, Echo>> endpoint_;
    net::ConnId id_ = net::kNoConn;
    Time now_ = pair_.next_time();
};

}  // namespace millrace::conformance
