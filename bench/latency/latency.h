#pragma once
// `millrace-bench latency`: how long a WebSocket server's answers take. The connections, the timetable and
// the judgement are those of `millrace-bench load`; this is a run of it that is made for the figures.

#include "bench/latency/options.h"
#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Fails when the run cannot be set up. One that went wrong is a Result that says why it is invalid.
Expected<Result> run_latency(const LatencyOptions& options, int argc, const char* const* argv);

}  // namespace millrace::bench
