#pragma once
// `millrace-bench lab`: both ends of a benchmark in one process, joined by a cable instead of a network, so
// that the whole path from a message to an mbuf and back runs at full speed on any machine.
//
// A run's order:  connect -> hold -> echo -> scatter -> floor -> latency -> floor -> churn -> close

#include "bench/lab/options.h"
#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Fails when the lab cannot be set up. A run that went wrong is a Result that says why it is invalid.
// SIGINT and SIGTERM end it after the stages that are complete; a second one ends the process at once.
Expected<Result> run_lab(const LabOptions& options, int argc, const char* const* argv);

}  // namespace millrace::bench
