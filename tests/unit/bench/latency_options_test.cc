// The latency run's command line: what follows from what, and one sentence for each mistake.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/latency/options.h"

namespace millrace::bench {
namespace {

using ::testing::HasSubstr;

Expected<LatencyOptions> parse(std::vector<const char*> words) {
    words.insert(words.begin(), {"latency", "ws://127.0.0.1:9001/echo"});
    return parse_latency_options(static_cast<int>(words.size()), words.data());
}

TEST(LatencyOptions, AnOpenLoopUnlessToldOtherwise) {
    const auto options = parse({});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->mode, LoadMode::kOpenLoop);
    EXPECT_EQ(options->rate, 1000);
    EXPECT_EQ(options->connections, 1u);
    EXPECT_EQ(options->arrivals, Arrivals::kConstant);
    EXPECT_EQ(options->warm_up, 1s);
}

TEST(LatencyOptions, RateIsOfAllConnections) {
    const auto options = parse({"-r", "20k", "-c", "10", "--schedule", "poisson"});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->rate, 20'000);
    EXPECT_EQ(options->arrivals, Arrivals::kPoisson);
}

TEST(LatencyOptions, PingPongIsAClosedLoopOfOne) {
    const auto options = parse({"--ping-pong", "-c", "3"});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->mode, LoadMode::kClosedLoop);
    EXPECT_EQ(options->in_flight, 1u);
    for (const auto& words :
         {std::vector{"--ping-pong", "-r", "1k"}, {"--ping-pong", "--schedule", "poisson"}}) {
        const auto wrong = parse(words);
        ASSERT_FALSE(wrong);
        EXPECT_THAT(wrong.error().message, HasSubstr("leave out --rate and --schedule"));
    }
}

}  // namespace
}  // namespace millrace::bench
