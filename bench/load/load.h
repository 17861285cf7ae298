#pragma once
// `millrace-bench load`: connections and messages against any WebSocket server, over either carrier, from one
// process or several.
//
//     options.h    the command line                 limits.h     what this machine allows
//     load.cc      the one who leads: orders        crew.h       all processes, as it sees them
//     squad.h      the shards of one process        desk.h       what a main thread and its shards tell each
//     other shard.h      a shard, over any carrier        schedule.h   the open loop's timetable books.h what
//     a shard counts              threshold.h  what the run must reach
//
// Several processes: processes.h and part.h start them and share out the machine; remote.h is one as the
// leader sees it, follower.h the other end, wire.h what they say.
//
// A run's order:  open -> talk -> close

#include <vector>

#include "bench/load/options.h"
#include "bench/load/remote.h"
#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Fails when the load cannot be set up. A run that went wrong is a Result that says why it is invalid. SIGINT
// and SIGTERM end it; a second one ends the process at once.
Expected<Result> run_load(const LoadOptions& options, int argc, const char* const* argv);

// The same of this process' part, with companions that follow it (follower.h).
Expected<Result> lead_load(const LoadOptions& part, std::vector<Companion> companions, int argc,
                           const char* const* argv);

}  // namespace millrace::bench
