#include "bench/lab/server.h"

namespace millrace::bench {

Expected<std::unique_ptr<ServerShard>> ServerShard::create(LabCarrier& carrier, const EndpointConfig& config,
                                                           const Pattern& pattern, std::uint64_t connections,
                                                           BareRing* ring,
                                                           std::shared_ptr<fanout::FeedGround> ground,
                                                           FanoutBoard* board) {
    std::unique_ptr<ServerShard> shard(new ServerShard(carrier, connections, ring, board));
    auto endpoint = ServerEndpoint::create(carrier, config,
                                           app(route("/echo", LabServer(pattern, shard->books_)),
                                               route("/ws", fanout::Feed(std::move(ground)))));
    if (!endpoint) return tl::unexpected(endpoint.error());
    shard->endpoint_ = std::move(*endpoint);
    return shard;
}

void ServerShard::iterate() {
    if (mailbox_.has_new()) [[unlikely]]
        obey(mailbox_.take());
    if (on_floor_) return ring_->return_ball();
    const Time now = clock_.now();
    stalls_.turn(now);
    endpoint_->handle(carrier_.poll(now), now);
    if (publishing_ && publisher_->tick(endpoint_->handler<fanout::Feed>(), now)) {
        publishing_ = false;
        mailbox_.done();
    }
    endpoint_->tick(now);
    carrier_.flush(now);
}

void ServerShard::obey(Order order) {
    stalls_.leave_out();
    on_floor_ = order == Order::kFloor && ring_ != nullptr;
    if (order == Order::kPopulate) endpoint_->populate(connections_);
    if (order == Order::kReport) {
        report_ = make_report(carrier_, *endpoint_, stalls_);
        reported_books_ = books_;
    }
    if (order == Order::kFanout && publisher_) {
        publisher_->begin(clock_.now());
        publishing_ = true;
        return;
    }
    mailbox_.done();
}

}  // namespace millrace::bench
