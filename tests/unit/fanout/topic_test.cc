#include "engine/fanout/topic.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::fanout {
namespace {

TEST(Topic, NamesAreTokensOfPrintableAsciiPartedByDots) {
    for (const std::string& name :
         std::initializer_list<std::string>{"a", "ethusdt@trade", "ethusdt@depth@100ms", "md.eth.trades",
                                            "a.b.c.d", "!{}[]:,/-_~", std::string(128, 'x')})
        EXPECT_TRUE(is_topic(name)) << name;
    for (const std::string& name : std::initializer_list<std::string>{
             "", ".", "a.", ".a", "a..b", "a b", "a\"b", "a\\b", "*", ">", "a.*", "a.>", "a*", "x>y", "a\tb",
             "\x7f", "\xc3\xa9", std::string(129, 'x')})
        EXPECT_FALSE(is_topic(name)) << name;
    EXPECT_FALSE(is_topic(std::string_view("a\0b", 3)));
}

TEST(Topic, PatternsHaveWholeTokensAsWildcards) {
    for (const std::string& pattern :
         std::initializer_list<std::string>{"a", "*", ">", "a.*", "*.a", "a.*.b", "a.>", "*.*.>", "*.>"})
        EXPECT_TRUE(is_pattern(pattern)) << pattern;
    for (const std::string pattern :
         {"", "a*", "*a", "a.b*", ">.a", "a.>.b", "**", ">>", "*>", "a.", "a.*.", ".*"})
        EXPECT_FALSE(is_pattern(pattern)) << pattern;
    EXPECT_FALSE(is_pattern(std::string(127, 'x') + ".*"));
}

TEST(Topic, AWildcardStandsForOneTokenAndTheLastForOneOrMore) {
    const auto yes = [](const char* pattern, const char* name) {
        EXPECT_TRUE(matches(pattern, name)) << pattern << ' ' << name;
    };
    const auto no = [](const char* pattern, const char* name) {
        EXPECT_FALSE(matches(pattern, name)) << pattern << ' ' << name;
    };
    yes("a.b", "a.b"), no("a.b", "a"), no("a.b", "a.b.c"), no("a.b", "a.c"), no("a", "ab"), no("ab", "a");
    yes("*", "a"), no("*", "a.b"), yes("*.*", "a.b"), no("*.*", "a");
    yes("a.*", "a.b"), no("a.*", "a"), no("a.*", "a.b.c"), no("a.*", "b.a"), yes("a.*.c", "a.b.c"),
        no("a.*.c", "a.b.d");
    yes(">", "a"), yes(">", "a.b.c"), yes("a.>", "a.b"), yes("a.>", "a.b.c"), no("a.>", "a"),
        no("a.>", "b.c");
    yes("*.b.>", "a.b.c"), no("*.b.>", "a.b"), no("*.b.>", "a.c.c");
}

}  // namespace
}  // namespace millrace::fanout
