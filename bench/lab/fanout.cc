#include "bench/lab/fanout.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "bench/lab/options.h"

namespace millrace::bench {

namespace {

constexpr std::uint64_t kUnderWay = 512;  // handshakes, as in the connect stage
constexpr unsigned kPerPoll = 32;
constexpr std::uint64_t kMostOverlap = 4096;  // neither end waits for the other

// Even numbers below 1 (xorshift64*).
double even(std::uint64_t& state) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return static_cast<double>((state * 0x2545f4914f6cdd1d) >> 11) / 9007199254740992.0;
}

}  // namespace

FanoutBoard::FanoutBoard(const LabOptions& options, const Pattern& of)
    : pattern(of),
      payload(options.fanout_payload),
      topics(static_cast<std::uint32_t>(options.fanout_topics)),
      each(static_cast<std::uint32_t>(options.fanout_each)),
      times(options.fanout ? topics * kRemembered : 0),
      published(topics),
      delivered(options.client_cores.size()) {
    double sum = 0;
    for (std::uint32_t i = 0; i < topics; ++i)
        weights.push_back(sum += 1.0 / (i + 1));
    for (double& weight : weights)
        weight /= sum;
}

std::uint32_t FanoutBoard::pick(double number) const {
    const auto at = std::upper_bound(weights.begin(), weights.end(), number);
    return static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(at - weights.begin(), topics - 1));
}

// --- server ---

void FanoutPublisher::begin(Time now) {
    began_ = next_ = now;
    due_ = 0;
    before_ = delivered();
    overlap_ = std::min(kMostOverlap, std::reduce(board_.subscribers.begin(), board_.subscribers.end()) / 2);
    if (names_.empty())
        for (std::uint32_t i = 0; i < board_.topics; ++i)
            names_.push_back(board_.name(i));
}

bool FanoutPublisher::tick(fanout::Feed& feed, Time now) {
    const FanoutPlan& plan = board_.plan;
    if (now - began_ >= plan.duration) {
        board_.over.store(true, std::memory_order_release);
        return true;
    }
    if (plan.rate == 0) {
        if (due_ <= delivered() - before_ + overlap_ * plan.burst && !feed.crowded())
            for (unsigned i = 0; i < plan.burst; ++i)
                publish(feed, now);
        return false;
    }
    for (; next_ <= now && !feed.crowded(); next_ += Duration(static_cast<std::int64_t>(1e9 / plan.rate)))
        publish(feed, next_);
    return false;
}

void FanoutPublisher::publish(fanout::Feed& feed, Time time) {
    const std::uint32_t topic = board_.topics == 1 ? 0 : board_.pick(even(random_));
    const std::uint64_t sequence = board_.published[topic] + 1;
    board_.pattern.fill(payload_, topic, static_cast<std::uint32_t>(sequence));
    board_.time_of(topic, sequence).store(time.time_since_epoch().count(), std::memory_order_relaxed);
    const auto error = feed.publish({.topic = names_[topic],
                                     .content = fanout::Content::kBinary,
                                     .payload = std::span<const std::byte>(payload_)});
    if (error != fanout::ErrorCode::kNone) {
        ++refused_;
        return;
    }
    board_.published[topic] = sequence;
    due_ += board_.subscribers[topic];
}

std::uint64_t FanoutPublisher::delivered() const {
    std::uint64_t sum = 0;
    for (const Counter& shard : board_.delivered)
        sum += shard.value();
    return sum;
}

// --- client ---

void FanoutClient::on_open(FanoutSocket& ws) {
    stage_->on_open(ws);
}

void FanoutClient::on_message(FanoutSocket& ws, const Message& message) {
    stage_->on_message(ws, message);
}

void FanoutClient::on_failed(net::ConnId, std::string_view) {
    ++stage_->failed_;
}

void FanoutClient::on_close(FanoutSocket&, ws::CloseCode, std::string_view) {
    ++stage_->ended_;
}

FanoutStage::FanoutStage(const Setup& setup)
    : board_(setup.board),
      server_(setup.server),
      wanted_(setup.subscribers),
      stalled_(setup.stalled),
      index_(setup.index),
      random_(setup.seed * 2 + 1) {}

void FanoutStage::begin_opening(ClientEndpoint& endpoint, Time now) {
    target_ = endpoint.add_target<FanoutClient>({.host = net::to_string(server_), .path = "/ws"});
    ids_.reserve(wanted_);
    next_.assign(wanted_ * board_.topics, 0);
    subscribers_.assign(board_.topics, 0);
    heard_.assign(board_.topics * FanoutBoard::kRemembered, 0);
    patience_.begin(now);
}

bool FanoutStage::tick_opening(ClientEndpoint& endpoint, Time now) {
    for (unsigned n = 0; n < kPerPoll && tried_ < wanted_; ++n) {
        if (tried_ - subscribed_ - failed_ >= kUnderWay) break;
        ++tried_;
        if (endpoint.connect(server_, target_, now) == net::kNoConn) ++failed_;
    }
    return subscribed_ + failed_ == wanted_ || patience_.is_over(subscribed_ + failed_, now);
}

void FanoutStage::on_open(Socket& ws) {
    const std::uint64_t own = opened_++;
    ids_.push_back(ws.id());
    ws.state().number_plus_one = static_cast<std::uint32_t>(own + 1);
    std::string request = R"({"method":"SUBSCRIBE","params":[)";
    for (std::uint32_t chosen = 0; chosen < board_.each;) {
        const std::uint32_t topic = board_.topics == board_.each ? chosen : board_.pick(even(random_));
        std::uint32_t& next = next_[own * board_.topics + topic];
        if (next != 0) continue;
        next = 1;
        ++subscribers_[topic];
        if (chosen++ != 0) request += ',';
        request += '"' + board_.name(topic) + '"';
    }
    ws.send_text(request + R"(],"id":1})");
}

void FanoutStage::on_message(Socket& ws, const Message& message) {
    if (message.is_text()) {  // the answer
        ++subscribed_;
        return;
    }
    const auto topic = Pattern::number_in(message);
    if (!topic || *topic >= board_.topics || message.size() != board_.payload) {
        ++wrong_;
        return;
    }
    const std::uint64_t own = ws.state().number_plus_one - 1;
    std::uint32_t& next = next_[own * board_.topics + *topic];
    if (next == 0 || !board_.pattern.matches(message, *topic, next)) [[unlikely]] {
        ++wrong_;
        return;
    }
    const std::uint32_t sequence = next++;
    ++deliveries_;
    ++board_.delivered[index_];
    std::uint32_t& heard = heard_[*topic * FanoutBoard::kRemembered + sequence % FanoutBoard::kRemembered];
    if (++heard < subscribers_[*topic]) [[likely]]
        return;
    heard = 0;
    const std::int64_t time = board_.time_of(*topic, sequence).load(std::memory_order_relaxed);
    last_subscriber_.record(clock_.now() - Time(Duration(time)));
}

void FanoutStage::stall(ClientEndpoint& endpoint) {
    for (std::uint64_t i = opened_ - std::min(opened_, stalled_); i < opened_; ++i) {
        Socket(endpoint, ids_[i]).pause();
        for (std::uint32_t topic = 0; topic < board_.topics; ++topic)
            if (std::exchange(next_[i * board_.topics + topic], 0) != 0) --subscribers_[topic];
    }
}

void FanoutStage::begin(Time now) {
    deliveries_ = 0;
    began_ = counted_ = now;
    over_ = false;
    last_subscriber_.reset();
    patience_.begin(now, 5s);
}

std::uint64_t FanoutStage::expected() const {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < opened_; ++i)
        for (std::uint32_t topic = 0; topic < board_.topics; ++topic)
            if (const std::uint32_t next = next_[i * board_.topics + topic]; next != 0)
                sum += board_.published[topic] + 1 - next;
    return sum;
}

bool FanoutStage::tick(Time now) {
    if (!over_) {
        over_ = board_.over.load(std::memory_order_acquire);
        counted_ = now;
        per_second_ = static_cast<double>(deliveries_) / std::chrono::duration<double>(now - began_).count();
        patience_.begin(now, 5s);
        return false;
    }
    const bool stuck = patience_.is_over(deliveries_, now);
    // Counted seldom: it takes as long as some polls.
    if (!stuck && now - counted_ < 50ms) return false;
    counted_ = now;
    lost_ = expected();
    return lost_ == 0 || stuck;
}

}  // namespace millrace::bench
