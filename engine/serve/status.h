#pragma once
// What `millrace serve` says of itself: the page at /, the WebSocket at /status that feeds it, and /metrics
// for Prometheus. Each shard writes what it has counted onto a board once a second, and tells those who watch
// it what all shards have.

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/endpoint/routes.h"
#include "engine/endpoint/websocket.h"
#include "engine/fanout/feed.h"
#include "engine/status/texts.h"

namespace millrace {

class Status {
  public:
    explicit Status(std::shared_ptr<status::Board> board) : board_(std::move(board)) {}

    template <class EndpointType>
    Expected<void> on_shard(EndpointType& endpoint) {
        board_->join([&](auto&& visitor) { visit(endpoint, visitor); });
        return {};
    }

    template <class Socket>
    void on_open(Socket& ws) {
        if (watchers_.size() == kMostWatchers)
            return ws.close(ws::CloseCode::kTryAgainLater, "enough others watch this server");
        watchers_.push_back(ws.id());
    }
    void on_message(auto&, const Message&) {}
    template <class Socket>
    void on_close(Socket& ws, ws::CloseCode, std::string_view) {
        std::erase(watchers_, ws.id());
    }

    template <class EndpointType>
    void on_poll(EndpointType& endpoint, Time now) {
        if (now < next_) return;
        if (began_ == Time{}) began_ = now;
        next_ = now + status::Board::kPeriod;
        board_->write(endpoint.shard(), [&](auto&& visitor) { visit(endpoint, visitor); });
        if (watchers_.empty()) return;
        const std::string text = status::report(*board_, std::chrono::duration<double>(now - began_).count());
        for (const net::ConnId id : watchers_)
            endpoint.template socket<Status>(id).send_text(text);  // who has no room misses one
    }

  private:
    static constexpr std::size_t kMostWatchers = 16;  // of a shard

    template <class EndpointType, class Visitor>
    static void visit(EndpointType& endpoint, Visitor& visitor) {
        std::array<char, 64> text;
        const auto joined = [&text](std::string_view prefix, auto rest) {
            const auto end = fmt::format_to_n(text.data(), text.size(), "{}{}", prefix, rest).out;
            return std::string_view(text.data(), static_cast<std::size_t>(end - text.data()));
        };
        const auto named = [&](std::string_view name, std::uint64_t value) {
            visitor(joined("fanout_", name), value);
        };
        endpoint.counters().visit(visitor);
        fanout::Feed& feed = endpoint.template handler<fanout::Feed>();
        const fanout::Hub& hub = feed.hub();
        hub.counters().visit(named);
        named("subscriptions", hub.subscriptions().size());
        named("lagging", hub.lagging());
        named("source_refused", feed.source_refused());
        for (std::size_t i = 1; i < fanout::Breadth::kBuckets; ++i)
            visitor(joined(status::kBreadth, fanout::Breadth::bound(i)), hub.breadth().messages(i));
        endpoint.carrier().visit_own_counters(visitor);
    }

    std::shared_ptr<status::Board> board_;
    Time began_{}, next_{};
    std::vector<net::ConnId> watchers_;
};

// The page, as HTML.
extern const char* const kStatusPage;

}  // namespace millrace
