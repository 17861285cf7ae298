#pragma once
// Times short stretches of work one by one and reports their median, which a machine that is taken away now
// and then does not move, where a mean would be spoilt. A stretch should last some microseconds: reading the
// clock costs about 20 ns.
//
// Where a figure is a ratio of two kinds of work, stretches of both are timed in turn, and the ratio is the
// median over the pairs: a neighbour who takes half the core, or a clock that is lowered, lasts for
// milliseconds and so befalls both of a pair, where it moves the ratio of two medians by a third.

#include <benchmark/benchmark.h>
#include <rte_cycles.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
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
    double median_ns() const { return static_cast<double>(median(ticks_)) * 1e9 / clock_.ticks_per_second(); }
    // Of those of `other` that were timed beside these: how many times as long they took, and how much less.
    double ratio_of(const Samples& other) const {
        return over_pairs(other, [](double ours, double others) { return others / ours; });
    }
    double excess_ns(const Samples& other) const {
        return over_pairs(other, [](double ours, double others) { return ours - others; }) * 1e9 /
               clock_.ticks_per_second();
    }

  private:
    template <class Value>
    double over_pairs(const Samples& other, Value&& value) const {
        std::vector<double> values(ticks_.size());
        for (std::size_t i = 0; i < ticks_.size(); ++i)
            values[i] = value(static_cast<double>(ticks_[i]), static_cast<double>(other.ticks_.at(i)));
        return median(std::move(values));
    }
    template <class T>
    static T median(std::vector<T> values) {
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), middle, values.end());
        return *middle;
    }

    TscClock clock_;
    std::vector<std::uint64_t> ticks_;
    std::uint64_t begun_ = 0;
};

// Both did `bytes` in each stretch.
inline void report_rates(benchmark::State& state, std::size_t bytes, const Samples& ours,
                         const Samples& other) {
    state.counters["GB/s"] = static_cast<double>(bytes) / ours.median_ns();
    state.counters["other GB/s"] = static_cast<double>(bytes) / other.median_ns();
    state.counters["ratio"] = ours.ratio_of(other);
}

}  // namespace millrace::bench
