#pragma once
// The command line of `millrace-bench latency`.

#include "bench/load/options.h"

namespace millrace::bench {

struct LatencyOptions : LoadOptions {};

// What the command line means, or one sentence about what is wrong with it. `--help` prints and ends the
// process.
Expected<LatencyOptions> parse_latency_options(int argc, const char* const* argv);

}  // namespace millrace::bench
