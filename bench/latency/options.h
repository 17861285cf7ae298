#pragma once
// The command line of `millrace-bench latency`.

#include "bench/load/options.h"

namespace millrace::bench {

struct LatencyOptions : LoadOptions {
    std::uint64_t repeat = 1;
    std::optional<client::Url> versus;  // each run is followed by one of this server
    // Files to write, "-" being standard output (bench/export/, bench/report/).
    std::optional<std::string> hgrm, hlog, csv, html;
};

// What the command line means, or one sentence about what is wrong with it. `--help` prints and ends the
// process.
Expected<LatencyOptions> parse_latency_options(int argc, const char* const* argv);

}  // namespace millrace::bench
