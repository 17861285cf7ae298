#pragma once
// The server's side of fan-out, as a handler of an endpoint: subscribers on /feed, and on /ws and /stream in
// the words of exchanges; publishers on /publish. Each shard has its own, with its own hub.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/endpoint/message.h"
#include "engine/endpoint/websocket.h"
#include "engine/fanout/encode.h"
#include "engine/fanout/exchange.h"
#include "engine/fanout/hub.h"
#include "engine/fanout/outlet.h"
#include "engine/fanout/read_request.h"
#include "engine/fanout/stream_path.h"
#include "engine/handshake/access.h"
#include "engine/http/credentials.h"
#include "engine/http/message.h"

namespace millrace::fanout {

struct FeedConfig {
    HubConfig hub;
    AccessTokens publish_tokens;   // of which /publish asks for one
    bool open_publishing = false;  // without any, whether everybody may publish, or nobody
    bool source = false;           // there is one besides publishers
};

// What the shards of a server have in common. Made before them, and outlives them.
struct FeedGround {
    FeedGround(FeedConfig config, unsigned shards);

    FeedConfig config;
    Exchange exchange;
    // From the source's thread to the first shard, which leaves there what it cannot take yet; null without
    // one.
    std::unique_ptr<PublicationRing> source;
    Counter source_refused;            // of what came by it
    std::atomic<unsigned> started{0};  // shards, numbered as they start
};

class Feed {
  public:
    struct State {
        bool publisher;
        Dialect dialect;
    };

    explicit Feed(std::shared_ptr<FeedGround> ground) : ground_(std::move(ground)) {}

    // --- the endpoint's hooks (endpoint/routes.h) ---
    template <class EndpointType>
    Expected<void> on_shard(EndpointType& endpoint);
    bool serves(std::string_view path) const;
    Access authorise(const http::Request& request, std::string_view subprotocol, State& state);
    template <class Socket>
    void on_open(Socket& ws);
    template <class Socket>
    void on_message(Socket& ws, const Message& message);
    template <class Socket>
    void on_close(Socket& ws, ws::CloseCode, std::string_view);
    template <class EndpointType>
    void on_poll(EndpointType& endpoint, Time now);
    std::size_t memory_in_use() const { return hub_ ? hub_->memory_in_use() : 0; }

    // --- this shard's ---
    // `p` as it came from a publisher of this shard; its time is set here.
    ErrorCode publish(Publication p);
    // Whether publishers should wait before they send more.
    bool crowded() const;
    Hub& hub() { return *hub_; }
    const std::shared_ptr<FeedGround>& ground() const { return ground_; }
    // Of the source's publications, those that this shard could not take.
    std::uint64_t source_refused() const { return shard_ == 0 ? ground_->source_refused.value() : 0; }

  private:
    ErrorCode number(const Publication& p);
    void receive();
    void receive_from_source();
    std::uint64_t wall_ns();
    template <class Socket>
    void on_request(Socket& ws, Request& request, ErrorCode error);
    template <class Socket>
    void reply(Socket& ws, const Reply& reply);

    std::shared_ptr<FeedGround> ground_;
    std::shared_ptr<Hub> hub_;  // of this copy alone, once it has started
    std::shared_ptr<RequestReader> reader_;
    unsigned shard_ = 0;
    std::uint64_t wall_ns_ = 0;        // of this poll, once it has been asked for
    std::vector<std::string> asked_;   // by the path of a request that is being answered
    std::vector<net::ConnId> paused_;  // publishers
    Request request_;
    std::vector<std::byte> joined_, frames_;  // scratch
};

template <class EndpointType>
Expected<void> Feed::on_shard(EndpointType& endpoint) {
    auto hub = Hub::create(ground_->config.hub, endpoint.carrier().max_connections());
    if (!hub) return tl::unexpected(hub.error());
    hub_ = std::move(*hub);
    reader_ = std::make_shared<RequestReader>(ground_->config.hub.log.max_payload * 2 + kMaxRequestBytes);
    shard_ = ground_->started.fetch_add(1);
    return {};
}

template <class Socket>
void Feed::on_open(Socket& ws) {
    const State& state = ws.state();
    if (state.publisher) return;
    const std::uint32_t connection = net::index(ws.id());
    hub_->open(connection, state.dialect);
    if (asked_.empty()) return;
    const std::vector<std::string_view> topics(asked_.begin(), asked_.end());
    std::string_view culprit;
    if (hub_->subscribe(connection, topics, {}, culprit) != ErrorCode::kNone)
        ws.close(ws::CloseCode::kTryAgainLater, "no room for more subscriptions");
}

template <class Socket>
void Feed::on_message(Socket& ws, const Message& message) {
    const ErrorCode error =
        reader_->read(ws.state().dialect, message.is_text(), message.contiguous(joined_), request_);
    on_request(ws, request_, error);
}

template <class Socket>
void Feed::on_request(Socket& ws, Request& request, ErrorCode error) {
    const std::uint32_t connection = net::index(ws.id());
    const bool publishes = request.kind == Request::Kind::kPublish;
    Reply answer{.id = request.id, .kind = request.kind, .error = error, .culprit = reader_->culprit()};
    if (error != ErrorCode::kNone) return reply(ws, answer);
    answer.culprit = {};
    if (publishes != ws.state().publisher) {
        answer.error = publishes ? ErrorCode::kNotAllowed : ErrorCode::kUnknownRequest;
        return reply(ws, answer);
    }
    switch (request.kind) {
        case Request::Kind::kSubscribe:
            answer.error = hub_->subscribe(connection, request.topics, request.options, answer.culprit);
            break;
        case Request::Kind::kUnsubscribe:
            answer.error = hub_->unsubscribe(connection, request.topics, answer.culprit);
            break;
        case Request::Kind::kList:
            answer.patterns = hub_->list(connection);
            break;
        case Request::Kind::kPublish:
            answer.error = publish(request.publication);
            if (crowded()) {
                ws.pause();
                paused_.push_back(ws.id());
            }
            if (answer.error == ErrorCode::kNone && !request.acknowledge) return;
            break;
    }
    reply(ws, answer);
}

template <class Socket>
void Feed::reply(Socket& ws, const Reply& reply) {
    frames_.clear();
    encode(ws.state().dialect, reply, frames_);
    if (ws.send_encoded(frames_, 1) == SendStatus::kFull)
        ws.close(ws::CloseCode::kTryAgainLater, "no memory left for the answer");
}

template <class Socket>
void Feed::on_close(Socket& ws, ws::CloseCode, std::string_view) {
    if (!ws.state().publisher) return hub_->close(net::index(ws.id()));
    std::erase(paused_, ws.id());
}

template <class EndpointType>
void Feed::on_poll(EndpointType& endpoint, Time now) {
    wall_ns_ = 0;
    if (ground_->exchange.shards() > 1) receive();
    if (shard_ == 0 && ground_->source) receive_from_source();
    EndpointOutlet<EndpointType, Feed> out(endpoint);
    hub_->deliver(out);
    hub_->catch_up(out, now);
    if (paused_.empty() || crowded()) return;
    for (const net::ConnId id : paused_)
        endpoint.template socket<Feed>(id).resume();
    paused_.clear();
}

}  // namespace millrace::fanout
