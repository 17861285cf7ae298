#include "engine/fanout/feed.h"

#include <algorithm>

#include "engine/http/target.h"

namespace millrace::fanout {

namespace {

constexpr std::size_t kRingBytes = 1u << 20;

}  // namespace

FeedGround::FeedGround(FeedConfig given, unsigned shards)
    : config(std::move(given)), exchange(shards, std::max(kRingBytes, 4 * config.hub.log.max_payload)) {
    if (config.source)
        source = std::make_unique<PublicationRing>(std::max(kRingBytes, 4 * config.hub.log.max_payload));
}

bool Feed::serves(std::string_view path) const {
    return path == "/feed" || path == "/publish" || path == "/stream" || path == "/ws" ||
           path.starts_with("/ws/");
}

Access Feed::authorise(const http::Request& request, std::string_view subprotocol, State& state) {
    asked_.clear();
    if (request.path == "/feed" || request.path == "/publish") {
        const auto dialect = dialect_of(subprotocol);
        if (!dialect) return Access::forbid("this subprotocol is not spoken at this path");
        state.dialect = *dialect;
        state.publisher = request.path == "/publish";
        if (!state.publisher) return Access::allow();
        const FeedConfig& config = ground_->config;
        if (config.publish_tokens.empty() && !config.open_publishing)
            return Access::forbid("nobody may publish here: the server was started without --publish-token");
        return config.publish_tokens.judge(request);
    }
    std::string path(request.path.size(), '\0'), query(request.query.size(), '\0');
    const auto streams =
        parse_stream_path(http::decode_path(request.path, path), http::decode_path(request.query, query));
    if (!streams) return Access::forbid("the path names what is no stream");
    state.dialect = streams->dialect;
    asked_.assign(streams->topics.begin(), streams->topics.end());
    return Access::allow();
}

// One clock reading for all of a poll's publications.
std::uint64_t Feed::wall_ns() {
    if (wall_ns_ == 0)
        wall_ns_ = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                  std::chrono::system_clock::now().time_since_epoch())
                                                  .count());
    return wall_ns_;
}

ErrorCode Feed::publish(Publication p) {
    p.time_ns = wall_ns();
    const unsigned home = ground_->exchange.home(p.topic);
    if (home == shard_) return number(p);
    if (!hub_->messages().fits(p.payload.size())) return ErrorCode::kTooLong;
    return ground_->exchange.send(shard_, home, p, 0) ? ErrorCode::kNone : ErrorCode::kBusy;
}

// This shard is its topic's home.
ErrorCode Feed::number(const Publication& p) {
    std::uint64_t sequence;
    if (const ErrorCode error = hub_->publish(p, sequence); error != ErrorCode::kNone) return error;
    for (unsigned to = 0; to < ground_->exchange.shards(); ++to)
        if (to != shard_) ground_->exchange.send(shard_, to, p, sequence);
    return ErrorCode::kNone;
}

// What others send waits in its ring while this shard's log has no room for it, and beyond what a poll takes.
void Feed::receive() {
    unsigned left = 1024;
    if (hub_->backlog() > 0.5) return;
    ground_->exchange.receive(shard_, [&](const Publication& p, std::uint64_t sequence) {
        if (sequence == 0)
            number(p);
        else
            hub_->log(p, sequence);
        return --left != 0 && hub_->backlog() <= 0.5;
    });
}

// The source waits as publishers do: its ring fills while this server has no room.
void Feed::receive_from_source() {
    Publication p;
    std::uint64_t sequence = 0;
    for (unsigned left = 1024; left != 0 && !crowded() && ground_->source->pop(p, sequence); --left)
        if (publish(p) != ErrorCode::kNone) ++ground_->source_refused;
}

bool Feed::crowded() const {
    return hub_->backlog() > 0.5 || ground_->exchange.crowded(shard_);
}

}  // namespace millrace::fanout
