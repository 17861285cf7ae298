#pragma once
// The shards' clock: the processor's time-stamp counter, scaled by one multiplication. Read once a poll; all
// shards see the same time line, whose origin is the first use in the process.

#include <rte_cycles.h>

#include <cstdint>

#include "netstack/base/time.h"

namespace millrace {

class TscClock {
  public:
    // The first one in a process measures the counter's rate for 20 ms.
    TscClock() : scale_(calibration()) {}

    Time now() const { return at(rte_rdtsc()); }
    Time at(std::uint64_t ticks) const { return Time(duration(ticks - scale_.origin)); }
    Duration duration(std::uint64_t ticks) const {
        return Duration(static_cast<std::int64_t>(static_cast<Wide>(ticks) * scale_.mult >> 32));
    }
    double ticks_per_second() const { return 1e9 * 4294967296.0 / static_cast<double>(scale_.mult); }

  private:
    __extension__ using Wide = unsigned __int128;

    struct Scale {
        std::uint64_t origin;  // ticks
        std::uint64_t mult;    // nanoseconds a tick, times 2^32
    };
    static const Scale& calibration();

    Scale scale_;
};

}  // namespace millrace
