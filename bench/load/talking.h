#pragma once
// LoadShard: messages leave, by answers or by the timetable, and what comes back is judged.

#include <string>

#include "bench/control/share.h"
#include "bench/load/shard.h"

namespace millrace::bench {

template <class C>
void LoadShard<C>::begin_talking(Time now) {
    begin_ = std::max(now, plan_.start);
    begun_ = false;
    recorder_.begin(begin_ + options_.warm_up, options_.duration);
    polls_.begin(recorder_.from(), recorder_.until(), options_.cores[index_ - plan_.first_shard]);
    sending_ = true;
    desk_.books.run = {};
    counters_then_.clear();
    carrier_.visit_counters(
        [this](std::string_view name, std::uint64_t value) { counters_then_[std::string(name)] = value; });
    desk_.books.run.began_with = open_.size();
    next_to_start_ = 0;
    for (const net::ConnId id : open_)
        if (id != net::kNoConn) endpoint_->template state<LoadClient<C>>(id).start_over();
    switch (options_.mode) {
        case LoadMode::kClosedLoop:
            stamps_.resize(open_.size() * options_.in_flight);
            break;
        case LoadMode::kOpenLoop:
            if (!open_.empty()) begin_open_loop();
            break;
        case LoadMode::kChurn:
            stamps_.resize(carrier_.max_connections());
            opening_began_ = begin_;
            desk_.books.run.began_with = share(options_.connections, index_, plan_.shards);
            break;
        case LoadMode::kListen:
            break;
    }
}

// Room for what comes due in a second, within reason: whoever is answered later has no figures that say much.
template <class C>
void LoadShard<C>::begin_open_loop() {
    constexpr double kLeast = 1 << 16, kMost = 1 << 22;
    const auto most = static_cast<std::size_t>(std::clamp(plan_.rate / plan_.shards, kLeast, kMost));
    open_loop_ = OpenLoop({.begin = begin_,
                           .per_second = plan_.rate,
                           .arrivals = options_.arrivals,
                           .seed = options_.content.seed,
                           .shard = index_,
                           .shards = plan_.shards,
                           .connections = static_cast<std::uint32_t>(open_.size())},
                          most);
    for (std::uint32_t place = 0; place < open_.size(); ++place)
        if (open_[place] == net::kNoConn) open_loop_.gone(place);
}

// True when the time is over, or nobody is left to talk to, and what was sent has come back, or is lost.
template <class C>
bool LoadShard<C>::go_on_talking(Time now) {
    const bool churn = options_.mode == LoadMode::kChurn;
    if (now < begin_ && !stopped_) return false;
    if (!begun_) {
        begun_ = true;
        desk_.books.run.began_late = std::max(now - begin_, Duration{});
    }
    if (sending_ && !stopped_ && (churn || live_ != 0)) {
        if (churn) open_some(now);
        if (options_.mode == LoadMode::kClosedLoop) start_some();
        // What was due before the end is sent, however late.
        const bool behind = options_.mode == LoadMode::kOpenLoop &&
                            !keep_to_timetable(std::min(now, recorder_.until() - Duration(1)));
        if (now < recorder_.until() || behind) return false;
    }
    if (sending_) {
        sending_ = false;
        patience_.begin(now, stopped_ ? kStopPatience : Patience::kTime);
        desk_.books.run.measured = std::max(std::min(now, recorder_.until()) - recorder_.from(), Duration{});
        if (options_.mode == LoadMode::kOpenLoop && !open_.empty())
            desk_.books.run.unsent = open_loop_.unsent(recorder_.until());
    }
    const std::uint64_t awaited = churn ? tried_ - answered_ : outstanding_;
    if (awaited != 0 && !patience_.is_over(awaited, now)) return false;
    desk_.books.run.lost += awaited;
    end_run();
    return true;
}

// What was recorded goes into the books.
template <class C>
void LoadShard<C>::end_run() {
    RunBooks& run = desk_.books.run;
    run.latencies = recorder_.latencies();
    run.polls = {polls_.trace()};
    carrier_.visit_counters([&](std::string_view name, std::uint64_t value) {
        const std::uint64_t more = value - counters_then_[std::string(name)];
        if (more != 0) run.counters[std::string(name)] += more;
    });
}

// Not all at once: the first answers come while the last begin.
template <class C>
void LoadShard<C>::start_some() {
    constexpr unsigned kPerPoll = 32;
    for (unsigned n = 0; n < kPerPoll && next_to_start_ < open_.size(); ++n) {
        const net::ConnId id = open_[next_to_start_++];
        if (id == net::kNoConn) continue;
        Socket ws(*endpoint_, id);
        for (std::uint64_t i = 0; i < options_.in_flight && say(ws) == SendStatus::kSent; ++i) {
        }
    }
}

// True when everybody has been asked whose turn has come by `now`.
template <class C>
bool LoadShard<C>::keep_to_timetable(Time now) {
    constexpr unsigned kPerPoll = 64;
    std::uint32_t place = 0;
    for (unsigned n = 0; n < kPerPoll; ++n) {
        if (!open_loop_.next(now, place)) return true;
        Socket ws(*endpoint_, open_[place]);
        catch_up(ws);
    }
    return false;
}

// More than one when there was no room for those before.
template <class C>
void LoadShard<C>::catch_up(Socket& ws) {
    while (open_loop_.has_unsent(ws.state().place) && say(ws) == SendStatus::kSent) {
    }
}

template <class C>
SendStatus LoadShard<C>::say(Socket& ws) {
    auto& state = ws.state();
    const auto payload = content_.make(number(state.place), state.said);
    const Time at = clock_.now();
    const SendStatus status =
        content_.opcode() == ws::Opcode::kText
            ? ws.send_text({reinterpret_cast<const char*>(payload.data()), payload.size()})
            : ws.send_binary(payload);
    if (status != SendStatus::kSent) [[unlikely]]
        return status;
    if (options_.mode == LoadMode::kClosedLoop) stamp(state.place, state.said) = at;
    if (options_.mode == LoadMode::kOpenLoop) {
        recorder_.sent(open_loop_.sent(state.place, at), at);
        if (!options_.echo) open_loop_.answered(state.place);
    }
    idle_ = false;
    ++state.said;
    ++desk_.books.run.sent;
    if (options_.echo) ++outstanding_;
    return status;
}

template <class C>
void LoadShard<C>::heard(Socket& ws, const Message& message) {
    if (!options_.echo) return count(message.size());
    auto& state = ws.state();
    if (state.heard == state.said) [[unlikely]] {
        ++desk_.books.run.corrupted;
        return;
    }
    const bool right = content_.matches(message, number(state.place), state.heard);
    const std::uint32_t sequence = state.heard++;
    --outstanding_;
    OpenLoop::Message times;
    if (options_.mode == LoadMode::kOpenLoop) times = open_loop_.answered(state.place);
    if (options_.mode == LoadMode::kClosedLoop) times.intended = times.sent = stamp(state.place, sequence);
    if (!right) [[unlikely]] {
        ++desk_.books.run.corrupted;
    } else if (options_.mode != LoadMode::kChurn) {
        recorder_.answered(times.intended, times.sent, clock_.now());
        count(message.size());
    }
    if (options_.mode == LoadMode::kChurn) return ws.close(ws::CloseCode::kNormal);
    if (options_.mode == LoadMode::kClosedLoop && sending_) say(ws);
}

template <class C>
void LoadShard<C>::count(std::size_t bytes) {
    ++desk_.progress.messages;
    if (!in_time(endpoint_->now())) return;
    ++desk_.books.run.messages;
    desk_.books.run.bytes += bytes;
}

template <class C>
void LoadShard<C>::room_again(Socket& ws) {
    if (!sending_) return;
    if (options_.mode == LoadMode::kOpenLoop) catch_up(ws);
    if (options_.mode == LoadMode::kClosedLoop)
        while (ws.state().said - ws.state().heard < options_.in_flight && say(ws) == SendStatus::kSent) {
        }
}

template <class C>
void LoadShard<C>::round_ended(net::ConnId id) {
    ++answered_;
    const Time now = clock_.now();
    recorder_.answered(stamps_[net::index(id)], stamps_[net::index(id)], now);
    ++desk_.progress.messages;
    if (in_time(now)) ++desk_.books.run.messages;
}

// "{n}" is the connection's number among all.
template <class C>
void LoadShard<C>::subscribe(Socket& ws) {
    std::string text = options_.subscribe;
    const std::string of = std::to_string(number(ws.state().place));
    for (std::size_t at = 0; (at = text.find("{n}", at)) != text.npos; at += of.size())
        text.replace(at, 3, of);
    ws.send_text(text);
}

}  // namespace millrace::bench
