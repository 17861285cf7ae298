#pragma once
// A shard's hub: publications go into its log, and from there to whoever has subscribed to their topic.
//
//     publish()   logs; that is all, so that a topic without subscribers costs no more
//     deliver()   once a poll: what has been logged since goes out, in the order in which it was logged. What
//                 stands together of one topic becomes frames once for each dialect, and the same bytes go to
//                 every subscriber who has kept up
//     catch_up()  once a poll: some of those who have not, each from the place in the log where it is
//
// It knows neither sockets nor clocks: an outlet takes the frames (see Outlet), the time is passed in. It
// belongs to one shard's thread. Requests may allocate, within the bounds of HubConfig; delivery does not.

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/fanout/breadth.h"
#include "engine/fanout/dialect.h"
#include "engine/fanout/log.h"
#include "engine/fanout/pattern_index.h"
#include "engine/fanout/publication.h"
#include "engine/fanout/reply.h"
#include "engine/fanout/request.h"
#include "engine/fanout/subscriptions.h"
#include "engine/fanout/topic_index.h"
#include "netstack/base/counter.h"
#include "netstack/base/reserved_array.h"
#include "netstack/base/time.h"

namespace millrace::fanout {

enum class Sent : std::uint8_t {
    kSent,
    kFull,  // nothing was taken: the connection has enough unsent
    kGone,  // it is closing: nothing can be sent any more
};

// Why a subscriber is sent away.
enum class TooSlow : std::uint8_t {
    kBeyondLimit,  // further behind than its subscription allows
    kOverwritten,  // what it was to be sent next is no longer in the log
};

// What a hub sends through: whole frames, for one connection, or as a batch made once for many.
template <class O>
concept Outlet = requires(O out, const O& looked_at, std::uint32_t connection,
                          std::span<const std::byte> frames, std::uint32_t messages,
                          const typename O::Batch& batch, TooSlow why) {
    { out.send(connection, frames, messages) } -> std::same_as<Sent>;
    // `frames` stay where they are while the batch is used.
    { out.batch(frames, messages) } -> std::same_as<typename O::Batch>;
    { out.send(connection, batch) } -> std::same_as<Sent>;
    // Whether the carrier is short of memory, so that nobody can be sent anything.
    { looked_at.pressed() } -> std::same_as<bool>;
    // Whether one that was full has room again for a good deal.
    { out.has_room(connection) } -> std::same_as<bool>;
    out.disconnect(connection, why);
    out.prefetch(connection);
};

struct HubConfig {
    LogConfig log;
    std::uint32_t max_patterns = 1u << 16;
    std::uint32_t max_subscriptions = 1u << 28;    // of a shard; a pattern's are one for each of its topics
    std::uint32_t max_subscriptions_each = 16384;  // of a connection
    std::uint32_t max_patterns_each = 64;
    // How far behind a subscription may be under drop-oldest and disconnect.
    std::uint64_t slow_messages = 100'000;
    std::uint64_t slow_bytes = 16u << 20;
    SlowPolicy slow = SlowPolicy::kDropOldest;
    std::uint32_t epoch = 1;  // of all topics; not 0
    std::array<std::uint64_t, 2> secret{};
};

// Written by the shard, read by anyone.
struct HubCounters {
    Counter published;       // at their topic's home, this shard
    Counter logged;          // wherever they come from
    Counter refused;         // publications: no room, or no place for their topic
    Counter deliveries;      // messages sent to a subscriber
    Counter fallen_behind;   // times that a subscription did not keep up
    Counter skipped;         // messages that drop-oldest left out
    Counter conflated;       // messages that a later one of their key replaced
    Counter disconnected;    // subscribers too slow for their policy
    Counter missing;         // messages that did not reach this shard
    Counter gaps;            // positions asked for that were not there
    Counter values_dropped;  // last values that the log had no room for

    template <class Visitor>
    void visit(Visitor&& visitor) const {
        visitor("published", published.value());
        visitor("logged", logged.value());
        visitor("publications_refused", refused.value());
        visitor("deliveries", deliveries.value());
        visitor("fallen_behind", fallen_behind.value());
        visitor("skipped", skipped.value());
        visitor("conflated", conflated.value());
        visitor("disconnected", disconnected.value());
        visitor("missing", missing.value());
        visitor("gaps", gaps.value());
        visitor("values_dropped", values_dropped.value());
    }
};

class Hub {
  public:
    static Expected<std::unique_ptr<Hub>> create(const HubConfig& config, std::size_t max_connections);

    // --- publications ---
    // Gives `p` (topic, time, key, content, payload) the next sequence number of its topic and logs it.
    ErrorCode publish(const Publication& p, std::uint64_t& sequence);
    ErrorCode publish(const Publication& p) {
        std::uint64_t sequence;
        return publish(p, sequence);
    }
    // The same for one that was numbered elsewhere; one whose number has passed is left out.
    ErrorCode log(const Publication& p, std::uint64_t sequence);

    // What has been logged and not delivered yet, as a part of what may be before publications are refused.
    double backlog() const {
        return static_cast<double>(log_.end() - run_.begin) / static_cast<double>(log_.capacity() / kBacklog);
    }

    // --- subscribers ---
    void open(std::uint32_t connection, Dialect dialect);
    void close(std::uint32_t connection);
    // All of the request's topics or, with an error, those up to the `culprit`. The subscriber hears nothing
    // before catch_up().
    ErrorCode subscribe(std::uint32_t connection, std::span<const std::string_view> patterns,
                        const Options& options, std::string_view& culprit);
    ErrorCode unsubscribe(std::uint32_t connection, std::span<const std::string_view> patterns,
                          std::string_view& culprit);
    // What it has subscribed to, names and patterns; valid until the next call of anything.
    std::span<const std::string_view> list(std::uint32_t connection);
    Dialect dialect(std::uint32_t connection) const { return subscribers_[connection].dialect; }

    // --- sending ---
    // Both go on in the next poll when there is more to do than a poll should take.
    template <Outlet Out>
    void deliver(Out& out);
    template <Outlet Out>
    void catch_up(Out& out, Time now);
    // One connection, as far as it has room. True: nothing is left to tell it.
    template <Outlet Out>
    bool catch_up(Out& out, std::uint32_t connection, Time now);

    const HubCounters& counters() const { return counters_; }
    const Breadth& breadth() const { return breadth_; }
    const Log& messages() const { return log_; }
    const Subscriptions& subscriptions() const { return subscriptions_; }
    std::size_t lagging() const { return lagging_.size(); }
    std::uint32_t epoch() const { return config_.epoch; }
    std::size_t memory_in_use() const;

  private:
    // A connection.
    struct Subscriber {
        SubscriptionId first;         // plus one; 0: none
        std::uint32_t first_pattern;  // of holds_, plus one
        std::uint32_t lagging;        // its place in lagging_, plus one
        std::uint16_t subscriptions;
        std::uint8_t patterns;
        Dialect dialect;
    };
    static_assert(sizeof(Subscriber) == 16);

    // A connection's subscription to a pattern.
    struct Hold {
        std::uint32_t connection;
        PatternId pattern;
        std::uint32_t next;  // of the connection, plus one
        Options options;
    };

    static constexpr std::size_t kBatchBytes = 8 * 1024;  // frames of one batch, but for a long message
    static constexpr std::size_t kBacklog = 4;            // a quarter of the log
    static constexpr double kPatience = 0.25;             // of backlog(), with a carrier short of memory
    static constexpr unsigned kSendsPerPoll = 1024;
    static constexpr unsigned kVisitsPerPoll = 128;
    static constexpr std::uint32_t kAhead = 12;  // entries whose connections are fetched ahead

    Hub(const HubConfig& config, TopicIndex topics, Log log, Subscriptions subscriptions,
        ReservedArray<Subscriber> subscribers);

    // --- hub.cc: subscriptions ---
    ErrorCode subscribe_one(std::uint32_t connection, std::string_view pattern, const Options& options);
    ErrorCode subscribe_wild(std::uint32_t connection, std::string_view pattern, const Options& options);
    ErrorCode add(std::uint32_t connection, TopicId topic, const Options& options, bool by_pattern,
                  SubscriptionId known);
    void begin(SubscriptionId id, Dialect dialect, const Options& options);
    void let_go_of(std::uint32_t hold);
    std::uint32_t hold_of(std::uint32_t connection, PatternId pattern) const;
    SubscriptionId find(std::uint32_t connection, TopicId topic) const;
    ErrorCode topic_of(std::string_view name, TopicId& topic);
    void subscribe_holders(TopicId topic);
    void remove(std::uint32_t connection, SubscriptionId id);

    // --- positions.cc ---
    std::uint64_t full_sequence(const Subscription& s) const;
    Offset place_of(const Subscription& s) const;
    void stand_at(Subscription& s, Offset place) const;
    void fall_behind(SubscriptionId id, Dialect dialect);
    bool go_live(SubscriptionId id, Dialect dialect);
    bool keep_within_limits(Subscription& s, TooSlow& why);
    void skip_to(Subscription& s, Offset place);
    void mark_lagging(std::uint32_t connection);
    void unmark_lagging(std::uint32_t connection);
    struct Urgent {
        SubscriptionId id = kNoSubscription;  // whose turn it is
        Offset until = 0;                     // where another one's is
        bool all_live = true;
        bool too_slow = false;
        TooSlow why{};
    };
    Urgent most_urgent(std::uint32_t connection, std::uint32_t now_ms);

    // --- frames.cc ---
    Publication publication_of(const Log::Record& r) const;
    void encode_record(Dialect dialect, const Log::Record& r, bool snapshot,
                       std::vector<std::byte>& out) const;
    void encode_notices(Subscription& s, Dialect dialect);
    std::uint32_t fill(Subscription& s, Dialect dialect, Offset until, std::uint32_t now_ms);
    std::uint32_t fill_values(Subscription& s, Dialect dialect, std::uint32_t now_ms);
    std::uint32_t fill_replay(Subscription& s, Dialect dialect, Offset until);

    // --- delivery.h ---
    // Records of one topic that stand together. Everything before `begin` has been delivered, what lies
    // before `end` is being.
    struct Run {
        TopicId topic;
        Offset begin, end;
        std::uint32_t messages;
    };
    bool next_run();
    bool run_under_way() const { return run_.begin != run_.end; }
    void begin_dialect();
    template <Outlet Out>
    bool deliver_run(Out& out, unsigned& sends);
    template <Outlet Out>
    bool deliver_to(Out& out, Dialect dialect, unsigned& sends);
    // A carrier short of memory makes nobody a slow subscriber, unless it is so for long.
    template <Outlet Out>
    bool waits_for(const Out& out) const {
        return out.pressed() && backlog() < kPatience;
    }

    const HubConfig config_;
    TopicIndex topics_;
    PatternIndex patterns_;
    Log log_;
    Subscriptions subscriptions_;
    ReservedArray<Subscriber> subscribers_;            // by connection
    std::vector<std::vector<std::uint32_t>> holders_;  // by PatternId: of holds_
    std::vector<Hold> holds_;
    std::vector<std::uint32_t> free_holds_;
    std::vector<std::uint32_t> lagging_;  // connections
    std::size_t lagging_cursor_ = 0;

    Run run_{};
    std::uint8_t run_dialect_ = 0;  // whose pass is next or under way
    bool pass_under_way_ = false;   // the run's frames for that dialect are in frames_

    HubCounters counters_;
    Breadth breadth_;
    // Scratch.
    std::vector<std::byte> frames_;  // of the run
    std::vector<std::byte> own_;     // of one subscriber
    std::vector<KeyId> keys_;
    std::vector<TopicId> matching_;
    std::vector<std::string_view> listed_;
};

}  // namespace millrace::fanout

#include "engine/fanout/delivery.h"
