// What a run has to reach.

#include "bench/load/threshold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::bench {
namespace {

using ::testing::HasSubstr;

LoadResult result() {
    LoadResult result;
    result.messages_per_s = 100'000;
    result.lost = 3;
    result.rtt_ns.p99 = 61'200;
    result.rtt_ns.p99_9 = 100'000;
    return result;
}

std::string missed(std::string_view text) {
    const auto threshold = Threshold::parse(text);
    return threshold ? threshold->missed(result()) : threshold.error().message;
}

TEST(Threshold, Holds) {
    for (const char* text : {"p99<62us", "p99<=61200ns", "p99>61us", "p99.9>=100us", "rate>=100k", "lost<=3",
                             "lost<4", "corrupted<=0", "closed<1"})
        EXPECT_EQ(missed(text), "") << text;
}

TEST(Threshold, SaysWhatItMissed) {
    EXPECT_EQ(missed("p99<50us"), "p99 is 61.2 µs (wanted: p99<50us)");
    EXPECT_EQ(missed("rate>100k"), "rate is 100k (wanted: rate>100k)");
    EXPECT_EQ(missed("lost<=0"), "lost is 3 (wanted: lost<=0)");
}

TEST(Threshold, EveryMistakeHasASentence) {
    for (const char* text : {"p99", "p98<1ms", "p99<50", "rate>1ms", "<5", "p99<", ""})
        EXPECT_THAT(missed(text), HasSubstr("write a threshold as 'p99<50us'")) << text;
}

}  // namespace
}  // namespace millrace::bench
