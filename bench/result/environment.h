#pragma once
// Where and how a run was made, so that its figures can be judged by somebody else.

#include <cstdint>
#include <string>
#include <vector>

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

// The machine's part; the command fills in carrier, EAL arguments, hugepages, seed and cores.
Environment describe_machine(int argc, const char* const* argv);

}  // namespace millrace::bench
