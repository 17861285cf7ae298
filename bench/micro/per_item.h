#pragma once
// Shows what one item of an iteration costs, where an iteration handles several.

#include <benchmark/benchmark.h>

#include <string>

namespace millrace::bench {

inline void per_item(benchmark::State& state, const std::string& item, std::size_t items) {
    state.counters[item] =
        benchmark::Counter(static_cast<double>(items),
                           benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

}  // namespace millrace::bench
