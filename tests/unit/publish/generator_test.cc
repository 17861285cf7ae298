#include "engine/publish/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace millrace::publish {
namespace {

std::vector<Item> made(const GeneratorConfig& config) {
    Generator generator(config);
    std::vector<Item> items;
    Item item;
    while (generator.next(item) == Next::kItem)
        items.push_back(item);
    return items;
}

TEST(Generator, TheSameSeedMakesTheSameMessages) {
    const GeneratorConfig config{.seed = 5, .symbols = 10, .count = 500};
    const auto a = made(config), b = made(config);
    ASSERT_EQ(a.size(), 500u);
    ASSERT_EQ(b.size(), 500u);
    for (std::size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(a[i].topic, b[i].topic);
        ASSERT_EQ(a[i].payload, b[i].payload);
        ASSERT_EQ(a[i].due, b[i].due);
    }
    GeneratorConfig other = config;
    other.seed = 6;
    EXPECT_NE(made(other)[0].payload, a[0].payload);
}

TEST(Generator, EveryMessageIsJsonInAValidTopicInTheOrderOfTime) {
    Duration before{};
    for (const Item& item : made({.seed = 1, .symbols = 100, .count = 3000})) {
        ASSERT_TRUE(fanout::is_topic(item.topic)) << item.topic;
        ASSERT_EQ(content_of(item.payload), fanout::Content::kJson) << item.payload;
        ASSERT_GE(item.due, before);
        before = item.due;
    }
}

// The figures of the recording that it follows, each within a fifth.
TEST(Generator, KindsSizesRateAndBurstsAreLikeTheRecordings) {
    constexpr std::size_t kCount = 60'000;
    const auto items = made({.seed = 3, .symbols = 1000, .count = kCount});
    std::map<std::string, std::vector<std::size_t>> sizes;
    std::size_t bursts = 1;
    for (std::size_t i = 0; i < items.size(); ++i) {
        sizes[items[i].topic.substr(items[i].topic.find('@'))].push_back(items[i].payload.size());
        if (i > 0 && items[i].due - items[i - 1].due >= 1ms) ++bursts;
    }
    const auto share = [&](const char* kind) { return static_cast<double>(sizes[kind].size()) / kCount; };
    EXPECT_NEAR(share("@bookTicker"), 0.72, 0.02);
    EXPECT_NEAR(share("@trade"), 0.18, 0.02);
    EXPECT_NEAR(share("@depth"), 0.10, 0.02);
    const auto part = [&](const char* kind, std::size_t percent) {
        std::sort(sizes[kind].begin(), sizes[kind].end());
        return static_cast<double>(sizes[kind][(sizes[kind].size() - 1) * percent / 100]);
    };
    EXPECT_NEAR(part("@bookTicker", 50), 106, 21);
    EXPECT_NEAR(part("@trade", 50), 134, 27);
    EXPECT_NEAR(part("@depth", 50), 502, 100);
    EXPECT_NEAR(part("@depth", 99), 9782, 1956);
    const double rate = kCount / std::chrono::duration<double>(items.back().due).count();
    EXPECT_NEAR(rate, Generator::kRate, Generator::kRate / 5);
    EXPECT_NEAR(static_cast<double>(kCount) / static_cast<double>(bursts), 2.07, 0.4);
}

TEST(Generator, SymbolsFollowZipfsLaw) {
    std::map<std::string, double> share;
    constexpr double kCount = 40'000;
    for (const Item& item : made({.seed = 2, .symbols = 100, .count = static_cast<std::uint64_t>(kCount)}))
        share[item.topic.substr(0, item.topic.find('@'))] += 1 / kCount;
    // Of 100 symbols the first has 1 / H(100) = 0.193, the tenth a tenth of that.
    EXPECT_NEAR(share["s0000"], 0.193, 0.01);
    EXPECT_NEAR(share["s0009"], 0.0193, 0.004);
    EXPECT_GT(share.size(), 95u);
}

}  // namespace
}  // namespace millrace::publish
