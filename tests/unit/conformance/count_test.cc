// How many cases there are, said in the test's output.

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <string>

namespace millrace::conformance {
namespace {

TEST(Conformance, HasItsCases) {
    std::map<std::string, int> cases;
    const auto& program = *::testing::UnitTest::GetInstance();
    for (int i = 0; i < program.total_test_suite_count(); ++i) {
        const auto& suite = *program.GetTestSuite(i);
        for (int j = 0; j < suite.total_test_count(); ++j)
            if (std::string(suite.GetTestInfo(j)->name()).starts_with("OverUring/")) ++cases[suite.name()];
    }
    int all = 0;
    for (const auto& [suite, count] : cases) {
        std::printf("conformance: %5d cases of %s\n", count, suite.c_str());
        all += count;
    }
    std::printf("conformance: %5d cases in all, each over io_uring, over DPDK, and with TLS\n", all);
    EXPECT_GE(all, 1500);
}

}  // namespace
}  // namespace millrace::conformance
