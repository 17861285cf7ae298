#pragma once
// EAL for a fuzzer that needs mbufs: no hugepages, no PCI, nothing shared. To be included once in a program,
// as libFuzzer calls this function by its name.

#include <rte_eal.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const char* eal[] = {"fuzz", "--no-huge", "--no-shconf", "--no-pci",          "-m",
                         "256",  "--lcores",  "0@0",         "--log-level=error", "--no-telemetry"};
    if (rte_eal_init(static_cast<int>(std::size(eal)), const_cast<char**>(eal)) < 0) {
        std::fprintf(stderr, "EAL did not start\n");
        std::abort();
    }
    return 0;
}
