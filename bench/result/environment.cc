#include "bench/result/environment.h"

#include <rte_version.h>
#include <sched.h>
#include <sys/utsname.h>

#include <fstream>

#include "bench/result/commit.h"

namespace millrace::bench {

namespace {

// x86 says "model name"; other architectures name the CPU elsewhere, or not at all.
std::string cpu_model() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (!line.starts_with("model name")) continue;
        const auto colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown";
}

unsigned usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 0;
    return static_cast<unsigned>(CPU_COUNT(&set));
}

std::string kernel_release() {
    utsname names{};
    return ::uname(&names) == 0 ? names.release : "unknown";
}

}  // namespace

ClockResult clock_result(const ClockDrift& drift) {
    return {.invariant = tsc_is_invariant(),
            .ticks_per_s = TscClock().ticks_per_second(),
            .drift_ppm = drift.ppm()};
}

Environment describe_machine(int argc, const char* const* argv) {
    Environment environment;
    environment.cpu = cpu_model();
    environment.cores = usable_cpus();
    environment.kernel = kernel_release();
    environment.dpdk = rte_version();
    environment.argv.assign(argv, argv + argc);
    environment.commit = kCommit;
    return environment;
}

}  // namespace millrace::bench
