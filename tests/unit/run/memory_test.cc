// Memory of connections that were asked for by number: refused before the start, or taken.

#include <gtest/gtest.h>

#include "engine/run/server.h"

namespace millrace {
namespace {

constexpr std::size_t kBytes = 200;

ServeOptions promised(std::size_t connections, std::size_t shards) {
    ServeOptions options;
    options.take_memory = true;
    options.max_connections = connections;
    options.cores.assign(shards, 0);
    return options;
}

TEST(ServeMemory, WhatDoesNotFitIsRefusedWithWhatWould) {
    const auto refused = check_memory(promised(3000, 2), kBytes, 1'000'000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
              "--max-connections 3000 takes 1.14 MiB for idle connections on 2 shards, and 977 KiB of memory "
              "is available: lower it to 2500 or less, or free memory");
    EXPECT_TRUE(check_memory(promised(2500, 2), kBytes, 1'000'000));
    EXPECT_FALSE(check_memory(promised(2501, 2), kBytes, 1'000'000));
}

// The default bound is nobody's wish, and is filled as connections come.
TEST(ServeMemory, OnlyTheNumberThatWasGivenIsTakenAtTheStart) {
    ServeOptions options = promised(1u << 30, 1);
    options.take_memory = false;
    EXPECT_TRUE(check_memory(options, kBytes, 1'000'000));
    const char* given[] = {"serve", "--max-connections", "10m"};
    EXPECT_TRUE(parse_serve_options(3, given)->take_memory);
    EXPECT_FALSE(parse_serve_options(1, given)->take_memory);
}

}  // namespace
}  // namespace millrace
