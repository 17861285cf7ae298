#pragma once
// The timers of one shard: a hierarchical wheel, six levels of 256 slots, one tick 32.8 microseconds, so
// every Time fits and nothing is ever clamped. Arm and cancel are O(1); time may jump (an idle shard, a
// simulation) at the cost of the occupied slots alone, which a bitmap finds.
//
// A timer lies at the level of the highest digit in which its tick differs from the wheel's, hence always in
// a slot that the wheel has yet to reach. When the wheel enters a slot above level 0, its timers move down.
//
// Extending is lazy: a timer moved to a later deadline keeps its slot and is put right when the slot is
// reached. An ever extended timer, such as an idle timeout, so costs one store a time.

#include <algorithm>
#include <array>
#include <cstdint>

#include "netstack/base/block_pool.h"
#include "netstack/base/error.h"
#include "netstack/base/time.h"

namespace millrace::net {

using TimerId = std::uint32_t;
inline constexpr TimerId kNoTimer = kNoBlock;

struct Timer {
    Time deadline;
    std::uint32_t owner;  // what to do with these two is the user's
    std::uint32_t prev;
    std::uint32_t next;
    std::uint16_t slot;
    std::uint8_t kind;
};
static_assert(sizeof(Timer) == 24 || sizeof(Timer) == 32);

class Wheel {
  public:
    static Expected<Wheel> create(std::size_t capacity);

    // kNoTimer when all `capacity` timers are armed. A deadline in the past is due at the next advance().
    TimerId arm(std::uint32_t owner, std::uint8_t kind, Time deadline);
    void move(TimerId timer, Time deadline);
    void cancel(TimerId timer);

    // Calls expired(const Timer&) for each timer whose deadline is at or before `now`, at most one tick late,
    // in the order of their ticks; the timer is free by then and expired() may arm and cancel at will.
    // Handles at most `budget` timers, moves between levels included. False when due timers are left for the
    // next call.
    template <class Expired>
    bool advance(Time now, unsigned budget, Expired&& expired);

    // A time no later than any deadline, at which advance() has something to do; kNever when nothing is
    // armed.
    Time next() const {
        return next_tick_ > kLastTick ? kNever : Time(Duration(std::int64_t(next_tick_) << kTickShift));
    }
    std::size_t armed() const { return timers_.in_use(); }
    std::size_t resident_bytes() const { return timers_.resident_bytes(); }

  private:
    static constexpr unsigned kTickShift = 15;
    static constexpr unsigned kLevels = 6;
    static constexpr unsigned kSlots = 256;
    static constexpr std::uint64_t kLastTick =
        std::uint64_t(Time::max().time_since_epoch().count()) >> kTickShift;

    struct Earliest {
        std::uint64_t tick;  // above kLastTick: none
        unsigned slot;       // over all levels
    };

    // The first tick that is not before the deadline: a timer is never early.
    static std::uint64_t tick_of(Time deadline);
    Earliest earliest() const;
    void insert(TimerId timer);
    void remove(TimerId timer);

    BlockPool<Timer> timers_;
    std::uint64_t tick_ = 0;
    std::uint64_t next_tick_ = ~std::uint64_t{0};  // a lower bound of all occupied slots
    std::array<TimerId, kLevels * kSlots> heads_;
    std::array<std::uint64_t, kLevels * kSlots / 64> occupied_{};
};

template <class Expired>
bool Wheel::advance(Time now, unsigned budget, Expired&& expired) {
    const auto target = std::uint64_t(now.time_since_epoch().count()) >> kTickShift;
    if (target < next_tick_) return true;
    for (;;) {
        const Earliest first = earliest();
        if (first.tick > target) {
            tick_ = std::max(tick_, target);
            next_tick_ = first.tick;
            return true;
        }
        tick_ = first.tick;
        while (heads_[first.slot] != kNoTimer) {
            if (budget-- == 0) {
                next_tick_ = tick_;
                return false;
            }
            const TimerId id = heads_[first.slot];
            remove(id);
            if (tick_of(timers_[id].deadline) > tick_) {
                insert(id);  // from a higher level, or extended
            } else {
                const Timer timer = timers_[id];
                timers_.give_back(id);
                expired(timer);
            }
        }
    }
}

}  // namespace millrace::net
