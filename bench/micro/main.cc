// The micro benchmarks' program: what each step of a packet's and a message's way costs, in nanoseconds. EAL
// is started once, as the embedded default does it, for the suites that need mbufs and rings.

#include <benchmark/benchmark.h>
#include <rte_eal.h>

#include <cstdio>

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    const char* eal[] = {"bench-micro", "--no-huge", "--no-shconf", "--no-pci",          "-m",
                         "1024",        "--lcores",  "0@0",         "--log-level=error", "--no-telemetry"};
    if (rte_eal_init(static_cast<int>(std::size(eal)), const_cast<char**>(eal)) < 0) {
        std::fprintf(stderr, "bench-micro: EAL did not start\n");
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    rte_eal_cleanup();
    return 0;
}
