#pragma once
// Whether the shards' clock can be believed.

#include <cstdint>

#include "netstack/base/clock.h"

namespace millrace {

// Whether the processor says that its counter runs at one rate, whatever the core does (CPUID).
bool tsc_is_invariant();

// How far TscClock moves away from the kernel's clock (CLOCK_MONOTONIC_RAW).
class ClockDrift {
  public:
    ClockDrift();
    // Since this was made, in millionths; positive: TscClock is ahead. Some microseconds of calls.
    double ppm() const;

  private:
    const TscClock clock_;
    std::uint64_t ticks_;
    std::int64_t kernel_ns_;
};

}  // namespace millrace
