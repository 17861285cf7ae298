#pragma once
// `millrace-bench load`: connections and messages against any WebSocket server, over either carrier.
//
//     options.h    the command line               limits.h     what this machine allows
//     load.cc      the main thread: orders        desk.h       what it and the shards tell each other
//     shard.h      a shard, over any carrier      schedule.h   the open loop's timetable
//     books.h      what a shard counts            threshold.h  what the run must reach
//
// A run's order:  open -> talk -> close

#include "bench/load/options.h"
#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Fails when the load cannot be set up. A run that went wrong is a Result that says why it is invalid. SIGINT
// and SIGTERM end it; a second one ends the process at once.
Expected<Result> run_load(const LoadOptions& options, int argc, const char* const* argv);

}  // namespace millrace::bench
