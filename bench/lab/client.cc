#include "bench/lab/client.h"

#include "bench/control/share.h"
#include "bench/lab/options.h"

namespace millrace::bench {

void LabClient::on_open(ClientSocket& ws) {
    if (shard_->order_ == Order::kChurn) return shard_->churn_.on_open(shard_->talker_, ws);
    shard_->talker_.opened(ws);
    shard_->connect_.on_open(shard_->talker_);
}

void LabClient::on_failed(net::ConnId, std::string_view why) {
    if (shard_->order_ == Order::kChurn) return shard_->churn_.on_failed(why);
    shard_->connect_.on_failed(shard_->talker_, why);
}

void LabClient::on_message(ClientSocket& ws, const Message& message) {
    switch (shard_->order_) {
        case Order::kEcho:
            return shard_->echo_.on_message(shard_->talker_, ws, message);
        case Order::kScatter:
            return shard_->scatter_.on_message(shard_->talker_, ws, message);
        case Order::kChurn:
            return shard_->churn_.on_message(shard_->talker_, ws, message);
        case Order::kLatency:
            return shard_->latency_.on_message(shard_->talker_, shard_->clock_, ws, message);
        case Order::kHold:
            return shard_->hold_.on_message(shard_->talker_, ws, message);
        // An echo that comes when nobody waits for one: hear() judges it.
        default:
            shard_->talker_.hear(ws, message);
    }
}

void LabClient::on_drain(ClientSocket& ws) {
    if (shard_->order_ == Order::kEcho) shard_->echo_.on_drain(shard_->talker_, ws);
}

void LabClient::on_close(ClientSocket& ws, ws::CloseCode code, std::string_view) {
    if (shard_->order_ == Order::kChurn) return shard_->churn_.on_close(ws, code);
    if (shard_->order_ == Order::kClose) return shard_->close_.on_close(code);
    shard_->talker_.closed(ws);
}

ClientShard::ClientShard(LabCarrier& carrier, const Setup& setup)
    : carrier_(carrier),
      connections_(share(setup.options.connections, setup.index, setup.options.client_cores.size())),
      talker_({.pattern = setup.pattern,
               .payload = setup.options.payload,
               .index = setup.index,
               .shards = static_cast<unsigned>(setup.options.client_cores.size()),
               .connections = connections_}),
      connect_(setup.server, connections_),
      hold_(setup.options.seed + setup.index, setup.options.hold_for),
      echo_(setup.options,
            share(setup.options.echo_connections, setup.index, setup.options.client_cores.size())),
      scatter_(setup.options,
               share(setup.options.echo_connections, setup.index, setup.options.client_cores.size()),
               setup.options.seed + setup.index),
      latency_(setup.options),
      churn_(setup.server, setup.options),
      fanout_({.board = setup.fanout,
               .server = setup.server,
               .subscribers =
                   share(setup.options.fanout_subscribers, setup.index, setup.options.client_cores.size()),
               .stalled = share(setup.options.fanout_stalled, setup.index, setup.options.client_cores.size()),
               .seed = setup.options.seed + setup.index,
               .index = setup.index}),
      ring_(setup.ring) {}

Expected<std::unique_ptr<ClientShard>> ClientShard::create(LabCarrier& carrier, const EndpointConfig& config,
                                                           const Setup& setup) {
    std::unique_ptr<ClientShard> shard(new ClientShard(carrier, setup));
    auto endpoint = ClientEndpoint::create(
        carrier, config, app(route("/echo", LabClient(*shard)), route("/ws", FanoutClient(shard->fanout_))));
    if (!endpoint) return tl::unexpected(endpoint.error());
    shard->endpoint_ = std::move(*endpoint);
    shard->talker_.attach(*shard->endpoint_);
    return shard;
}

void ClientShard::iterate() {
    if (mailbox_.has_new()) [[unlikely]]
        obey(mailbox_.take(), clock_.now());
    if (order_ == Order::kFloor) {
        if (!floor_.tick(*ring_, clock_)) return;
        order_ = Order::kServe;
        mailbox_.done();
        return;
    }
    const Time now = clock_.now();
    stalls_.turn(now);
    latency_.turn(now, idle_);
    const std::uint64_t said = talker_.said();
    const auto events = carrier_.poll(now);
    const bool heard = !events.empty();
    endpoint_->handle(events, now);
    if (order_ != Order::kServe && tick(now)) {
        order_ = Order::kServe;
        mailbox_.done();
    }
    idle_ = !heard && talker_.said() == said;
    endpoint_->tick(now);
    carrier_.flush(now);
}

void ClientShard::obey(Order order, Time now) {
    stalls_.leave_out();
    idle_ = false;
    order_ = order;
    switch (order) {
        case Order::kConnect:
            return connect_.begin(talker_, now);
        case Order::kHold:
            return hold_.begin(talker_, now);
        case Order::kEcho:
            return echo_.begin(talker_, now);
        case Order::kScatter:
            return scatter_.begin(talker_, now);
        case Order::kLatency:
            return latency_.begin(talker_, now);
        case Order::kChurn:
            return churn_.begin(talker_, now);
        case Order::kClose:
            return close_.begin(talker_, now);
        case Order::kFanoutOpen:
            return fanout_.begin_opening(*endpoint_, now);
        case Order::kFanoutStall:
            fanout_.stall(*endpoint_);
            break;
        case Order::kFanout:
            return fanout_.begin(now);
        case Order::kFloor:
            return floor_.begin(now);
        case Order::kReport:
            report_ = make_report(carrier_, *endpoint_, stalls_);
            break;
        case Order::kPopulate:
            endpoint_->populate(connections_);
            break;
        case Order::kServe:
            break;
    }
    order_ = Order::kServe;
    mailbox_.done();
}

// True when the stage is over.
bool ClientShard::tick(Time now) {
    switch (order_) {
        case Order::kConnect:
            return connect_.tick(talker_, now);
        case Order::kHold:
            return hold_.tick(talker_, now);
        case Order::kEcho:
            return echo_.tick(talker_, now);
        case Order::kScatter:
            return scatter_.tick(talker_, now);
        case Order::kChurn:
            return churn_.tick(talker_, now);
        case Order::kClose:
            return close_.tick(talker_, now);
        case Order::kLatency:
            return latency_.tick(talker_, clock_, now);
        case Order::kFanoutOpen:
            return fanout_.tick_opening(*endpoint_, now);
        case Order::kFanout:
            return fanout_.tick(now);
        default:
            return true;
    }
}

}  // namespace millrace::bench
