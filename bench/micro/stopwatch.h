#pragma once
// Times the steps of a pipeline that handles a burst at a time: each step is timed by itself, with the caches
// as the step before has left them, which separate benchmarks of the same steps would not show.

#include <benchmark/benchmark.h>
#include <rte_cycles.h>

#include <string>
#include <vector>

#include "bench/result/histogram.h"
#include "netstack/base/clock.h"

namespace millrace::bench {

class Stopwatch {
  public:
    // Steps in their order; `burst` items pass each at a time.
    Stopwatch(std::vector<std::string> steps, std::size_t burst)
        : steps_(std::move(steps)), burst_(burst), laps_(steps_.size()) {}

    void start() { last_ = rte_rdtsc(); }
    // The time since the last lap, or the start, belongs to this step.
    void lap(std::size_t step) {
        const std::uint64_t now = rte_rdtsc();
        laps_[step].record(clock_.duration(now - last_));
        last_ = rte_rdtsc();
    }

    // A counter a step: nanoseconds an item. Medians, since a machine that takes the CPU away in the midst of
    // a step would spoil a mean.
    void report(benchmark::State& state) const {
        for (std::size_t i = 0; i < steps_.size(); ++i)
            state.counters[steps_[i]] =
                static_cast<double>(laps_[i].percentile(50)) / static_cast<double>(burst_);
    }

  private:
    TscClock clock_;
    std::vector<std::string> steps_;
    std::size_t burst_;
    std::vector<Histogram> laps_;
    std::uint64_t last_ = 0;
};

}  // namespace millrace::bench
