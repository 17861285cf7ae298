#pragma once
// `millrace-bench bulk`: how fast one TCP connection moves bytes over a cable between two cores of one
// process, with every byte written at one end and compared at the other.

#include "bench/bulk/options.h"
#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Fails when the run cannot be set up; a run that went wrong is a Result that is not valid.
Expected<Result> run_bulk(const BulkOptions& options, int argc, const char* const* argv);

}  // namespace millrace::bench
