#include "engine/fanout/subscriptions.h"

#include <utility>

namespace millrace::fanout {

Expected<Subscriptions> Subscriptions::create(std::uint32_t max_subscriptions) {
    if (max_subscriptions > 1u << 30) return fail("a shard holds at most 1,073,741,824 subscriptions");
    auto all = ReservedArray<Subscription>::create(max_subscriptions);
    if (!all) return tl::unexpected(all.error());
    Subscriptions made;
    made.all_ = std::move(*all);
    return made;
}

void Subscriptions::put(std::vector<Entry>& entries, std::uint32_t place, Entry entry) {
    entries[place] = entry;
    all_[entry.subscription].place = place;
}

SubscriptionId Subscriptions::add(std::uint32_t connection, Dialect dialect, TopicId topic,
                                  SubscriptionId next) {
    SubscriptionId id = free_;
    if (id != kNoSubscription)
        free_ = all_[id].next;
    else if (used_ != all_.capacity())
        id = used_++;
    else
        return kNoSubscription;
    if (topic >= topics_.size()) topics_.resize(topic + 1);
    all_[id] = {};
    all_[id].connection = connection;
    all_[id].topic = topic;
    all_[id].next = next;
    std::vector<Entry>& entries = this->entries(topic, dialect);
    entries.emplace_back();
    put(entries, static_cast<std::uint32_t>(entries.size() - 1),
        {.connection = connection, .behind = 0, .conflate = 0, .subscription = id});
    ++topics_[topic].count;
    ++in_use_;
    return id;
}

// The last one fills the gap; in an array that is being passed the last of those that have been passed does,
// and the last one its place.
void Subscriptions::remove(SubscriptionId id, Dialect dialect) {
    const TopicId topic = all_[id].topic;
    std::vector<Entry>& entries = this->entries(topic, dialect);
    std::uint32_t hole = all_[id].place;
    if (passes(topic, dialect) && hole < pass_.done) {
        --pass_.done;
        put(entries, hole, entries[pass_.done]);
        hole = pass_.done;
    }
    put(entries, hole, entries.back());
    entries.pop_back();
    --topics_[topic].count;
    --in_use_;
    all_[id].next = free_;
    free_ = id;
}

void Subscriptions::pass_over(SubscriptionId id) {
    std::vector<Entry>& entries = this->entries(pass_.topic, pass_.dialect);
    const std::uint32_t place = all_[id].place;
    if (place < pass_.done) return;
    const Entry other = entries[pass_.done];
    put(entries, pass_.done, entries[place]);
    put(entries, place, other);
    ++pass_.done;
}

void Subscriptions::set_stage(SubscriptionId id, Dialect dialect, Stage stage) {
    Subscription& s = all_[id];
    s.stage = stage;
    entries(s.topic, dialect)[s.place].behind = stage != Stage::kLive;
}

void Subscriptions::set_conflate(SubscriptionId id, Dialect dialect, bool conflate) {
    Subscription& s = all_[id];
    s.conflate = conflate;
    entries(s.topic, dialect)[s.place].conflate = conflate;
}

std::size_t Subscriptions::memory_in_use() const {
    std::size_t bytes = all_.resident_bytes() + topics_.capacity() * sizeof(Topic);
    for (const Topic& topic : topics_)
        for (const auto& entries : topic.entries)
            bytes += entries.capacity() * sizeof(Entry);
    return bytes;
}

}  // namespace millrace::fanout
