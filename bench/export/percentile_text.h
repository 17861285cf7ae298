#pragma once
// A histogram as the text that HdrHistogram's tools write and plot (.hgrm): value, percentile, how many
// values do not exceed it, 1 / (1 - percentile).

#include <string>

#include "bench/result/histogram.h"

namespace millrace::bench {

// Values in microseconds; five lines for each halving of what is left above.
std::string percentile_text(const Histogram& histogram);

}  // namespace millrace::bench
