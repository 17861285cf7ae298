// What it costs to record one duration: the goal is 5 ns, with values that land all over the histogram.

#include "bench/result/histogram.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

namespace {

using millrace::bench::Histogram;

// Round trips as a run has them: log-normal around `range` ns, the tail spread over many buckets.
void record(benchmark::State& state) {
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> distribution(std::log(static_cast<double>(state.range(0))), 0.5);
    std::vector<std::uint64_t> values(4096);
    for (auto& value : values)
        value = static_cast<std::uint64_t>(distribution(random));
    Histogram histogram;
    std::size_t i = 0;
    for (auto _ : state)
        histogram.record(values[i++ & 4095]);
    benchmark::DoNotOptimize(histogram.max());
}
BENCHMARK(record)->Name("histogram/record")->Arg(1'000)->Arg(100'000);

}  // namespace
