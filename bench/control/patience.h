#pragma once
// A stage gives up when nothing has moved for so long: TCP has then tried again many times.

#include <cstdint>

#include "netstack/base/time.h"

namespace millrace::bench {

class Patience {
  public:
    static constexpr Duration kTime = 30s;

    void begin(Time now, Duration time = kTime) {
        time_ = time;
        moved_ = now;
        last_ = ~std::uint64_t{0};
    }
    // `progress` is any number that changes whenever something moves.
    bool is_over(std::uint64_t progress, Time now) {
        if (progress != last_) {
            last_ = progress;
            moved_ = now;
        }
        return now - moved_ > time_;
    }

  private:
    Duration time_ = kTime;
    Time moved_{};
    std::uint64_t last_ = 0;
};

}  // namespace millrace::bench
