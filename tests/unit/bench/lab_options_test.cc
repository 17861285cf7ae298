// The lab's command line: units, defaults that depend on each other, and one sentence for each mistake.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/lab/options.h"

namespace millrace::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Expected<LabOptions> parse(std::vector<std::string> words, std::vector<unsigned> cpus = {0, 1, 2, 3}) {
    CLI::App app;
    LabArguments arguments;
    add_lab_options(app, arguments);
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
        app.parse(words);
    } catch (const CLI::ParseError& error) {
        return fail(error.what());
    }
    return resolve(arguments, cpus);
}

std::string complaint(std::vector<std::string> words, std::vector<unsigned> cpus = {0, 1, 2, 3}) {
    const auto options = parse(std::move(words), std::move(cpus));
    return options ? "no complaint" : options.error().message;
}

TEST(LabOptions, TcpPresets) {
    EXPECT_EQ(parse({"--tcp", "throughput"})->tcp, tcp::Preset::kThroughput);
    EXPECT_EQ(parse({"--tcp", "latency"})->tcp, tcp::Preset::kLatency);
    EXPECT_THAT(complaint({"--tcp", "fast"}), HasSubstr("--tcp"));
}

TEST(LabOptions, Defaults) {
    const auto options = parse({});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->connections, 100'000u);
    EXPECT_EQ(options->echo_connections, 1000u);
    EXPECT_EQ(options->payload, 32u);
    EXPECT_EQ(options->tcp, tcp::Preset::kLatency);
    EXPECT_EQ(options->in_flight, 1u);
    EXPECT_EQ(options->duration, 5s);
    EXPECT_TRUE(options->connect && options->hold && options->echo && options->latency);
    EXPECT_TRUE(options->checksums);
    EXPECT_FALSE(options->ipv6);
    EXPECT_THAT(options->server_cores, ElementsAre(0u));
    EXPECT_THAT(options->client_cores, ElementsAre(1u));
    EXPECT_FALSE(options->json);
}

TEST(LabOptions, UnitsAsPeopleWriteThem) {
    const auto options =
        parse({"--connections", "1m", "--payload", "4KiB", "--in-flight", "16", "-d", "200ms",
               "--echo-connections", "10k", "--seed", "42", "--checksum", "off", "--json", "-"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->connections, 1'000'000u);
    EXPECT_EQ(options->payload, 4096u);
    EXPECT_EQ(options->in_flight, 16u);
    EXPECT_EQ(options->duration, 200ms);
    EXPECT_EQ(options->echo_connections, 10'000u);
    EXPECT_EQ(options->seed, 42u);
    EXPECT_FALSE(options->checksums);
    EXPECT_EQ(options->json, "-");
}

TEST(LabOptions, AsManyConnectionsAsTheStagesUse) {
    EXPECT_EQ(parse({"--stages", "latency"})->connections, 1u);
    EXPECT_EQ(parse({"--stages", "echo,latency"})->connections, 1000u);
    EXPECT_EQ(parse({"--stages", "hold,latency"})->connections, 100'000u);
    EXPECT_EQ(parse({"--stages", "scatter"})->connections, 100'000u);
    EXPECT_EQ(parse({"--stages", "churn"})->connections, 1u);
    EXPECT_EQ(parse({"--stages", "latency", "--connections", "5k"})->connections, 5000u);
    const auto few = parse({"--connections", "500"});
    ASSERT_TRUE(few);
    EXPECT_EQ(few->echo_connections, 500u);
}

TEST(LabOptions, CoresOfEachEnd) {
    const auto two = parse({"--cores", "2,3"});
    ASSERT_TRUE(two);
    EXPECT_THAT(two->server_cores, ElementsAre(2u));
    EXPECT_THAT(two->client_cores, ElementsAre(3u));
    const auto four = parse({"--cores", "0-3"});
    ASSERT_TRUE(four);
    EXPECT_THAT(four->server_cores, ElementsAre(0u, 1u));
    EXPECT_THAT(four->client_cores, ElementsAre(2u, 3u));
    const auto one = parse({"--cores", "1"});
    ASSERT_TRUE(one);
    EXPECT_THAT(one->server_cores, ElementsAre(1u));
    EXPECT_THAT(one->client_cores, ElementsAre(1u));
    const auto named = parse({"--cores-server", "0,0", "--cores-client", "1-3"});
    ASSERT_TRUE(named);
    EXPECT_THAT(named->server_cores, ElementsAre(0u, 0u));
    EXPECT_THAT(named->client_cores, ElementsAre(1u, 2u, 3u));
    const auto alone = parse({}, {5});
    ASSERT_TRUE(alone);
    EXPECT_THAT(alone->server_cores, ElementsAre(5u));
    EXPECT_THAT(alone->client_cores, ElementsAre(5u));
}

TEST(LabOptions, EachMistakeHasItsSentence) {
    EXPECT_THAT(complaint({"--connections", "many"}), HasSubstr("--connections"));
    EXPECT_THAT(complaint({"--connections", "many"}), HasSubstr("many"));
    EXPECT_THAT(complaint({"--connections", "0"}), HasSubstr("--connections must be between"));
    EXPECT_THAT(complaint({"--connections", "10", "--echo-connections", "11"}),
                HasSubstr("--echo-connections cannot be more"));
    EXPECT_THAT(complaint({"--payload", "1GiB"}), HasSubstr("at most 16MiB"));
    EXPECT_THAT(complaint({"--in-flight", "0"}), HasSubstr("--in-flight"));
    EXPECT_THAT(complaint({"--duration", "5"}), HasSubstr("--duration"));
    EXPECT_THAT(complaint({"--duration", "1us"}), HasSubstr("at least 10ms"));
    EXPECT_THAT(complaint({"--stages", "connect,wait"}), HasSubstr("'wait' is not a stage"));
    EXPECT_THAT(complaint({"--cores", "0,1,2"}), HasSubstr("even number"));
    EXPECT_THAT(complaint({"--cores", "0;1"}), HasSubstr("not a list of cores"));
    EXPECT_THAT(complaint({"--cores", "3-1"}), HasSubstr("not a list of cores"));
    EXPECT_THAT(complaint({"--cores", "0,64"}), HasSubstr("core 64 is not among"));
    EXPECT_THAT(complaint({"--cores", "0,1", "--cores-server", "0"}), HasSubstr("cannot be combined"));
    EXPECT_THAT(complaint({"--cores-server", "0"}), HasSubstr("go together"));
    EXPECT_THAT(complaint({"--connections", "1", "--cores", "0-3"}), HasSubstr("number of shards"));
    EXPECT_THAT(complaint({"--checksum", "maybe"}), HasSubstr("--checksum"));
    EXPECT_THAT(complaint({"--frobnicate"}), HasSubstr("--frobnicate"));
}

}  // namespace
}  // namespace millrace::bench
