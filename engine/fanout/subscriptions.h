#pragma once
// Who has subscribed to what at a shard. The subscribers of a topic are compact arrays, one for each dialect,
// over which a publication goes in one pass; the subscriptions of a connection are a list.

#include <array>
#include <cstdint>
#include <vector>

#include "engine/fanout/dialect.h"
#include "engine/fanout/request.h"
#include "netstack/base/reserved_array.h"

namespace millrace::fanout {

using SubscriptionId = std::uint32_t;
inline constexpr SubscriptionId kNoSubscription = ~SubscriptionId{0};

// Where a subscription is.
enum class Stage : std::uint8_t {
    kLive,    // it has been sent all that was delivered: nothing else is known of it
    kReplay,  // its next message is at a place in the log
    kValues,  // it is told the last value of each key that has changed since `sequence`
};

struct Subscription {
    std::uint32_t connection;
    TopicId topic;
    SubscriptionId next;     // of the connection
    std::uint32_t place;     // in the topic's array
    std::uint32_t sequence;  // low half. kReplay: of the next message; kValues: of the last one told
    std::uint32_t at;        // kReplay: the place of it in the log, in units; kValues: not before this ms
    std::uint32_t skipped;   // to be told
    std::uint16_t interval;  // ms between values of one key; 0: none
    Stage stage : 2;
    SlowPolicy slow : 2;
    bool conflate : 1;
    bool snapshot : 1;          // kValues: they are one, and live (or replay) follows
    bool untold : 1;            // its topic is not introduced yet
    bool gap : 1;               // to be told
    bool exact : 1;             // asked for by name
    std::uint8_t patterns : 7;  // of the connection that stand for its topic
};
static_assert(sizeof(Subscription) == 32, "there is one for each topic of each subscriber");

// What delivery looks at, in a topic's array.
struct Entry {
    std::uint32_t connection;
    std::uint32_t behind : 1;    // not kLive: delivery passes it over
    std::uint32_t conflate : 1;  // delivery only tells it that there is something
    std::uint32_t subscription : 30;
};
static_assert(sizeof(Entry) == 8);

class Subscriptions {
  public:
    static Expected<Subscriptions> create(std::uint32_t max_subscriptions);

    // kNoSubscription: the bound is reached. It is kLive, and the first of its connection's list, whose head
    // the caller keeps.
    SubscriptionId add(std::uint32_t connection, Dialect dialect, TopicId topic, SubscriptionId next);
    // Its connection's list is the caller's.
    void remove(SubscriptionId id, Dialect dialect);

    Subscription& operator[](SubscriptionId id) { return all_[id]; }
    const Subscription& operator[](SubscriptionId id) const { return all_[id]; }
    void set_stage(SubscriptionId id, Dialect dialect, Stage stage);
    void set_conflate(SubscriptionId id, Dialect dialect, bool conflate);

    std::uint32_t count(TopicId topic) const { return topic < topics_.size() ? topics_[topic].count : 0; }
    // Of a topic that had subscribers at some time.
    const std::vector<Entry>& of(TopicId topic, Dialect dialect) const {
        return topics_[topic].entries[static_cast<std::size_t>(dialect)];
    }
    std::uint32_t size() const { return in_use_; }
    std::size_t memory_in_use() const;

    // --- one pass over an array, which may go on in a later poll ---
    // Entries below done() have been passed, and stay below when others are removed.
    void begin_pass(TopicId topic, Dialect dialect) { pass_ = {topic, dialect, 0, true}; }
    void end_pass() { pass_.under_way = false; }
    std::uint32_t done() const { return pass_.done; }
    void pass_next() { ++pass_.done; }
    bool passes(TopicId topic, Dialect dialect) const {
        return pass_.under_way && pass_.topic == topic && pass_.dialect == dialect;
    }
    // One that has had what is being delivered by another way is counted as passed.
    void pass_over(SubscriptionId id);

  private:
    struct Topic {
        std::array<std::vector<Entry>, kDialects> entries;
        std::uint32_t count = 0;
    };
    struct Pass {
        TopicId topic;
        Dialect dialect;
        std::uint32_t done;
        bool under_way;
    };

    Subscriptions() = default;
    std::vector<Entry>& entries(TopicId topic, Dialect dialect) {
        return topics_[topic].entries[static_cast<std::size_t>(dialect)];
    }
    void put(std::vector<Entry>& entries, std::uint32_t place, Entry entry);

    ReservedArray<Subscription> all_;
    std::vector<Topic> topics_;
    std::uint32_t in_use_ = 0;
    std::uint32_t used_ = 0;                 // those that were in use at any time
    SubscriptionId free_ = kNoSubscription;  // linked by `next`
    Pass pass_{};
};

}  // namespace millrace::fanout
