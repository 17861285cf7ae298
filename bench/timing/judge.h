#pragma once
// What makes the figures of an open loop worthless, in words.

#include <string>
#include <vector>

#include "bench/result/result.h"
#include "bench/timing/schedule.h"

namespace millrace::bench {

// Latencies that the generator's own lateness is a good part of are not the server's. Appends a sentence to
// `faults`, or nothing.
void judge_lag(const Quantiles& send_lag, const Quantiles& rtt, std::vector<std::string>& faults);

// Likewise, of messages a second, over `seconds`.
void judge_rate(double reached, double requested, double seconds, Arrivals arrivals,
                std::vector<std::string>& faults);

}  // namespace millrace::bench
