#include "bench/timing/judge.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/options/units.h"

namespace millrace::bench {

void judge_lag(const Quantiles& send_lag, const Quantiles& rtt, std::vector<std::string>& faults) {
    if (send_lag.p99 * 10 <= rtt.p99) return;
    faults.push_back(fmt::format(
        "the generator lagged, or the server took nothing for a while: the send lag's p99 is {}, more than a "
        "tenth of the round trip's {}",
        format_duration(Duration(send_lag.p99)), format_duration(Duration(rtt.p99))));
}

void judge_rate(double reached, double requested, double seconds, Arrivals arrivals,
                std::vector<std::string>& faults) {
    // Half a percent is more than rounding and the run's two ends make. How many a Poisson process has due
    // varies by the root of their number; four of these are exceeded once in thirty thousand runs.
    const double chance = arrivals == Arrivals::kPoisson ? 4 * std::sqrt(requested / seconds) : 0;
    if (reached >= 0.995 * requested - chance) return;
    faults.push_back(fmt::format("the rate was not reached: {:.0f} messages a second came back of {:.0f}",
                                 reached, requested));
}

}  // namespace millrace::bench
