#include "netstack/base/clock.h"

#include <ctime>

namespace millrace {
namespace {

struct Reading {
    std::uint64_t ticks;
    std::int64_t ns;
};

// Both clocks at one moment: of several tries the one that was interrupted least.
Reading read_both() {
    Reading best{};
    std::uint64_t least = ~std::uint64_t{0};
    for (int i = 0; i < 16; ++i) {
        timespec ts{};
        const std::uint64_t before = rte_rdtsc();
        ::clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
        const std::uint64_t after = rte_rdtsc();
        if (after - before < least) {
            least = after - before;
            best = {before + least / 2, ts.tv_sec * std::int64_t{1'000'000'000} + ts.tv_nsec};
        }
    }
    return best;
}

}  // namespace

const TscClock::Scale& TscClock::calibration() {
    static const Scale scale = [] {
        const Reading start = read_both();
        const timespec pause{0, 20'000'000};
        ::nanosleep(&pause, nullptr);
        const Reading end = read_both();
        const auto ns = static_cast<Wide>(end.ns - start.ns);
        return Scale{start.ticks, static_cast<std::uint64_t>((ns << 32) / (end.ticks - start.ticks))};
    }();
    return scale;
}

}  // namespace millrace
