#pragma once
// How long the turns of a shard's loop take: nothing that the stack or the engine does may keep a shard from
// its queues for long. A turn lasts from the shard's clock reading to its next; shards that share a core wait
// for each other, and see each other's turns.
//
// A machine takes its cores away, too. So after a long turn the thread's CPU time is asked for, which stops
// when the thread does: what the clock says beyond it since it was last asked was not ours.

#include <algorithm>
#include <cstdint>

#include "bench/result/histogram.h"
#include "netstack/base/time.h"

namespace millrace::bench {

inline constexpr Duration kLongTurn = 1ms;

struct Stalls {
    Histogram turns;             // ns
    std::uint64_t over_1ms = 0;  // turns
    // Of these the ones that were as long by the thread's own CPU time.
    std::uint64_t own_over_1ms = 0;
    Duration own_max{};  // of all turns; of those below 1 ms it is taken for granted that they were our own

    void merge(const Stalls& other) {
        turns.merge(other.turns);
        over_1ms += other.over_1ms;
        own_over_1ms += other.own_over_1ms;
        own_max = std::max(own_max, other.own_max);
    }
};

// CpuTime: the thread's CPU time as a Duration, when called.
template <class CpuTime>
class StallMeter {
  public:
    explicit StallMeter(CpuTime cpu_time = {}) : cpu_time_(cpu_time) {}

    // At the beginning of each turn.
    void turn(Time now) {
        const Duration turn = now - last_turn_;
        const bool counts = last_turn_ != Time{};
        last_turn_ = now;
        if (counts) {
            stalls_.turns.record(turn);
            if (turn >= kLongTurn) [[unlikely]]
                return long_turn(turn, now);
            stalls_.own_max = std::max(stalls_.own_max, turn);
        }
        // Not asked for long, it could not tell what was taken in the long turn from what was before it.
        if (now - asked_at_ >= kAskEach) [[unlikely]]
            ask(now);
    }
    // The turn that is going on does not count: it obeys an order, which no server does.
    void leave_out() { last_turn_ = Time{}; }

    const Stalls& stalls() const { return stalls_; }
    void reset() {
        stalls_ = {};
        leave_out();
    }

  private:
    static constexpr Duration kAskEach = 10ms;

    void ask(Time now) {
        asked_at_ = now;
        had_then_ = cpu_time_();
    }
    void long_turn(Duration turn, Time now) {
        const Duration had = cpu_time_() - had_then_;
        const Duration taken = std::max<Duration>(now - asked_at_ - had, Duration::zero());
        const Duration own = std::max<Duration>(turn - taken, Duration::zero());
        ++stalls_.over_1ms;
        stalls_.own_over_1ms += own >= kLongTurn;
        stalls_.own_max = std::max(stalls_.own_max, own);
        ask(now);
    }

    CpuTime cpu_time_;
    Stalls stalls_;
    Time last_turn_{};
    Time asked_at_{};
    Duration had_then_{};
};

// A system call, the only one: a hundred times a second and after a long turn.
struct ThreadCpuTime {
    Duration operator()() const;
};

}  // namespace millrace::bench
