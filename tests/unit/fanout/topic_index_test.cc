#include "engine/fanout/topic_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace millrace::fanout {
namespace {

TopicIndex index_of(std::uint32_t most) {
    return *TopicIndex::create(most, {0x0123456789abcdef, 0xfedcba9876543210});
}

std::vector<std::string> matching(const TopicIndex& index, std::string_view pattern) {
    std::vector<std::string> names;
    index.each_matching(pattern, [&](TopicId id) { names.emplace_back(index.name(id)); });
    return names;
}

TEST(TopicIndex, ANameHasOneIdFromZeroUpForGood) {
    TopicIndex index = index_of(100);
    EXPECT_EQ(index.find("a"), kNoTopic);
    EXPECT_EQ(index.add("a"), 0u);
    EXPECT_EQ(index.add("b.c"), 1u);
    EXPECT_EQ(index.add("a"), 0u);
    EXPECT_EQ(index.find("a"), 0u);
    EXPECT_EQ(index.find("b.c"), 1u);
    EXPECT_EQ(index.find("b"), kNoTopic);
    EXPECT_EQ(index.name(1), "b.c");
    EXPECT_EQ(index.size(), 2u);
    const char* place = index.name(0).data();
    TopicIndex moved = std::move(index);
    EXPECT_EQ(moved.name(0).data(), place);
    EXPECT_EQ(matching(moved, ">"), (std::vector<std::string>{"a", "b.c"}));
}

TEST(TopicIndex, BeyondItsBoundItTakesNoNewNameAndKeepsTheOld) {
    TopicIndex index = index_of(1000);
    for (int i = 0; i < 1000; ++i)
        ASSERT_EQ(index.add("topic." + std::to_string(i)), static_cast<TopicId>(i));
    EXPECT_EQ(index.add("one.more"), kNoTopic);
    EXPECT_EQ(index.find("one.more"), kNoTopic);
    for (int i = 0; i < 1000; ++i) {
        const std::string name = "topic." + std::to_string(i);
        ASSERT_EQ(index.find(name), static_cast<TopicId>(i));
        ASSERT_EQ(index.add(name), static_cast<TopicId>(i));
        ASSERT_EQ(index.name(static_cast<TopicId>(i)), name);
    }
}

TEST(TopicIndex, NamesOfTheGreatestLengthFitToTheBound) {
    TopicIndex index = index_of(3);
    for (const char c : {'a', 'b', 'c'}) {
        const TopicId id = index.add(std::string(kMaxTopicBytes, c));
        ASSERT_NE(id, kNoTopic);
        EXPECT_EQ(index.name(id), std::string(kMaxTopicBytes, c));
    }
}

TEST(TopicIndex, APatternFindsItsTopicsInOrder) {
    TopicIndex index = index_of(100);
    for (const char* name : {"md.eth.trades", "md.btc.trades", "md.btc", "md", "md.btc.book",
                             "md.btc-x.trades", "me.btc.trades", "a"})
        index.add(name);
    EXPECT_EQ(matching(index, "md.*.trades"),
              (std::vector<std::string>{"md.btc-x.trades", "md.btc.trades", "md.eth.trades"}));
    EXPECT_EQ(matching(index, "md.>").size(), 5u);
    EXPECT_EQ(matching(index, "*.btc"), (std::vector<std::string>{"md.btc"}));
    EXPECT_EQ(matching(index, "*"), (std::vector<std::string>{"a", "md"}));
    EXPECT_EQ(matching(index, "md.btc"), (std::vector<std::string>{"md.btc"}));
    EXPECT_TRUE(matching(index, "x.>").empty());
    EXPECT_EQ(matching(index, ">").size(), 8u);
}

// Ranges are passed over; what matches() says of each name is the truth.
TEST(TopicIndex, NoPatternMissesOrInventsATopic) {
    std::mt19937 random(7);
    // Bytes before and behind the dot in the order of names, where a range could be cut wrongly.
    const std::vector<std::string> tokens = {"a", "b", "a-", "a/", "a!", "b~", "-", "/"};
    const auto words = [&](bool wild) {
        std::string text;
        for (unsigned n = random() % 4 + 1; n > 0; --n) {
            if (!text.empty()) text += '.';
            const unsigned pick = random() % 12;
            if (wild && pick < 5)
                text += pick == 0 && n == 1 ? ">" : "*";
            else
                text += tokens[pick % tokens.size()];
        }
        return text;
    };
    TopicIndex index = index_of(400);
    while (index.size() < 400)
        index.add(words(false));
    std::size_t found = 0;
    for (int i = 0; i < 2000; ++i) {
        const std::string pattern = words(true);
        ASSERT_TRUE(is_pattern(pattern));
        std::vector<std::string> expected;
        for (TopicId id = 0; id < index.size(); ++id)
            if (matches(pattern, index.name(id))) expected.emplace_back(index.name(id));
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(matching(index, pattern), expected) << pattern;
        found += expected.size();
    }
    EXPECT_GT(found, 5000u);
}

}  // namespace
}  // namespace millrace::fanout
