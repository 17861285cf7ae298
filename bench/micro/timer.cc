// The timer wheel: arming, cancelling and expiring a timer, among a thousand (in the cache) and a million
// (out of it), in random order. Deadlines are those of retransmission timers, 200 ms to one second away.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

#include "bench/micro/per_item.h"
#include "bench/micro/stopwatch.h"
#include "netstack/timer/wheel.h"

namespace {

using namespace millrace;
using net::TimerId;
using net::Wheel;

std::vector<Duration> some_durations(std::size_t n) {
    std::mt19937_64 random(1);
    std::vector<Duration> durations(n);
    for (Duration& each : durations)
        each = 200ms + Duration(static_cast<std::int64_t>(random() % 800'000'000));
    return durations;
}

void cancel_and_arm(benchmark::State& state) {
    constexpr std::size_t kBatch = 256;
    const auto others = static_cast<std::size_t>(state.range(0));
    const std::vector<Duration> after = some_durations(others);
    Wheel wheel = *Wheel::create(others);
    std::vector<TimerId> timers;
    for (const Duration each : after)
        timers.push_back(wheel.arm(0, 0, Time{} + each));
    std::mt19937 random(1);
    std::vector<Time> deadlines(kBatch);
    bench::Stopwatch watch({"1 cancel", "2 arm"}, kBatch);
    for (auto _ : state) {
        for (std::size_t i = 0; i < kBatch; ++i) {
            std::swap(timers[i], timers[i + random() % (others - i)]);
            deadlines[i] = Time{} + after[random() % others];
        }
        watch.start();
        for (std::size_t i = 0; i < kBatch; ++i)
            wheel.cancel(timers[i]);
        watch.lap(0);
        for (std::size_t i = 0; i < kBatch; ++i)
            timers[i] = wheel.arm(0, 0, deadlines[i]);
        watch.lap(1);
    }
    if (wheel.armed() != others) state.SkipWithError("timers were lost");
    watch.report(state);
}
BENCHMARK(cancel_and_arm)->Name("timer/cancel_and_arm")->Arg(1'000)->Arg(1'000'000);

// Virtual time runs on, a poll every 100 us, until all have expired; each moves down the wheel's levels on
// its way.
void expire(benchmark::State& state) {
    constexpr unsigned kNoBound = ~0u;
    const auto timers = static_cast<std::size_t>(state.range(0));
    const std::vector<Duration> after = some_durations(timers);
    Wheel wheel = *Wheel::create(timers);
    Time now{};
    std::uint64_t armed = 0, expired = 0, early = 0;
    for (auto _ : state) {
        state.PauseTiming();
        for (const Duration each : after)
            wheel.arm(0, 0, now + each);
        armed += timers;
        state.ResumeTiming();
        for (const Time end = now + 1100ms; now < end; now += 100us)
            wheel.advance(now, kNoBound, [&](const net::Timer& timer) {
                ++expired;
                early += timer.deadline > now;
            });
    }
    if (expired != armed || early != 0) state.SkipWithError("not all expired, or not in their time");
    bench::per_item(state, "expire", timers);
}
BENCHMARK(expire)->Name("timer/expire")->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
