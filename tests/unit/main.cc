// The main of every module's unit tests. EAL is started once, as the embedded default does it: no hugepages,
// no PCI, no files shared with other processes, no root.

#include <gtest/gtest.h>
#include <rte_eal.h>

#include <cstdio>

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    const char* eal[] = {"unit-tests", "--no-huge", "--no-shconf", "--no-pci",          "-m",
                         "1024",       "--lcores",  "0@0",         "--log-level=error", "--no-telemetry"};
    if (rte_eal_init(static_cast<int>(std::size(eal)), const_cast<char**>(eal)) < 0) {
        std::fprintf(stderr, "unit-tests: EAL did not start\n");
        return 2;
    }
    const int status = RUN_ALL_TESTS();
    rte_eal_cleanup();
    return status;
}
