#pragma once
// Time as every state machine of Millrace sees it: handed in by the shard's loop, once a poll, never read
// inside a state machine. That is what lets tests run whole networks in virtual time.

#include <chrono>

namespace millrace {

using namespace std::chrono_literals;

using Duration = std::chrono::nanoseconds;

// A tag, not a clock: it has no now(). The epoch is the start of the process (or of the simulation).
struct ShardTime {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<ShardTime>;
    static constexpr bool is_steady = true;
};

using Time = ShardTime::time_point;

inline constexpr Time kNever = Time::max();

}  // namespace millrace
