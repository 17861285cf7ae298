#pragma once
// Part of hub.h: from the log to the subscribers.

#include <algorithm>

namespace millrace::fanout {

template <Outlet Out>
void Hub::deliver(Out& out) {
    unsigned sends = 0;
    while (run_under_way() || next_run())
        if (!deliver_run(out, sends)) return;
}

// False when there is more to do than a poll should take.
template <Outlet Out>
bool Hub::deliver_run(Out& out, unsigned& sends) {
    for (; run_dialect_ < kDialects; ++run_dialect_)
        if (!deliver_to(out, static_cast<Dialect>(run_dialect_), sends)) return false;
    breadth_.add(subscriptions_.count(run_.topic), run_.messages);
    run_.begin = run_.end;
    return true;
}

// The same bytes to everybody; who is behind, or cannot take them, will have them from the log.
template <Outlet Out>
bool Hub::deliver_to(Out& out, Dialect dialect, unsigned& sends) {
    const std::vector<Entry>& entries = subscriptions_.of(run_.topic, dialect);
    if (entries.empty() && !pass_under_way_) return true;
    if (!pass_under_way_) begin_dialect();
    const auto batch = out.batch(std::span<const std::byte>(frames_), run_.messages);
    const auto fetch = [&](std::uint32_t place) {
        if (place >= entries.size()) return;
        __builtin_prefetch(&subscribers_[entries[place].connection]);
        out.prefetch(entries[place].connection);
    };
    for (std::uint32_t i = 0; i < kAhead; ++i)
        fetch(subscriptions_.done() + i);
    std::uint64_t delivered = 0;
    while (subscriptions_.done() < entries.size() && sends < kSendsPerPoll && !waits_for(out)) {
        fetch(subscriptions_.done() + kAhead);
        const Entry entry = entries[subscriptions_.done()];
        subscriptions_.pass_next();
        ++sends;
        if (entry.behind) continue;
        Sent sent = Sent::kFull;
        if (!entry.conflate && subscribers_[entry.connection].lagging == 0) [[likely]]
            sent = out.send(entry.connection, batch);
        if (sent == Sent::kSent) [[likely]]
            delivered += run_.messages;
        else if (sent == Sent::kFull)
            fall_behind(entry.subscription, dialect);
    }
    counters_.deliveries.add(delivered);
    if (subscriptions_.done() < entries.size()) return false;
    subscriptions_.end_pass();
    pass_under_way_ = false;
    return true;
}

// Some of them, in turns.
template <Outlet Out>
void Hub::catch_up(Out& out, Time now) {
    const std::size_t visits = std::min<std::size_t>(kVisitsPerPoll, lagging_.size());
    for (std::size_t n = 0; n < visits && !lagging_.empty(); ++n) {
        if (lagging_cursor_ >= lagging_.size()) lagging_cursor_ = 0;
        const std::uint32_t connection = lagging_[lagging_cursor_];
        if (!catch_up(out, connection, now)) ++lagging_cursor_;  // else another one has its place
    }
}

template <Outlet Out>
bool Hub::catch_up(Out& out, std::uint32_t connection, Time now) {
    const auto now_ms = static_cast<std::uint32_t>(now.time_since_epoch() / 1ms);
    const Dialect dialect = subscribers_[connection].dialect;
    for (;;) {
        const Urgent urgent = most_urgent(connection, now_ms);
        if (urgent.too_slow) {
            ++counters_.disconnected;
            close(connection);
            out.disconnect(connection, urgent.why);
            return true;
        }
        if (urgent.all_live) {
            unmark_lagging(connection);
            return true;
        }
        if (urgent.id == kNoSubscription || !out.has_room(connection)) return false;
        Subscription after = subscriptions_[urgent.id];
        const std::uint32_t messages = fill(after, dialect, urgent.until, now_ms);
        if (!own_.empty()) {
            const Sent sent = out.send(connection, std::span<const std::byte>(own_), messages);
            if (sent == Sent::kFull) return false;
            if (sent == Sent::kGone) {
                close(connection);
                return true;
            }
        }
        counters_.deliveries.add(messages);
        const Stage stage = after.stage;
        subscriptions_[urgent.id] = after;
        subscriptions_.set_stage(urgent.id, dialect, stage);
    }
}

}  // namespace millrace::fanout
