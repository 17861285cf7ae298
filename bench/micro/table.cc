// Finding a segment's connection: the table alone, of 1,000 connections (in the cache), a million and ten
// million, in random order, so that each bucket is a miss; one at a time and as a burst does it (all buckets
// prefetched before the first is read).

#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "bench/micro/per_item.h"
#include "netstack/tcp/connection_table.h"

namespace {

using millrace::tcp::ConnectionTable;

constexpr std::size_t kBurst = 32;

struct Filled {
    ConnectionTable table;
    std::vector<std::uint32_t> hashes;  // in random order

    explicit Filled(std::size_t connections) : table(*ConnectionTable::create(connections)) {
        std::mt19937 random(1);
        hashes.resize(connections);
        for (std::uint32_t i = 0; i < connections; ++i) {
            hashes[i] = static_cast<std::uint32_t>(random());
            table.insert(hashes[i], i);
        }
        std::shuffle(hashes.begin(), hashes.end(), random);
    }
};

// The last one is kept: Google Benchmark calls a function several times over.
const Filled& table_of(std::size_t connections) {
    static std::unique_ptr<Filled> last;
    if (!last || last->hashes.size() != connections) {
        last.reset();
        last = std::make_unique<Filled>(connections);
    }
    return *last;
}

template <bool kPrefetch>
void find(benchmark::State& state) {
    const Filled& filled = table_of(static_cast<std::size_t>(state.range(0)));
    std::size_t at = 0, lost = 0;
    for (auto _ : state) {
        if (at + kBurst > filled.hashes.size()) at = 0;
        if constexpr (kPrefetch)
            for (std::size_t i = 0; i < kBurst; ++i)
                filled.table.prefetch(filled.hashes[at + i]);
        for (std::size_t i = 0; i < kBurst; ++i) {
            auto found = filled.table.find(filled.hashes[at + i], [](std::uint32_t) { return true; });
            lost += found == ConnectionTable::kNone;
        }
        at += kBurst;
    }
    if (lost != 0) state.SkipWithError("connections were not found");
    millrace::bench::per_item(state, "lookup", kBurst);
}
BENCHMARK(find<false>)->Name("table/find")->Arg(1'000)->Arg(1'000'000)->Arg(10'000'000);
BENCHMARK(find<true>)->Name("table/find_in_burst")->Arg(1'000)->Arg(1'000'000)->Arg(10'000'000);

}  // namespace
