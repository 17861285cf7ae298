#pragma once
// LoadShard: connections are opened.

#include <fmt/format.h>

#include <algorithm>

#include "bench/control/share.h"
#include "bench/load/shard.h"

namespace millrace::bench {

template <class C>
void LoadShard<C>::begin_opening(Time now) {
    open_.reserve(share(options_.connections, index_, plan_.shards));
    desk_.books.connect_began = opening_began_ = now;
    patience_.begin(now);
}

// True when all have been opened or have failed.
template <class C>
bool LoadShard<C>::go_on_opening(Time now) {
    const std::uint64_t wanted = share(options_.connections, index_, plan_.shards);
    if (tried_ < wanted) open_some(now);
    desk_.books.connect_ended = now;
    if (answered_ == wanted || stopped_) return true;
    // A low rate is not silence.
    if (tried_ == answered_) patience_.begin(now);
    if (!patience_.is_over(answered_, now)) return false;
    for (; answered_ < wanted; ++answered_)
        failed("no answer for 30 s");
    return true;
}

// Enough under way to keep both ends busy, few enough that no listener's backlog overflows; and, where a rate
// is asked for, no more than were due by now.
template <class C>
void LoadShard<C>::open_some(Time now) {
    constexpr std::uint64_t kUnderWay = 512;
    constexpr unsigned kPerPoll = 32;
    const bool churn = options_.mode == LoadMode::kChurn;
    const std::uint64_t all = share(options_.connections, index_, plan_.shards);
    const std::uint64_t under_way = std::min<std::uint64_t>(churn ? all : kUnderWay, all);
    std::uint64_t due = churn ? ~std::uint64_t{0} : all;
    if (options_.connect_rate > 0) {
        const double seconds = std::chrono::duration<double>(now - opening_began_).count();
        due = std::min(due, static_cast<std::uint64_t>(seconds * options_.connect_rate / plan_.shards) + 1);
    }
    for (unsigned n = 0; n < kPerPoll && tried_ < due && tried_ - answered_ < under_way; ++n)
        open_one(now);
}

template <class C>
void LoadShard<C>::open_one(Time now) {
    ++tried_;
    const net::ConnId id = endpoint_->connect(plan_.address, target_, now);
    if (id == net::kNoConn) {
        ++answered_;
        return failed("connect: no local port or descriptor left");
    }
    if (options_.mode == LoadMode::kChurn) stamps_[net::index(id)] = clock_.now();
}

template <class C>
void LoadShard<C>::opened(Socket& ws) {
    ++desk_.progress.opened;
    if (options_.mode == LoadMode::kChurn) {
        ws.state().place = net::index(ws.id());
        say(ws);
        return;
    }
    ++answered_;
    ws.state().place = static_cast<std::uint32_t>(open_.size());
    open_.push_back(ws.id());
    ++live_;
    if (!options_.subscribe.empty()) subscribe(ws);
}

template <class C>
void LoadShard<C>::not_opened(const OpeningFailure& failure) {
    ++answered_;
    if (failure.response != nullptr && failure.response->status != 101)
        return failed(
            fmt::format("{}: HTTP {}", failure.from_proxy ? "proxy" : "handshake", failure.response->status));
    failed(fmt::format("{}: {}", failure.connected ? "handshake" : "connect", failure.why));
}

template <class C>
void LoadShard<C>::failed(std::string_view why) {
    ++desk_.progress.failed;
    (order_ == LoadOrder::kTalk ? desk_.books.run.failed : desk_.books.failed).add(why);
}

// Nobody asked for it, but in a round of churn and at the end.
template <class C>
void LoadShard<C>::closed(Socket& ws, ws::CloseCode code) {
    if (options_.mode == LoadMode::kChurn) {
        if (ws.state().heard == 1 && code == ws::CloseCode::kNormal) return round_ended(ws.id());
        ++answered_;
        desk_.books.run.lost += ws.state().said - ws.state().heard;
    } else {
        const auto& state = ws.state();
        open_[state.place] = net::kNoConn;
        --live_;
        if (options_.mode == LoadMode::kOpenLoop && order_ == LoadOrder::kTalk) open_loop_.gone(state.place);
        if (order_ == LoadOrder::kClose) return;
        if (options_.echo) {
            desk_.books.run.lost += state.said - state.heard;
            outstanding_ -= state.said - state.heard;
        }
    }
    desk_.books.run.closed.add(fmt::format("close code {}", static_cast<unsigned>(code)));
}

}  // namespace millrace::bench
