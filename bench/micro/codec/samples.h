#pragma once
// Times short stretches of work one by one and reports their median, which a machine that is taken away now
// and then does not move, where a mean would be spoilt. A stretch should last some microseconds: reading the
// clock costs about 20 ns.

#include <rte_cycles.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "netstack/base/clock.h"

namespace millrace::bench {

class Samples {
  public:
    void start() { begun_ = rte_rdtsc(); }
    void stop() { ticks_.push_back(rte_rdtsc() - begun_); }
    // A stretch made of several that were timed by themselves.
    void add(std::uint64_t ticks) { ticks_.push_back(ticks); }

    // There must be one.
    double median_ns() {
        const auto middle = ticks_.begin() + static_cast<std::ptrdiff_t>(ticks_.size() / 2);
        std::nth_element(ticks_.begin(), middle, ticks_.end());
        return static_cast<double>(*middle) * 1e9 / clock_.ticks_per_second();
    }

  private:
    TscClock clock_;
    std::vector<std::uint64_t> ticks_;
    std::uint64_t begun_ = 0;
};

}  // namespace millrace::bench
