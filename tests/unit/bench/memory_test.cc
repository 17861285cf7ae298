// What does not fit into memory is refused before it begins, with what would fit.

#include "bench/lab/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/lab/ends.h"
#include "netstack/base/memory.h"

namespace millrace::bench {
namespace {

using ::testing::HasSubstr;

LabOptions options_of(std::uint64_t connections) {
    LabOptions options;
    options.connections = connections;
    options.server_cores = {0};
    options.client_cores = {1};
    return options;
}

TEST(LabMemory, TenMillionConnectionsFitFiveGibibytes) {
    EXPECT_LE(bytes_per_connection(), 2u * 192 + 4);
    EXPECT_TRUE(check_memory(options_of(10'000'000), std::uint64_t{5} << 30));
}

TEST(LabMemory, WhatDoesNotFitIsRefusedWithWhatWould) {
    const LabOptions options = options_of(10'000'000);
    const std::uint64_t packets = Ends::memory_mib(options) << 20;
    const auto refused = check_memory(options, packets + 1'000'000 * bytes_per_connection());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("10,000,000 connections take 3.59 GiB"));
    EXPECT_THAT(refused.error().message, HasSubstr("lower --connections to 1,000,000 or less"));
    EXPECT_TRUE(check_memory(options_of(1'000'000), packets + 1'000'000 * bytes_per_connection()));
    EXPECT_FALSE(check_memory(options_of(1), packets - 1));
}

TEST(LabMemory, TheMachineSaysHowMuchThereIs) {
    EXPECT_GT(available_memory(), std::uint64_t{64} << 20);
    EXPECT_LT(available_memory(), std::uint64_t{1} << 50);
}

}  // namespace
}  // namespace millrace::bench
