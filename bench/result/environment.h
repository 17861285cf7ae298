#pragma once
// Where and how a run was made, so that its figures can be judged by somebody else.

#include <cstdint>
#include <string>
#include <vector>

#include "netstack/base/clock_drift.h"

namespace millrace::bench {

struct Environment {
    std::string cpu;        // model name
    unsigned cores = 0;     // CPUs that this process may run on
    std::string kernel;     // release
    std::string dpdk;       // version
    std::string carrier;    // "dpdk (cable)", "uring", ...
    std::string eal;        // arguments, as they were given to EAL
    std::string hugepages;  // "none", or what the process used
    std::vector<std::string> argv;
    std::uint64_t seed = 0;
    std::string commit;
    std::vector<unsigned> server_cores;
    std::vector<unsigned> client_cores;
    bool checksums = true;  // IPv4 and TCP checksums computed and checked at both ends
};

// How the clock that times were taken from kept to the kernel's (CLOCK_MONOTONIC_RAW).
struct ClockResult {
    bool invariant = false;  // its rate does not change with the CPU's
    double ticks_per_s = 0;
    double drift_ppm = 0;  // over the run; positive: it ran ahead
};

// `drift`: since the run began.
ClockResult clock_result(const ClockDrift& drift);

// The machine's part; the command fills in carrier, EAL arguments, hugepages, seed and cores.
Environment describe_machine(int argc, const char* const* argv);

}  // namespace millrace::bench
