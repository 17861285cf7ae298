// Nothing is shared between shards: no lock, no atomic read-modify-write and no system call is executed in
// their loops, from the first turn to the lab's verdict, whatever code it is in. Seen by a debugger, not read
// from sources.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/loop/watch.h"

namespace millrace::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::filesystem::path here() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::string all_of(const std::map<std::string, unsigned>& met) {
    std::string text;
    for (const auto& [what, times] : met)
        text += std::to_string(times) + " times in " + what + "\n";
    return text;
}

// --- the watch sees what it is to see ---

Sightings watch_sample(const char* what) {
    return watch({.command = {here() / "sample", what},
                  .loops = {"millrace::test::turn"},
                  .end = "millrace::test::end",
                  .excused = {"millrace::test::obey"},
                  .threads = 2});
}

TEST(Watch, MeetsEveryKindOfForbiddenInstructionInALoop) {
    const std::pair<const char*, const char*> kinds[]{{"count", "lock"},
                                                      {"store", "xchg"},
                                                      {"lock", "pthread_mutex_lock"},
                                                      {"share", "lock"},
                                                      {"call", "syscall"}};
    for (const auto& [what, seen_as] : kinds) {
        const Sightings seen = watch_sample(what);
        if (seen.trouble.starts_with(kCannotTrace)) GTEST_SKIP() << seen.trouble;
        ASSERT_EQ(seen.trouble, "");
        EXPECT_EQ(seen.status, 0);
        EXPECT_TRUE(seen.ended_in_order);
        EXPECT_EQ(seen.threads, 2u);
        EXPECT_THAT(all_of(seen.met), HasSubstr(seen_as)) << what;
    }
}

TEST(Watch, MeetsNothingInALoopOfPlainLoadsAndStoresNorInWhatIsExcused) {
    for (const char* what : {"plain", "order"}) {
        const Sightings seen = watch_sample(what);
        if (seen.trouble.starts_with(kCannotTrace)) GTEST_SKIP() << seen.trouble;
        ASSERT_EQ(seen.trouble, "");
        EXPECT_TRUE(seen.ended_in_order);
        EXPECT_GT(seen.instructions, 500u) << "libc alone has so many";
        EXPECT_THAT(seen.met, IsEmpty()) << what;
    }
}

TEST(Watch, SaysWhichFunctionIsMissing) {
    const Sightings seen =
        watch({.command = {here() / "sample", "plain"}, .loops = {"no_such_function"}, .end = "main"});
    EXPECT_THAT(seen.trouble, HasSubstr("no_such_function"));
}

// --- the shards ---

// Where shards outnumber cores they take turns on them.
std::string cores_for(unsigned shards) {
    const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
    std::string text;
    for (unsigned i = 0; i < shards; ++i)
        text += (i == 0 ? "" : ",") + std::to_string(i % (cpus > 1 ? 2 : 1));
    return text;
}

void expect_nothing_shared(unsigned servers, unsigned clients, std::vector<std::string> more = {}) {
    const std::string result =
        std::filesystem::temp_directory_path() / ("loop-" + std::to_string(::getpid()));
    std::vector<std::string> command{here() / "../../bench/millrace-bench",
                                     "lab",
                                     "--connections",
                                     "2000",
                                     "--duration",
                                     "200ms",
                                     "--cores-server",
                                     cores_for(servers),
                                     "--cores-client",
                                     cores_for(clients),
                                     "--json",
                                     result};
    command.insert(command.end(), more.begin(), more.end());
    const unsigned threads = servers == 1 && clients == 1 ? 1 : ::sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1;
    const Sightings seen =
        watch({.command = command,
               .loops = {"millrace::bench::ServerShard::iterate", "millrace::bench::ClientShard::iterate"},
               .end = "millrace::bench::judge",
               // The last is the lab's instrument, which asks the kernel whose time a long turn was.
               .excused = {"millrace::bench::ServerShard::obey", "millrace::bench::ClientShard::obey",
                           "millrace::bench::ThreadCpuTime::operator()"},
               .threads = threads});
    if (seen.trouble.starts_with(kCannotTrace)) GTEST_SKIP() << seen.trouble;
    ASSERT_EQ(seen.trouble, "");
    EXPECT_EQ(seen.status, 0);
    EXPECT_TRUE(seen.ended_in_order);
    EXPECT_EQ(seen.threads, threads);
    EXPECT_GT(seen.instructions, 2000u) << "libc, libstdc++, libcrypto and DPDK have more";
    EXPECT_TRUE(seen.met.empty()) << all_of(seen.met);
    std::ifstream file(result);
    const auto said = nlohmann::json::parse(file);
    std::filesystem::remove(result);
    EXPECT_EQ(said["valid"], true);
    EXPECT_EQ(said["stages"]["hold"]["verified"], 2000) << "there was something to see";
    EXPECT_GT(said["stages"]["echo"]["messages"], 0);
}

TEST(Loop, OfOneShardOnEachEnd) {
    expect_nothing_shared(1, 1);
}
TEST(Loop, OfTwoShardsOnEachEnd) {
    expect_nothing_shared(2, 2);
}
TEST(Loop, OfTwoShardsOverIpv6) {
    expect_nothing_shared(2, 2, {"--ipv6"});
}
TEST(Loop, OfFourShardsOnEachEnd) {
    expect_nothing_shared(4, 4);
}
TEST(Loop, OfEightShardsAndTwo) {
    expect_nothing_shared(8, 2);
}

}  // namespace
}  // namespace millrace::test
