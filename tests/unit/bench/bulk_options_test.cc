// The bulk transfer's command line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "bench/bulk/options.h"

namespace millrace::bench {
namespace {

using ::testing::HasSubstr;

Expected<BulkOptions> parse(std::vector<std::string> words, std::vector<unsigned> cpus = {0, 1, 2}) {
    CLI::App app;
    BulkArguments arguments;
    add_bulk_options(app, arguments);
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
        app.parse(words);
    } catch (const CLI::ParseError& error) {
        return fail(error.what());
    }
    return resolve(arguments, cpus);
}

std::string complaint(std::vector<std::string> words) {
    const auto options = parse(std::move(words));
    return options ? "no complaint" : options.error().message;
}

TEST(BulkOptions, Defaults) {
    const auto options = parse({});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->duration, 5s);
    EXPECT_EQ(options->bytes, 0u);
    EXPECT_EQ(options->mtu, 1500);
    EXPECT_TRUE(options->checksums);
    EXPECT_EQ(options->sender_core, 0u);
    EXPECT_EQ(options->receiver_core, 1u);
}

TEST(BulkOptions, UnitsAsPeopleWriteThem) {
    const auto options = parse({"--bytes", "1GiB", "--mtu", "9000", "--window", "256KiB", "--checksums",
                                "none", "--cores", "2,0", "--seed", "42", "--json", "-"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->bytes, 1u << 30);
    EXPECT_EQ(options->mtu, 9000);
    EXPECT_EQ(options->window, 256u << 10);
    EXPECT_FALSE(options->checksums);
    EXPECT_EQ(options->sender_core, 2u);
    EXPECT_EQ(options->receiver_core, 0u);
    EXPECT_EQ(options->seed, 42u);
    EXPECT_EQ(options->json, "-");
}

TEST(BulkOptions, OneCpuServesBothEnds) {
    const auto alone = parse({}, {3});
    ASSERT_TRUE(alone);
    EXPECT_EQ(alone->sender_core, 3u);
    EXPECT_EQ(alone->receiver_core, 3u);
    const auto chosen = parse({"--cores", "2"});
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->sender_core, chosen->receiver_core);
}

TEST(BulkOptions, MistakesSayWhatToDo) {
    EXPECT_THAT(complaint({"--mtu", "100"}), HasSubstr("between 576 and 9000"));
    EXPECT_THAT(complaint({"--window", "1KiB"}), HasSubstr("two MTUs"));
    EXPECT_THAT(complaint({"--duration", "1ms"}), HasSubstr("at least 10ms"));
    EXPECT_THAT(complaint({"--cores", "0,1,2"}), HasSubstr("sender's CPU and the receiver's"));
    EXPECT_THAT(complaint({"--cores", "7"}), HasSubstr("core 7"));
    EXPECT_THAT(complaint({"--checksums", "on"}), HasSubstr("software"));
}

}  // namespace
}  // namespace millrace::bench
