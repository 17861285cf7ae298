// Where subscribers are that have not kept up, and what becomes of those who fall too far behind.

#include <algorithm>

#include "engine/fanout/hub.h"

namespace millrace::fanout {

namespace {

constexpr Offset kUnit = 8;  // records stand at multiples of it

}  // namespace

// kReplay: of its next message; kValues: of the last that it was told. It is never half of all numbers
// behind.
std::uint64_t Hub::full_sequence(const Subscription& s) const {
    if (s.snapshot && s.sequence == 0) return 0;  // nothing was told yet, however long ago it was
    const std::uint64_t next = log_.chain(s.topic).sequence + 1;
    return next - static_cast<std::uint32_t>(static_cast<std::uint32_t>(next) - s.sequence);
}

// kReplay: of its next message in the log; kNowhere: there is none yet.
Offset Hub::place_of(const Subscription& s) const {
    if (s.at != 0) {
        const Offset end = log_.end() / kUnit;
        const Offset place =
            (end - static_cast<std::uint32_t>(static_cast<std::uint32_t>(end) - s.at)) * kUnit;
        if (log_.holds(place)) return place;
    }
    const std::uint64_t next = full_sequence(s);
    return log_.chain(s.topic).sequence < next ? kNowhere : log_.find(s.topic, next);
}

void Hub::stand_at(Subscription& s, Offset place) const {
    s.sequence = static_cast<std::uint32_t>(log_.at(place).sequence);
    s.at = static_cast<std::uint32_t>(place / kUnit);
}

// It was live, and is not sent the run that is being delivered.
void Hub::fall_behind(SubscriptionId id, Dialect dialect) {
    Subscription& s = subscriptions_[id];
    if (s.conflate) {
        if (full_sequence(s) >= log_.chain(s.topic).sequence)
            return;  // it has been told these values already
        subscriptions_.set_stage(id, dialect, Stage::kValues);
    } else {
        ++counters_.fallen_behind;
        stand_at(s, run_.begin);
        if (s.slow == SlowPolicy::kConflate) {
            --s.sequence;
            s.at = 0;
            s.interval = 0;
        }
        subscriptions_.set_stage(id, dialect,
                                 s.slow == SlowPolicy::kConflate ? Stage::kValues : Stage::kReplay);
    }
    mark_lagging(s.connection);
}

// From now on delivery sends it what comes, if that is just what it must be sent next.
bool Hub::go_live(SubscriptionId id, Dialect dialect) {
    Subscription& s = subscriptions_[id];
    if (s.untold || s.gap || s.skipped != 0) return false;
    const Log::Chain& chain = log_.chain(s.topic);
    const std::uint64_t sequence = full_sequence(s);
    if (s.stage == Stage::kValues) {
        if (sequence < chain.sequence || !s.conflate) return false;
        subscriptions_.set_stage(id, dialect, Stage::kLive);
        return true;
    }
    const bool run_is_its = run_under_way() && run_.topic == s.topic;
    const auto own = static_cast<std::uint8_t>(dialect);
    if (chain.sequence < sequence) {
        // What was logged before it subscribed and has not been delivered yet is not for it.
        if (chain.last >= run_.end) return false;
    } else {
        const Offset place = place_of(s);
        if (place == run_.begin && run_is_its) {
            const bool ahead = own > run_dialect_ || (own == run_dialect_ &&
                                                      (!pass_under_way_ || s.place >= subscriptions_.done()));
            if (!ahead) return false;
            subscriptions_.set_stage(id, dialect, Stage::kLive);
            return true;
        }
        if (place < run_.end || s.at == 0) return false;
    }
    if (run_is_its && own >= run_dialect_) {
        if (own > run_dialect_ || !pass_under_way_) return false;
        subscriptions_.pass_over(id);
    }
    subscriptions_.set_stage(id, dialect, Stage::kLive);
    return true;
}

// kReplay: what it is to be sent next is in the log, and not further behind than it may be. False: it is sent
// away.
bool Hub::keep_within_limits(Subscription& s, TooSlow& why) {
    const Log::Chain& chain = log_.chain(s.topic);
    const std::uint64_t sequence = full_sequence(s);
    if (chain.sequence < sequence) return true;
    const Offset place = place_of(s);
    const bool lost = place == kNowhere || log_.at(place).sequence - log_.at(place).missing > sequence;
    const auto beyond = [&](const Log::Record& r) {
        return chain.sequence - r.sequence >= config_.slow_messages ||
               chain.bytes - r.bytes_before > config_.slow_bytes;
    };
    if (!lost && !beyond(log_.at(place))) {
        // Found for the first time, behind what has been delivered, it says nothing of what lies between.
        if (place < run_.end) s.at = static_cast<std::uint32_t>(place / kUnit);
        return true;
    }
    if (s.slow == SlowPolicy::kConflate) {
        s.stage = Stage::kValues;
        s.sequence = static_cast<std::uint32_t>(sequence - 1);
        s.at = 0;
        return true;
    }
    if (s.slow == SlowPolicy::kDisconnect) {
        why = lost ? TooSlow::kOverwritten : TooSlow::kBeyondLimit;
        return false;
    }
    skip_to(s, place == kNowhere ? kNowhere : log_.skip(place, beyond));
    return true;
}

// Leaves out what comes before `place`; kNowhere: all.
void Hub::skip_to(Subscription& s, Offset place) {
    const std::uint64_t from = full_sequence(s);
    const std::uint64_t to = place == kNowhere ? log_.chain(s.topic).sequence + 1
                                               : log_.at(place).sequence - log_.at(place).missing;
    counters_.skipped.add(to - from);
    s.skipped += static_cast<std::uint32_t>(to - from);
    s.sequence = static_cast<std::uint32_t>(to);
    s.at = place == kNowhere ? 0 : static_cast<std::uint32_t>(place / kUnit);
}

void Hub::mark_lagging(std::uint32_t connection) {
    Subscriber& subscriber = subscribers_[connection];
    if (subscriber.lagging != 0) return;
    lagging_.push_back(connection);
    subscriber.lagging = static_cast<std::uint32_t>(lagging_.size());
}

void Hub::unmark_lagging(std::uint32_t connection) {
    Subscriber& subscriber = subscribers_[connection];
    if (subscriber.lagging == 0) return;
    const std::uint32_t place = subscriber.lagging - 1;
    lagging_[place] = lagging_.back();
    subscribers_[lagging_[place]].lagging = place + 1;
    lagging_.pop_back();
    subscriber.lagging = 0;
}

// The subscription whose next message was published first, so that a connection hears its topics in the order
// of publication; what is conflated comes when it may. Those that have caught up become live on the way.
Hub::Urgent Hub::most_urgent(std::uint32_t connection, std::uint32_t now_ms) {
    const Subscriber& subscriber = subscribers_[connection];
    Urgent urgent{.until = run_.end};
    Offset first = run_.end;
    for (SubscriptionId id = subscriber.first; id != 0; id = subscriptions_[id - 1].next) {
        Subscription& s = subscriptions_[id - 1];
        if (s.stage == Stage::kLive) continue;
        if (s.stage == Stage::kReplay && !keep_within_limits(s, urgent.why)) {
            urgent.too_slow = true;
            return urgent;
        }
        if (go_live(id - 1, subscriber.dialect)) continue;
        urgent.all_live = false;
        const bool notices = s.untold || s.gap || s.skipped != 0;
        if (s.stage == Stage::kValues) {
            const bool due = s.interval == 0 || static_cast<std::int32_t>(now_ms - s.at) >= 0;
            if (!due && !notices) continue;
            urgent.id = id - 1;
            return urgent;
        }
        if (notices) {
            urgent.id = id - 1;
            urgent.until = 0;  // no more than these
            return urgent;
        }
        const Offset place = place_of(s);
        if (place == kNowhere || place >= run_.end) continue;
        if (urgent.id == kNoSubscription || place < first) {
            urgent.until = urgent.id == kNoSubscription ? run_.end : first;
            urgent.id = id - 1;
            first = place;
        } else {
            urgent.until = std::min(urgent.until, place);
        }
    }
    return urgent;
}

}  // namespace millrace::fanout
