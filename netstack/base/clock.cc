#include "netstack/base/clock.h"

#include <cpuid.h>

#include <ctime>

#include "netstack/base/clock_drift.h"

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

bool tsc_is_invariant() {
    constexpr unsigned kPowerLeaf = 0x80000007, kInvariantTsc = 1u << 8;  // in EDX
    unsigned a = 0, b = 0, c = 0, d = 0;
    return ::__get_cpuid(kPowerLeaf, &a, &b, &c, &d) != 0 && (d & kInvariantTsc) != 0;
}

ClockDrift::ClockDrift() {
    const Reading now = read_both();
    ticks_ = now.ticks;
    kernel_ns_ = now.ns;
}

double ClockDrift::ppm() const {
    const Reading now = read_both();
    const auto ours = static_cast<double>(clock_.duration(now.ticks - ticks_).count());
    const auto kernels = static_cast<double>(now.ns - kernel_ns_);
    return kernels > 0 ? (ours / kernels - 1) * 1e6 : 0;
}

}  // namespace millrace
