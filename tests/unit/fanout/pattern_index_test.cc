#include "engine/fanout/pattern_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace millrace::fanout {
namespace {

std::vector<std::string> matching(const PatternIndex& index, std::string_view name) {
    std::vector<std::string> patterns;
    index.each_matching(name, [&](PatternId id) { patterns.emplace_back(index.pattern(id)); });
    std::sort(patterns.begin(), patterns.end());
    return patterns;
}

TEST(PatternIndex, ATopicFindsThePatternsThatStandForIt) {
    PatternIndex index(100);
    for (const char* pattern :
         {">", "*", "md.>", "md.*", "md.*.trades", "md.btc.trades", "*.btc.*", "md.btc"})
        ASSERT_NE(index.add(pattern), kNoPattern);
    EXPECT_EQ(matching(index, "md.btc.trades"),
              (std::vector<std::string>{"*.btc.*", ">", "md.*.trades", "md.>", "md.btc.trades"}));
    EXPECT_EQ(matching(index, "md.btc"), (std::vector<std::string>{">", "md.*", "md.>", "md.btc"}));
    EXPECT_EQ(matching(index, "md"), (std::vector<std::string>{"*", ">"}));
}

TEST(PatternIndex, APatternHasOneIdUntilItIsRemoved) {
    PatternIndex index(2);
    const PatternId first = index.add("a.*");
    EXPECT_EQ(index.add("a.*"), first);
    const PatternId second = index.add("a.*.b");
    EXPECT_NE(first, second);
    EXPECT_EQ(index.add("c.>"), kNoPattern);  // the bound
    EXPECT_EQ(index.find("a"), kNoPattern);   // the beginning of one is none
    EXPECT_EQ(index.find("c.>"), kNoPattern);

    index.remove(first);  // what begins with it stays
    EXPECT_EQ(index.find("a.*"), kNoPattern);
    EXPECT_EQ(index.find("a.*.b"), second);
    EXPECT_EQ(matching(index, "a.x"), std::vector<std::string>{});
    EXPECT_EQ(matching(index, "a.x.b"), (std::vector<std::string>{"a.*.b"}));
    EXPECT_NE(index.add("c.>"), kNoPattern);
    EXPECT_EQ(index.size(), 2u);
}

TEST(PatternIndex, AddedAndRemovedAtRandomItSaysWhatMatchesSays) {
    std::mt19937 random(11);
    const auto words = [&](bool wild) {
        std::string text;
        for (unsigned n = random() % 4 + 1; n > 0; --n) {
            if (!text.empty()) text += '.';
            const unsigned pick = random() % 6;
            text += wild && pick < 2 ? (pick == 0 && n == 1 ? ">" : "*")
                                     : std::string(1, static_cast<char>('a' + pick % 3));
        }
        return text;
    };
    PatternIndex index(60);
    std::map<std::string, PatternId> there;
    std::size_t found = 0;
    for (int i = 0; i < 5000; ++i) {
        const std::string pattern = words(true);
        if (const auto at = there.find(pattern); at != there.end()) {
            ASSERT_EQ(index.add(pattern), at->second);
            index.remove(at->second);
            there.erase(at);
        } else if (const PatternId id = index.add(pattern); id != kNoPattern) {
            there[pattern] = id;
        }
        ASSERT_EQ(index.size(), there.size());
        const std::string name = words(false);
        std::vector<std::string> expected;
        for (const auto& [each, id] : there)
            if (matches(each, name)) expected.push_back(each);
        ASSERT_EQ(matching(index, name), expected) << name;
        found += expected.size();
    }
    EXPECT_GT(found, 5000u);
}

}  // namespace
}  // namespace millrace::fanout
