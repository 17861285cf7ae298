// The load's command line: what follows from what, and one sentence for each mistake.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/load/options.h"

namespace millrace::bench {
namespace {

using ::testing::HasSubstr;

Expected<LoadOptions> parse(std::vector<const char*> words) {
    words.insert(words.begin(), {"load", "ws://127.0.0.1:9001/echo"});
    return parse_load_options(static_cast<int>(words.size()), words.data());
}

std::string complaint(std::vector<const char*> words) {
    const auto options = parse(std::move(words));
    return options ? "no complaint" : options.error().message;
}

TEST(LoadOptions, Defaults) {
    const auto options = parse({});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->url.target, "/echo");
    EXPECT_EQ(options->connections, 100u);
    EXPECT_EQ(options->mode, LoadMode::kClosedLoop);
    EXPECT_EQ(options->in_flight, 1u);
    EXPECT_EQ(options->duration, 10s);
    EXPECT_EQ(options->warm_up, 1s);
    EXPECT_EQ(options->content.sizes.most, 32u);
    EXPECT_TRUE(options->echo);
}

TEST(LoadOptions, OneModeAtATime) {
    EXPECT_EQ(parse({"--in-flight", "16"})->in_flight, 16u);
    EXPECT_EQ(parse({"-R", "20k"})->mode, LoadMode::kOpenLoop);
    EXPECT_EQ(parse({"-R", "20k"})->rate, 20'000);
    EXPECT_EQ(parse({"-r", "0.1", "-c", "1m"})->rate, 100'000);
    EXPECT_EQ(parse({"--churn"})->mode, LoadMode::kChurn);
    EXPECT_EQ(parse({"--no-echo"})->mode, LoadMode::kListen);
    EXPECT_EQ(parse({"--no-echo", "-R", "10"})->mode, LoadMode::kOpenLoop);
    for (const auto& words :
         {std::vector{"-R", "1", "--churn"}, {"-R", "1", "-r", "1"}, {"--in-flight", "1", "-R", "2"}})
        EXPECT_THAT(complaint(words), HasSubstr("exclude each other"));
    EXPECT_THAT(complaint({"--no-echo", "--in-flight", "2"}), HasSubstr("use --rate"));
    EXPECT_THAT(complaint({"--no-echo", "--churn"}), HasSubstr("--churn waits for an echo"));
}

TEST(LoadOptions, ASearchNeedsABeginningAndAnEnd) {
    const auto options = parse({"-R", "1k", "--find-max-rate", "--slo", "p99<1ms", "--slo", "max<9ms"});
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->find_rate);
    EXPECT_EQ(options->slo.size(), 2u);
    for (const auto& words : {std::vector{"-R", "1k", "--find-max-rate"},
                              {"--find-max-rate", "--slo", "p99<1ms"},
                              {"-R", "1k", "--slo", "p99<1ms"},
                              {"-R", "1k", "--find-max-rate", "--slo", "p99<1ms", "--no-echo"}})
        EXPECT_THAT(complaint(words), HasSubstr("--find-max-rate needs"));
}

TEST(LoadOptions, SourceAddresses) {
    const auto options = parse({"--src-ip", "127.0.0.2-127.0.0.9"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->sources(), 8u);
    EXPECT_EQ(parse({"--src-ip", "127.0.0.2"})->sources(), 1u);
    for (const char* wrong : {"127.0.0.9-127.0.0.2", "127.0.0.1-::1", "here", "127.0.0.1-"})
        EXPECT_THAT(complaint({"--src-ip", wrong}), HasSubstr("127.0.0.1-127.0.0.8")) << wrong;
    EXPECT_THAT(complaint({"--src-ip", "10.0.0.1", "--net", "dpdk", "--ip", "10.0.0.1/8"}),
                HasSubstr("--ip"));
}

TEST(LoadOptions, EveryMistakeHasASentence) {
    EXPECT_THAT(complaint({"-c", "0"}), HasSubstr("--connections"));
    EXPECT_THAT(complaint({"-c", "1", "--cores", "0,1"}), HasSubstr("--cores"));
    EXPECT_THAT(complaint({"-R", "0"}), HasSubstr("100, 20k or 0.1"));
    EXPECT_THAT(complaint({"-R", "-5"}), HasSubstr("100, 20k or 0.1"));
    EXPECT_THAT(complaint({"-R", "2g"}), HasSubstr("1g at most"));
    EXPECT_THAT(complaint({"--in-flight", "0"}), HasSubstr("--in-flight"));
    EXPECT_THAT(complaint({"-d", "1ms"}), HasSubstr("--duration"));
    EXPECT_THAT(complaint({"--size", "32MiB"}), HasSubstr("--max-message"));
    EXPECT_THAT(complaint({"-m", "a", "--message-file", "b"}), HasSubstr("leave one out"));
    EXPECT_THAT(complaint({"--message-file", "/nowhere/at/all"}), HasSubstr("cannot read"));
    EXPECT_THAT(complaint({"--threshold", "p99"}), HasSubstr("p99<50us"));
    EXPECT_THAT(complaint({"-H", "no colon"}), HasSubstr("Name: value"));
}

}  // namespace
}  // namespace millrace::bench
