#pragma once
// So many a second, with as many at once: what keeps answers to strangers from becoming a flood.

#include <algorithm>
#include <cstdint>

#include "netstack/base/time.h"

namespace millrace::net {

class RateLimit {
  public:
    explicit RateLimit(std::uint32_t per_second) : per_second_(per_second), tokens_(per_second) {}

    // True when one more is within the limit; it is then counted.
    bool admits(Time now) {
        if (per_second_ == 0) return false;
        // Whole tokens for whole steps of time, so that no fraction is lost.
        const Duration step = Duration(std::chrono::seconds(1)) / per_second_;
        const auto steps = (now - refilled_) / step;
        if (steps > 0) {
            tokens_ = static_cast<std::uint32_t>(std::min<std::int64_t>(per_second_, tokens_ + steps));
            refilled_ += steps * step;
        }
        if (tokens_ == 0) return false;
        --tokens_;
        return true;
    }

  private:
    std::uint32_t per_second_;
    std::uint32_t tokens_;
    Time refilled_{};
};

}  // namespace millrace::net
