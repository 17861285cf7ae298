#pragma once
// `millrace-bench latency`: how long a WebSocket server's answers take. The connections, the timetable and
// the judgement are those of `millrace-bench load`; this is a run of it that is made for the figures.

#include <vector>

#include "bench/latency/options.h"
#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// The runs, one after the other: of the server, and of the one that it is compared with in turns. Fails when
// one cannot be set up. A run that went wrong is a Result that says why it is invalid; one that was
// interrupted is the last.
Expected<std::vector<Result>> run_latency(const LatencyOptions& options, int argc, const char* const* argv);

// The command, from its own name on; an exit status (result/outcome.h).
int latency_command(int argc, const char* const* argv);

}  // namespace millrace::bench
