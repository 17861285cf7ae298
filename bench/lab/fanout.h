#pragma once
// Stage fanout: publications of the server go to subscribers of their topic, each delivery verified by its
// receiver. In turns: a message at a time to all, so that each lies in a segment of its own; several at once,
// which share one; at half and four fifths of the first one's rate, when the last subscriber has it; and at
// half of it once more, with subscribers among the others who have stopped reading.

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bench/control/patience.h"
#include "bench/lab/client_endpoint.h"
#include "bench/result/histogram.h"
#include "bench/result/result.h"
#include "bench/traffic/pattern.h"
#include "engine/fanout/feed.h"
#include "netstack/base/clock.h"
#include "netstack/base/counter.h"

namespace millrace::bench {

struct LabOptions;

// What a turn of the stage is to do. A new message, or `burst` of them, when most have the last one (`rate`
// 0), or `rate` messages a second.
struct FanoutPlan {
    unsigned burst = 1;
    double rate = 0;
    Duration duration{};
};

// What both ends know. Written by the main thread while no shard works on the stage, and by the publisher.
struct FanoutBoard {
    static constexpr std::size_t kRemembered = 512;  // messages of a topic whose times are known

    FanoutBoard(const LabOptions& options, const Pattern& pattern);

    std::string name(std::uint32_t topic) const { return "topic." + std::to_string(topic); }
    // A topic from an even number below 1; the first ones are the most often picked.
    std::uint32_t pick(double even) const;
    std::atomic<std::int64_t>& time_of(std::uint32_t topic, std::uint64_t sequence) {
        return times[topic * kRemembered + sequence % kRemembered];
    }

    const Pattern& pattern;
    const std::uint64_t payload;
    const std::uint32_t topics, each;
    FanoutPlan plan;
    std::vector<double> weights;                   // of the topics up to each, of all
    std::vector<std::atomic<std::int64_t>> times;  // ns: when a message was to be published
    std::vector<std::uint64_t> published;          // of each topic; the publisher's until `over`
    std::vector<std::uint64_t> subscribers;        // of each topic, without those who have stopped reading
    std::vector<Counter> delivered;                // by client shard, of all turns
    std::atomic<bool> over{false};
};

// The first server shard's part.
class FanoutPublisher {
  public:
    explicit FanoutPublisher(FanoutBoard& board) : board_(board), payload_(board.payload) {}

    void begin(Time now);
    // True when the time is over.
    bool tick(fanout::Feed& feed, Time now);
    std::uint64_t refused() const { return refused_; }

  private:
    void publish(fanout::Feed& feed, Time time);
    std::uint64_t delivered() const;

    FanoutBoard& board_;
    std::vector<std::byte> payload_;
    std::vector<std::string> names_;
    Time began_{}, next_{};
    std::uint64_t overlap_ = 0;  // deliveries that may be under way when the next message is published
    std::uint64_t due_ = 0;      // deliveries of this turn's messages
    std::uint64_t before_ = 0;   // delivered in the turns before
    std::uint64_t random_ = 1;
    std::uint64_t refused_ = 0;
};

// A client shard's part.
class FanoutStage {
  public:
    struct Setup {
        FanoutBoard& board;
        net::SocketAddress server;
        std::uint64_t subscribers;  // of this client shard, of them
        std::uint64_t stalled;      // stop reading before the last turn
        std::uint64_t seed;
        unsigned index;  // of the shard
    };
    explicit FanoutStage(const Setup& setup);

    void begin_opening(ClientEndpoint& endpoint, Time now);
    bool tick_opening(ClientEndpoint& endpoint, Time now);
    // The last ones read no more: they have heard all, and nothing is expected of them from now on.
    void stall(ClientEndpoint& endpoint);
    void begin(Time now);
    // True when the publisher is done and every message has come, or is lost.
    bool tick(Time now);

    std::uint64_t subscribed() const { return subscribed_; }
    std::uint64_t failed() const { return wanted_ - subscribed_; }
    const std::vector<std::uint32_t>& subscribers() const { return subscribers_; }  // of each topic
    std::uint64_t deliveries() const { return deliveries_; }                        // verified, of this turn
    std::uint64_t lost() const { return lost_; }
    std::uint64_t wrong() const { return wrong_; }  // changed, doubled, or out of order; of all turns
    std::uint64_t ended() const { return ended_; }
    double deliveries_per_s() const { return per_second_; }
    // From when a message was to be published until the last of this shard's subscribers had it.
    const Histogram& last_subscriber() const { return last_subscriber_; }

  private:
    friend class FanoutClient;
    using Socket = WebSocket<ClientEndpoint, FanoutClient>;

    void on_open(Socket& ws);
    void on_message(Socket& ws, const Message& message);
    std::uint64_t expected() const;

    FanoutBoard& board_;
    const net::SocketAddress server_;
    const std::uint64_t wanted_, stalled_;
    const unsigned index_;
    const TscClock clock_;
    std::uint64_t random_;
    std::uint8_t target_ = 0;
    std::uint64_t tried_ = 0, opened_ = 0, failed_ = 0, subscribed_ = 0, ended_ = 0;
    std::vector<net::ConnId> ids_;            // by subscriber
    std::vector<std::uint32_t> next_;         // by subscriber and topic: sequence number expected
    std::vector<std::uint32_t> subscribers_;  // of each topic
    std::vector<std::uint32_t> heard_;        // by topic and remembered message: subscribers who have it
    std::uint64_t deliveries_ = 0, lost_ = 0, wrong_ = 0;
    Time began_{}, counted_{};
    bool over_ = false;
    double per_second_ = 0;
    Histogram last_subscriber_;
    Patience patience_;
};

}  // namespace millrace::bench
