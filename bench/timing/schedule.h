#pragma once
// An open loop's timetable: each message of the whole load is meant to leave at a time that was fixed before,
// whatever became of those ahead of it, and latency counts from then. The connections of a shard take turns.
//
//     constant   message k at the beginning plus k times the interval; the shards take turns, too
//     poisson    intervals drawn from an exponential distribution by each shard for itself: together they
//                are a Poisson process of the whole rate, as many users who know nothing of one another

#include <cmath>
#include <cstdint>

#include "bench/traffic/split_mix.h"
#include "netstack/base/time.h"

namespace millrace::bench {

enum class Arrivals : std::uint8_t { kConstant, kPoisson };

// As results call the mode.
inline const char* open_loop_name(Arrivals arrivals) {
    return arrivals == Arrivals::kPoisson ? "open loop, poisson" : "open loop, constant";
}

class Schedule {
  public:
    struct Setup {
        Time begin{};
        double per_second = 1;  // of all shards together
        Arrivals arrivals = Arrivals::kConstant;
        std::uint64_t seed = 1;  // kPoisson: what the intervals follow from
        unsigned shard = 0, shards = 1;
        std::uint32_t connections = 1;  // of this shard, at least 1
    };
    struct Turn {
        std::uint32_t connection = 0;
        Time intended{};
    };

    Schedule() : Schedule(Setup{}) {}
    explicit Schedule(const Setup& setup) : setup_(setup), interval_ns_(1e9 / setup.per_second) {
        random_ = mix(mix(setup.seed) + setup.shard);  // no seed is another's stream, begun later
        drawn_ns_ = interval();
        next_ = time_of_next();
    }

    // The next turn, when its time has come by `now`; false when it has not.
    bool next(Time now, Turn& turn) {
        if (next_ > now) return false;
        turn = {static_cast<std::uint32_t>(turns_ % setup_.connections), next_};
        ++turns_;
        if (setup_.arrivals == Arrivals::kPoisson) drawn_ns_ += interval();
        next_ = time_of_next();
        return true;
    }
    std::uint64_t turns() const { return turns_; }

  private:
    Time time_of_next() const {
        const double ns = setup_.arrivals == Arrivals::kPoisson
                              ? drawn_ns_
                              : static_cast<double>(turns_ * setup_.shards + setup_.shard) * interval_ns_;
        return setup_.begin + Duration(static_cast<std::int64_t>(ns));
    }
    // SplitMix64 makes a number above 0 and up to 1, its logarithm the interval.
    double interval() {
        const double uniform = static_cast<double>((mix(random_ += kGoldenRatio) >> 11) + 1) * 0x1p-53;
        return -std::log(uniform) * interval_ns_ * setup_.shards;
    }

    Setup setup_;
    double interval_ns_;
    std::uint64_t turns_ = 0;
    std::uint64_t random_;
    double drawn_ns_ = 0;
    Time next_{};
};

}  // namespace millrace::bench
