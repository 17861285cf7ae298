#pragma once
// HdrHistogram's interval log, version 1.3, with histograms in its V2 encoding, deflated, in base64: what its
// viewers and libraries read. Our buckets are HdrHistogram's of three significant digits from 1 ns on, so
// nothing is rounded.

#include <string>
#include <vector>

#include "bench/result/histogram.h"
#include "bench/timing/latencies.h"

namespace millrace::bench {

// One histogram, as a line of the log has it.
std::string hdr_encoded(const Histogram& histogram);

// The round trips by parts of the run, without a tag; service times and send lag of all of it as "service"
// and "send_lag". `began`: seconds since 1970.
std::string hdr_log(const Latencies& latencies, double began, double seconds);

}  // namespace millrace::bench
