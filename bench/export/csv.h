#pragma once
// Histograms as a table for spreadsheets: a line for each bucket that is not empty.

#include <string>

#include "bench/timing/latencies.h"

namespace millrace::bench {

// histogram,value_ns,count,percentile: the bucket's highest value, how many are in it, and what share of all,
// in percent, does not exceed it; of "rtt", "service" and "send_lag".
std::string csv(const Latencies& latencies);

}  // namespace millrace::bench
