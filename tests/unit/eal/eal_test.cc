#include "netstack/eal/eal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "netstack/eal/captured_output.h"

namespace millrace::net {
namespace {

TEST(Eal, StartsOnceAndSaysSo) {
    const auto again = Eal::start({.cpus = {allowed_cpus().front()}});  // main.cc has started it
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().message.find("DPDK did not start"), std::string::npos) << again.error().message;
    EXPECT_EQ(again.error().message.find('\n'), std::string::npos) << "one sentence";
}

TEST(Eal, RefusesACpuThatIsNotOurs) {
    const auto started = Eal::start({.cpus = {4000}});
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().message.find("CPU 4000"), std::string::npos);
    EXPECT_NE(started.error().message.find("--cores"), std::string::npos);
}

TEST(AllowedCpus, AreAscending) {
    const auto cpus = allowed_cpus();
    ASSERT_FALSE(cpus.empty());
    EXPECT_TRUE(std::is_sorted(cpus.begin(), cpus.end()));
}

TEST(CapturedOutput, CatchesBothStreamsAndGivesThemBack) {
    CapturedOutput output;
    std::printf("to output\n");
    std::fprintf(stderr, "to error\n");
    const std::string caught = output.restore();
    EXPECT_NE(caught.find("to output\n"), std::string::npos);
    EXPECT_NE(caught.find("to error\n"), std::string::npos);
    EXPECT_EQ(output.restore(), "");
}

TEST(FirstComplaint, IsTheLineThatSaysMost) {
    EXPECT_EQ(first_complaint(
                  "EAL: Detected CPU lcores: 2\nEAL: Cannot open '/dev/vfio'\nEAL: FATAL: Cannot init\n"),
              "Cannot open '/dev/vfio'");
    EXPECT_EQ(first_complaint("EAL: Detected CPU lcores: 2\nsomething else\n"), "something else");
    EXPECT_EQ(first_complaint(""), "");
}

}  // namespace
}  // namespace millrace::net
