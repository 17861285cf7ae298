#include <gtest/gtest.h>

#include <filesystem>

#include "tests/loop/watch.h"
using namespace millrace::test;
int main(int argc, char** argv) {
    std::vector<std::string> c(argv + 2, argv + argc);
    auto s =
        watch({.command = c,
               .loops = {"millrace::bench::ServerShard::iterate", "millrace::bench::ClientShard::iterate"},
               .end = "millrace::bench::judge",
               .excused = {"millrace::bench::ServerShard::obey", "millrace::bench::ClientShard::obey"},
               .threads = (unsigned)atoi(argv[1])});
    printf("trouble %s status %d ended %d threads %u ins %zu\n", s.trouble.c_str(), s.status,
           s.ended_in_order, s.threads, s.instructions);
    for (auto& [k, v] : s.met)
        printf("%u %s\n", v, k.c_str());
}
