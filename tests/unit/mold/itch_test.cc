#include "engine/mold/itch.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "engine/fanout/topic.h"
#include "engine/mold/generator.h"

namespace millrace::itch {
namespace {

std::vector<std::byte> message(char type, std::uint16_t locate, std::string_view symbol = {}) {
    std::vector<std::byte> out(size_of(type));
    out[0] = static_cast<std::byte>(type);
    out[1] = static_cast<std::byte>(locate >> 8);
    out[2] = static_cast<std::byte>(locate);
    for (std::size_t i = 0; symbol_at(type) != 0 && i < kSymbolBytes; ++i)
        out[symbol_at(type) + i] = static_cast<std::byte>(i < symbol.size() ? symbol[i] : ' ');
    return out;
}

// The sums of the fields' lengths in Nasdaq's specification, version 5.0.
TEST(Itch, EachTypeHasTheLengthOfItsFields) {
    constexpr std::size_t kHead = 1 + 2 + 2 + 6;
    const std::map<char, std::size_t> fields = {{'S', 1},
                                                {'R', 8 + 1 + 1 + 4 + 1 + 1 + 2 + 1 + 1 + 1 + 1 + 1 + 4 + 1},
                                                {'H', 8 + 1 + 1 + 4},
                                                {'Y', 8 + 1},
                                                {'L', 4 + 8 + 1 + 1 + 1},
                                                {'V', 8 + 8 + 8},
                                                {'W', 1},
                                                {'K', 8 + 4 + 1 + 4},
                                                {'J', 8 + 4 + 4 + 4 + 4},
                                                {'h', 8 + 1 + 1},
                                                {'A', 8 + 1 + 4 + 8 + 4},
                                                {'F', 8 + 1 + 4 + 8 + 4 + 4},
                                                {'E', 8 + 4 + 8},
                                                {'C', 8 + 4 + 8 + 1 + 4},
                                                {'X', 8 + 4},
                                                {'D', 8},
                                                {'U', 8 + 8 + 4 + 4},
                                                {'P', 8 + 1 + 4 + 8 + 4 + 8},
                                                {'Q', 8 + 8 + 4 + 8 + 1},
                                                {'B', 8},
                                                {'I', 8 + 8 + 1 + 8 + 4 + 4 + 4 + 1 + 1},
                                                {'N', 8 + 1},
                                                {'O', 8 + 1 + 4 + 4 + 4 + 8 + 4 + 4}};
    for (int c = 0; c < 256; ++c) {
        const auto at = fields.find(static_cast<char>(c));
        EXPECT_EQ(size_of(static_cast<char>(c)), at == fields.end() ? 0 : kHead + at->second)
            << static_cast<char>(c);
        const std::size_t symbol = symbol_at(static_cast<char>(c));
        EXPECT_LE(symbol == 0 ? 0 : symbol + kSymbolBytes, size_of(static_cast<char>(c)));
    }
}

TEST(Itch, TheSymbolIsTheTopicOfAllWithItsLocateCode) {
    Topics topics;
    std::string_view topic;
    ASSERT_TRUE(topics.find(message('D', 7), topic));
    EXPECT_EQ(topic, "itch.unknown");
    for (const char type : {'H', 'Y', 'L', 'K', 'J', 'h', 'A', 'F', 'P', 'Q', 'I', 'N', 'O', 'R'}) {
        Topics fresh;
        ASSERT_TRUE(fresh.find(message(type, 7, "AAPL"), topic));
        EXPECT_EQ(topic, "itch.AAPL") << type;
        for (const char other : {'E', 'C', 'X', 'D', 'U', 'B'}) {
            ASSERT_TRUE(fresh.find(message(other, 7), topic));
            EXPECT_EQ(topic, "itch.AAPL");
        }
    }
    ASSERT_TRUE(topics.find(message('S', 0), topic));
    EXPECT_EQ(topic, "itch.system");
    ASSERT_TRUE(topics.find(message('R', 8, "BRK.A"), topic));
    EXPECT_EQ(topic, "itch.BRK_A");
    ASSERT_TRUE(topics.find(message('R', 9, "ABCDEFG*"), topic));
    EXPECT_EQ(topic, "itch.ABCDEFG_");
}

TEST(Itch, AMessageOfAnotherLengthOrTypeIsNone) {
    Topics topics;
    std::string_view topic;
    EXPECT_FALSE(topics.find({}, topic));
    auto cut = message('A', 1, "X");
    cut.pop_back();
    EXPECT_FALSE(topics.find(cut, topic));
    cut.resize(37);
    EXPECT_FALSE(topics.find(cut, topic));
    EXPECT_FALSE(topics.find(std::vector<std::byte>(12, std::byte{'Z'}), topic));
}

TEST(ItchGenerator, MakesTheSameWholeSessionFromTheSameSeed) {
    Generator a({.seed = 4, .stocks = 20, .count = 5000}), b({.seed = 4, .stocks = 20, .count = 5000});
    Topics topics;
    std::set<char> types;
    std::set<std::string> named;
    std::vector<std::byte> one, other;
    std::uint64_t count = 0;
    while (a.next(one)) {
        ASSERT_TRUE(b.next(other));
        ASSERT_EQ(one, other);
        std::string_view topic;
        ASSERT_TRUE(topics.find(one, topic));
        ASSERT_TRUE(fanout::is_topic(topic));
        ASSERT_NE(topic, Topics::kUnknown);
        types.insert(static_cast<char>(one[0]));
        named.insert(std::string(topic));
        ++count;
    }
    EXPECT_FALSE(b.next(other));
    EXPECT_EQ(count, 5000u);
    EXPECT_EQ(types, (std::set<char>{'S', 'R', 'A', 'F', 'E', 'C', 'X', 'D', 'U', 'P'}));
    EXPECT_EQ(named.size(), 21u);  // and itch.system
}

}  // namespace
}  // namespace millrace::itch
