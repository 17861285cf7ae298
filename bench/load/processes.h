#pragma once
// Several processes of one machine do a load together: what one may have open is limited (ulimit -n).

#include <vector>

#include "bench/load/options.h"
#include "bench/load/remote.h"

namespace millrace::bench {

// Starts all but this one of `options.processes`, which follow it (follower.h) and end with it. To be called
// before there are threads.
Expected<std::vector<Companion>> start_processes(const LoadOptions& options);

}  // namespace millrace::bench
