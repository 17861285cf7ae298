#include "engine/serve/subscribe.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "engine/fanout/decode.h"
#include "engine/fanout/following.h"
#include "engine/options/units.h"
#include "engine/run/connect.h"
#include "engine/serve/feed_client.h"
#include "engine/serve/subscribe_options.h"

namespace millrace {
namespace {

// Latencies of all messages, or of so many picked at random.
class Latencies {
  public:
    void add(Duration latency) {
        ++seen_;
        if (kept_.size() < kMost)
            kept_.push_back(latency);
        else if (const std::uint64_t at = random_() % seen_; at < kMost)
            kept_[at] = latency;
        longest_ = std::max(longest_, latency);
    }
    void say() {
        if (kept_.empty()) return;
        std::sort(kept_.begin(), kept_.end());
        const auto part = [&](std::size_t per_mille) {
            return format_duration(kept_[(kept_.size() - 1) * per_mille / 1000]);
        };
        fmt::print(stderr, "millrace: latency p50 {}, p90 {}, p99 {}, p99.9 {}, max {}\n", part(500),
                   part(900), part(990), part(999), format_duration(longest_));
    }

  private:
    static constexpr std::size_t kMost = 1u << 20;

    std::vector<Duration> kept_;
    std::uint64_t seen_ = 0;
    Duration longest_{};
    std::mt19937_64 random_{1};
};

// What subscribe_command() reads when the shard has ended.
struct Heard {
    explicit Heard(bool conflated) : following(conflated) {}

    fanout::Following following;
    Latencies latencies;
    std::uint64_t messages = 0, bytes = 0;
    bool refused = false;
};

// As `millrace connect`, it writes to standard output from the shard's loop: who does not read what it prints
// is a slow subscriber.
class Subscriber {
  public:
    Subscriber(const SubscribeOptions& options, Heard& heard) : options_(&options), heard_(&heard) {}

    void on_open(auto& ws) {
        fanout::Request request;
        request.kind = fanout::Request::Kind::kSubscribe;
        request.options = options_->options;
        request.topics.assign(options_->topics.begin(), options_->topics.end());
        std::vector<std::byte> message;
        fanout::encode_request(1, request, message);
        ws.send_binary(message);
    }

    void on_message(auto& ws, const Message& message) {
        fanout::ServerMessage said;
        if (closing_) return;
        if (message.is_text() || !fanout::decode(message.contiguous(scratch_), said) || !take(ws, said)) {
            heard_->refused = true;
            advise("what came is not millrace.v1: give the URL of a server's /feed");
            close(ws, ws::CloseCode::kProtocolError, "this is not millrace.v1");
        }
    }

    void on_close(auto&, ws::CloseCode code, std::string_view reason) {
        if (!closing_) say_closed(code, reason);
    }

    void on_turn(auto&, Time) {
        if (std::exchange(unflushed_, false)) std::fflush(stdout);
    }

  private:
    bool take(auto& ws, const fanout::ServerMessage& said) {
        switch (said.kind) {
            case fanout::ServerMessage::Kind::kNotice:
                return learn(said.notice);
            case fanout::ServerMessage::Kind::kReply:
                return answered(ws, said);
            case fanout::ServerMessage::Kind::kPublication:
                break;
        }
        if (!heard_->following.take(said.publication)) return false;
        ++heard_->messages;
        heard_->bytes += said.publication.payload.size();
        if (options_->latency && !said.publication.snapshot)
            heard_->latencies.add(since(said.publication.time_ns));
        if (!options_->quiet) print(said.publication);
        if (heard_->messages == options_->count) close(ws, ws::CloseCode::kNormal, {});
        return true;
    }

    bool learn(const fanout::Notice& notice) {
        if (notice.kind == fanout::Notice::Kind::kSkipped)
            advise(fmt::format("{} messages of {} were skipped", notice.count,
                               heard_->following.name(notice.topic_id)));
        if (notice.kind == fanout::Notice::Kind::kGap)
            advise(fmt::format("a gap in {}: what was asked for is no longer there; next is {}:{}",
                               heard_->following.name(notice.topic_id), notice.position.epoch,
                               notice.position.sequence));
        return heard_->following.learn(notice);
    }

    bool answered(auto& ws, const fanout::ServerMessage& said) {
        if (said.reply.error == fanout::ErrorCode::kNone) return true;
        heard_->refused = true;
        advise("refused: " + refusal_of(said));
        close(ws, ws::CloseCode::kNormal, {});
        return true;
    }

    void print(const fanout::Publication& publication) {
        const std::string_view topic = heard_->following.name(publication.topic_id);
        std::fwrite(topic.data(), 1, topic.size(), stdout);
        std::putc(' ', stdout);
        std::fwrite(publication.payload.data(), 1, publication.payload.size(), stdout);
        std::putc('\n', stdout);
        unflushed_ = true;
    }

    void close(auto& ws, ws::CloseCode code, std::string_view reason) {
        if (std::exchange(closing_, true)) return;
        std::fflush(stdout);
        ws.close(code, reason);
    }

    static Duration since(std::uint64_t time_ns) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration_cast<Duration>(now) - Duration(static_cast<Duration::rep>(time_ns));
    }

    const SubscribeOptions* options_;
    Heard* heard_;
    std::vector<std::byte> scratch_;
    bool unflushed_ = false;
    bool closing_ = false;
};

}  // namespace

int subscribe_command(int argc, const char* const* argv) {
    const auto options = parse_subscribe_options(argc, argv);
    if (!options) return say_error(options.error());
    const fanout::Options& asked = options->options;
    Heard heard(asked.conflate || asked.slow == fanout::SlowPolicy::kConflate);
    const int status = connect(options->connect, Subscriber(*options, heard));
    if (status == 2) return status;
    const fanout::Following& following = heard.following;
    if (options->stats)
        fmt::print(
            stderr,
            "millrace: {} messages of {} topics, {}; {} skipped, {} gaps, {} missing, {} twice or too late\n",
            heard.messages, following.topics(), format_bytes(static_cast<double>(heard.bytes)),
            following.skipped(), following.gaps(), following.missing(), following.repeated());
    if (options->latency) heard.latencies.say();
    return heard.refused || following.missing() != 0 || following.repeated() != 0 ? 1 : status;
}

}  // namespace millrace
