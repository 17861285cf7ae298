#include "engine/fanout/hub.h"

#include <algorithm>
#include <utility>

namespace millrace::fanout {

Expected<std::unique_ptr<Hub>> Hub::create(const HubConfig& config, std::size_t max_connections) {
    auto topics = TopicIndex::create(config.log.max_topics, config.secret);
    if (!topics) return tl::unexpected(topics.error());
    auto log = Log::create(config.log, config.secret[0] ^ config.secret[1]);
    if (!log) return tl::unexpected(log.error());
    auto subscriptions = Subscriptions::create(config.max_subscriptions);
    if (!subscriptions) return tl::unexpected(subscriptions.error());
    auto subscribers = ReservedArray<Subscriber>::create(max_connections);
    if (!subscribers) return tl::unexpected(subscribers.error());
    return std::unique_ptr<Hub>(new Hub(config, std::move(*topics), std::move(*log),
                                        std::move(*subscriptions), std::move(*subscribers)));
}

Hub::Hub(const HubConfig& config, TopicIndex topics, Log log, Subscriptions subscriptions,
         ReservedArray<Subscriber> subscribers)
    : config_(config),
      topics_(std::move(topics)),
      patterns_(config.max_patterns),
      log_(std::move(log)),
      subscriptions_(std::move(subscriptions)),
      subscribers_(std::move(subscribers)) {
    run_.begin = run_.end = log_.end();
    frames_.reserve(4 * kBatchBytes);
    own_.reserve(4 * kBatchBytes);
}

// --- publications ---

ErrorCode Hub::publish(const Publication& p, std::uint64_t& sequence) {
    TopicId topic;
    if (const ErrorCode error = topic_of(p.topic, topic); error != ErrorCode::kNone) {
        ++counters_.refused;
        return error;
    }
    Publication named = p;
    named.topic_id = topic;
    sequence = log_.chain(topic).sequence + 1;
    const ErrorCode error = log(named, sequence);
    if (error == ErrorCode::kNone) ++counters_.published;
    return error;
}

// What has not been delivered may take a quarter of the log: then publishers wait, not subscribers.
ErrorCode Hub::log(const Publication& p, std::uint64_t sequence) {
    Publication named = p;
    if (named.topic_id == kNoTopic) {
        if (const ErrorCode error = topic_of(p.topic, named.topic_id); error != ErrorCode::kNone) {
            ++counters_.refused;
            return error;
        }
    }
    const std::uint64_t last = log_.chain(named.topic_id).sequence;
    if (sequence <= last) return ErrorCode::kNone;
    const bool fits = log_.fits(p.payload.size());
    if (!fits || log_.end() - run_.begin > log_.capacity() / kBacklog) {
        ++counters_.refused;
        return fits ? ErrorCode::kBusy : ErrorCode::kTooLong;
    }
    counters_.missing.add(sequence - last - 1);
    log_.append(named, sequence);
    counters_.values_dropped.add(log_.values_dropped() - counters_.values_dropped.value());
    ++counters_.logged;
    return ErrorCode::kNone;
}

ErrorCode Hub::topic_of(std::string_view name, TopicId& topic) {
    topic = topics_.find(name);
    if (topic != kNoTopic) [[likely]]
        return ErrorCode::kNone;
    topic = topics_.add(name);
    if (topic == kNoTopic) return ErrorCode::kServerFull;
    subscribe_holders(topic);
    return ErrorCode::kNone;
}

// A topic that is new: whoever has subscribed to a pattern that stands for it gets it from the beginning.
void Hub::subscribe_holders(TopicId topic) {
    if (patterns_.size() == 0) return;
    patterns_.each_matching(topics_.name(topic), [&](PatternId pattern) {
        for (const std::uint32_t hold : holders_[pattern]) {
            const std::uint32_t connection = holds_[hold].connection;
            add(connection, topic, holds_[hold].options, true, find(connection, topic));
        }
    });
}

// --- subscribers ---

void Hub::open(std::uint32_t connection, Dialect dialect) {
    subscribers_[connection] = {};
    subscribers_[connection].dialect = dialect;
}

void Hub::close(std::uint32_t connection) {
    Subscriber& subscriber = subscribers_[connection];
    unmark_lagging(connection);
    while (subscriber.first_pattern != 0)
        let_go_of(subscriber.first_pattern - 1);
    while (subscriber.first != 0) {
        const SubscriptionId id = subscriber.first - 1;
        subscriber.first = subscriptions_[id].next;
        subscriptions_.remove(id, subscriber.dialect);
    }
    subscriber.subscriptions = 0;
}

ErrorCode Hub::subscribe(std::uint32_t connection, std::span<const std::string_view> patterns,
                         const Options& options, std::string_view& culprit) {
    for (const std::string_view pattern : patterns) {
        const ErrorCode error = is_wild(pattern) ? subscribe_wild(connection, pattern, options)
                                                 : subscribe_one(connection, pattern, options);
        if (error == ErrorCode::kNone) continue;
        culprit = pattern;
        return error;
    }
    return ErrorCode::kNone;
}

ErrorCode Hub::subscribe_one(std::uint32_t connection, std::string_view name, const Options& options) {
    TopicId topic;
    if (const ErrorCode error = topic_of(name, topic); error != ErrorCode::kNone) return error;
    return add(connection, topic, options, false, find(connection, topic));
}

ErrorCode Hub::subscribe_wild(std::uint32_t connection, std::string_view pattern, const Options& options) {
    Subscriber& subscriber = subscribers_[connection];
    PatternId id = patterns_.find(pattern);
    if (id != kNoPattern && hold_of(connection, id) != 0) let_go_of(hold_of(connection, id) - 1);
    if (subscriber.patterns == config_.max_patterns_each) return ErrorCode::kTooManySubscriptions;
    id = patterns_.add(pattern);
    if (id == kNoPattern) return ErrorCode::kServerFull;

    if (free_holds_.empty()) {
        free_holds_.push_back(static_cast<std::uint32_t>(holds_.size()));
        holds_.emplace_back();
    }
    const std::uint32_t hold = free_holds_.back();
    free_holds_.pop_back();
    holds_[hold] = {.connection = connection,
                    .pattern = id,
                    .next = std::exchange(subscriber.first_pattern, hold + 1),
                    .options = options};
    holds_[hold].options.from.reset();  // a topic that is new begins with its first message
    ++subscriber.patterns;
    if (id >= holders_.size()) holders_.resize(id + 1);
    holders_[id].push_back(hold);

    // One walk over what the connection has; a search for each topic would cost their product.
    matching_.clear();
    topics_.each_matching(pattern, [&](TopicId topic) { matching_.push_back(topic); });
    std::vector<SubscriptionId> own(topics_.size(), kNoSubscription);
    for (SubscriptionId at = subscriber.first; at != 0; at = subscriptions_[at - 1].next)
        own[subscriptions_[at - 1].topic] = at - 1;
    for (const TopicId topic : matching_)
        if (const ErrorCode error = add(connection, topic, options, true, own[topic]);
            error != ErrorCode::kNone)
            return error;
    return ErrorCode::kNone;
}

// `known`: the connection's subscription to that topic, if it has one. Asked for anew by name it begins anew.
ErrorCode Hub::add(std::uint32_t connection, TopicId topic, const Options& options, bool by_pattern,
                   SubscriptionId known) {
    Subscriber& subscriber = subscribers_[connection];
    SubscriptionId id = known;
    if (id == kNoSubscription) {
        if (subscriber.subscriptions == config_.max_subscriptions_each)
            return ErrorCode::kTooManySubscriptions;
        id = subscriptions_.add(connection, subscriber.dialect, topic, subscriber.first);
        if (id == kNoSubscription) return ErrorCode::kServerFull;
        subscriber.first = id + 1;
        ++subscriber.subscriptions;
        subscriptions_[id].untold = subscriber.dialect == Dialect::kBinary;
    }
    Subscription& s = subscriptions_[id];
    if (by_pattern) ++s.patterns;
    if (!by_pattern) s.exact = true;
    if (known == kNoSubscription || !by_pattern) begin(id, subscriber.dialect, options);
    return ErrorCode::kNone;
}

// Behind everything, until catch_up() has found out that nothing is left to tell.
void Hub::begin(SubscriptionId id, Dialect dialect, const Options& options) {
    constexpr std::uint32_t kSecond = 1000;  // ms
    Subscription& s = subscriptions_[id];
    const std::uint64_t last = log_.chain(s.topic).sequence;
    s.slow = options.slow == SlowPolicy::kDefault ? config_.slow : options.slow;
    s.interval = static_cast<std::uint16_t>(
        options.conflate && options.max_rate != 0 ? std::max(kSecond / options.max_rate, 1u) : 0);
    s.snapshot = options.snapshot;
    s.at = 0;
    s.skipped = 0;
    s.gap = false;
    std::uint64_t next = last + 1;
    if (options.from) {
        const Offset first = log_.chain(s.topic).first;
        const bool there = (options.from->epoch == 0 || options.from->epoch == config_.epoch) &&
                           options.from->sequence <= last + 1 &&
                           (options.from->sequence == last + 1 ||
                            (first != kNowhere && log_.at(first).sequence <= options.from->sequence));
        s.gap = !there;
        s.snapshot = !there;
        if (there) next = options.from->sequence;
        if (!there) ++counters_.gaps;
    }
    const bool values = s.snapshot || options.conflate;
    s.sequence = s.snapshot ? 0 : static_cast<std::uint32_t>(values ? next - 1 : next);
    subscriptions_.set_conflate(id, dialect, options.conflate);
    subscriptions_.set_stage(id, dialect, values ? Stage::kValues : Stage::kReplay);
    mark_lagging(s.connection);
}

ErrorCode Hub::unsubscribe(std::uint32_t connection, std::span<const std::string_view> patterns,
                           std::string_view& culprit) {
    for (const std::string_view pattern : patterns) {
        culprit = pattern;
        if (is_wild(pattern)) {
            const PatternId id = patterns_.find(pattern);
            const std::uint32_t hold = id == kNoPattern ? 0 : hold_of(connection, id);
            if (hold == 0) return ErrorCode::kNotSubscribed;
            let_go_of(hold - 1);
        } else {
            const TopicId topic = topics_.find(pattern);
            const SubscriptionId id = topic == kNoTopic ? kNoSubscription : find(connection, topic);
            if (id == kNoSubscription || !subscriptions_[id].exact) return ErrorCode::kNotSubscribed;
            subscriptions_[id].exact = false;
            if (subscriptions_[id].patterns == 0) remove(connection, id);
        }
    }
    culprit = {};
    return ErrorCode::kNone;
}

std::span<const std::string_view> Hub::list(std::uint32_t connection) {
    const Subscriber& subscriber = subscribers_[connection];
    listed_.clear();
    for (SubscriptionId id = subscriber.first; id != 0; id = subscriptions_[id - 1].next)
        if (subscriptions_[id - 1].exact) listed_.push_back(topics_.name(subscriptions_[id - 1].topic));
    for (std::uint32_t hold = subscriber.first_pattern; hold != 0; hold = holds_[hold - 1].next)
        listed_.push_back(patterns_.pattern(holds_[hold - 1].pattern));
    std::reverse(listed_.begin(), listed_.end());  // the lists have the latest first
    return listed_;
}

SubscriptionId Hub::find(std::uint32_t connection, TopicId topic) const {
    for (SubscriptionId id = subscribers_[connection].first; id != 0; id = subscriptions_[id - 1].next)
        if (subscriptions_[id - 1].topic == topic) return id - 1;
    return kNoSubscription;
}

// Plus one; 0: it has not subscribed to that.
std::uint32_t Hub::hold_of(std::uint32_t connection, PatternId pattern) const {
    std::uint32_t hold = subscribers_[connection].first_pattern;
    while (hold != 0 && holds_[hold - 1].pattern != pattern)
        hold = holds_[hold - 1].next;
    return hold;
}

// The pattern, and the subscriptions that only it was the reason for.
void Hub::let_go_of(std::uint32_t hold) {
    const std::uint32_t connection = holds_[hold].connection;
    const PatternId pattern = holds_[hold].pattern;
    Subscriber& subscriber = subscribers_[connection];
    std::uint32_t* link = &subscriber.first_pattern;
    while (*link != hold + 1)
        link = &holds_[*link - 1].next;
    *link = holds_[hold].next;
    --subscriber.patterns;
    free_holds_.push_back(hold);

    for (SubscriptionId at = subscriber.first; at != 0;) {
        const SubscriptionId id = at - 1;
        Subscription& s = subscriptions_[id];
        at = s.next;
        if (s.patterns == 0 || !matches(patterns_.pattern(pattern), topics_.name(s.topic))) continue;
        if (--s.patterns == 0 && !s.exact) remove(connection, id);
    }
    std::vector<std::uint32_t>& holders = holders_[pattern];
    holders.erase(std::find(holders.begin(), holders.end(), hold));
    if (holders.empty()) patterns_.remove(pattern);
}

void Hub::remove(std::uint32_t connection, SubscriptionId id) {
    Subscriber& subscriber = subscribers_[connection];
    SubscriptionId* link = &subscriber.first;
    while (*link != id + 1)
        link = &subscriptions_[*link - 1].next;
    *link = subscriptions_[id].next;
    --subscriber.subscriptions;
    subscriptions_.remove(id, subscriber.dialect);
}

std::size_t Hub::memory_in_use() const {
    return log_.memory_in_use() + subscriptions_.memory_in_use() + subscribers_.resident_bytes() +
           holds_.capacity() * sizeof(Hold) + lagging_.capacity() * sizeof(std::uint32_t);
}

}  // namespace millrace::fanout
