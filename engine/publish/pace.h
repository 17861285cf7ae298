#pragma once
// When messages are due: at the source's pace, a multiple of it, as fast as they are taken, or at most so
// many a second.

#include <algorithm>
#include <cstdint>

#include "netstack/base/time.h"

namespace millrace::publish {

struct Pace {
    double speed = 1;  // of the source's own pace; 0: as fast as possible
    double rate = 0;   // messages a second at most; 0: any

    // Since the first message, that of the `index`th, which the source has at `at`.
    Duration due(std::uint64_t index, Duration at) const {
        const double by_speed = speed == 0 ? 0 : static_cast<double>(at.count()) / speed;
        const double by_rate = rate == 0 ? 0 : 1e9 * static_cast<double>(index) / rate;
        return Duration(static_cast<Duration::rep>(std::max(by_speed, by_rate)));
    }
};

}  // namespace millrace::publish
