// TCP options (RFC 9293 section 3.2, RFC 7323, RFC 2018 section 2).

#include "netstack/tcp/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace millrace::tcp {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(TcpOptions, ReadsWhatALinuxSynCarries) {
    Options o;
    const Bytes syn{2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 7};
    ASSERT_TRUE(parse_options(syn, o));
    EXPECT_EQ(o.mss, 1460);
    EXPECT_TRUE(o.sack_permitted);
    EXPECT_TRUE(o.has_timestamps);
    EXPECT_EQ(o.ts_value, 7u);
    EXPECT_EQ(o.ts_echo, 9u);
    EXPECT_TRUE(o.has_window_scale);
    EXPECT_EQ(o.window_scale, 7);
}

TEST(TcpOptions, AlignedTimestampsTakeTheShortWayToTheSameResult) {  // RFC 7323 appendix A
    const Bytes aligned{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
    Options fast, slow;
    ASSERT_TRUE(parse_options(aligned, fast));
    ASSERT_TRUE(parse_any_options(aligned, slow));
    EXPECT_EQ(fast.ts_value, 0x01020304u);
    EXPECT_EQ(fast.ts_value, slow.ts_value);
    EXPECT_EQ(fast.ts_echo, slow.ts_echo);
}

TEST(TcpOptions, WindowScaleAbove14CountsAs14) {  // RFC 7323 section 2.3
    Options o;
    ASSERT_TRUE(parse_options(Bytes{3, 3, 255, 0}, o));
    EXPECT_EQ(o.window_scale, 14);
}

TEST(TcpOptions, EndStopsAndUnknownKindsAreSkipped) {  // RFC 9293 MUST-6
    Options o;
    ASSERT_TRUE(parse_options(Bytes{254, 5, 1, 2, 3, 2, 4, 2, 0, 0, 3, 0}, o));
    EXPECT_EQ(o.mss, 512);
    EXPECT_FALSE(o.has_window_scale);
}

TEST(TcpOptions, KnownKindOfWrongLengthIsSkipped) {
    Options o;
    ASSERT_TRUE(parse_options(Bytes{2, 3, 9, 3, 4, 9, 9, 1}, o));
    EXPECT_EQ(o.mss, 0);
    EXPECT_FALSE(o.has_window_scale);
}

TEST(TcpOptions, LengthsThatCannotBeAreRefused) {  // RFC 9293 MUST-7
    Options o;
    EXPECT_FALSE(parse_options(Bytes{2, 0, 0, 0}, o));
    EXPECT_FALSE(parse_options(Bytes{2, 1, 0, 0}, o));
    EXPECT_FALSE(parse_options(Bytes{1, 1, 2, 4}, o));
    EXPECT_FALSE(parse_options(Bytes{1, 1, 1, 8}, o));
}

TEST(TcpOptions, WhatIsWrittenIsReadBack) {
    for (int bits = 0; bits < 16; ++bits) {
        Options o;
        o.mss = bits & 1 ? 1400 : 0;
        o.has_timestamps = bits & 2;
        o.ts_value = o.has_timestamps ? 0xdeadbeef : 0;
        o.ts_echo = o.has_timestamps ? 5 : 0;
        o.has_window_scale = bits & 4;
        o.window_scale = o.has_window_scale ? 9 : 0;
        o.sack_permitted = bits & 8;
        std::uint8_t room[40];
        const std::uint16_t bytes = write_syn_options(room, o);
        EXPECT_EQ(bytes % 4, 0);
        Options back;
        ASSERT_TRUE(parse_options({room, bytes}, back));
        EXPECT_EQ(back.mss, o.mss);
        EXPECT_EQ(back.has_timestamps, o.has_timestamps);
        EXPECT_EQ(back.ts_value, o.ts_value);
        EXPECT_EQ(back.ts_echo, o.ts_echo);
        EXPECT_EQ(back.has_window_scale, o.has_window_scale);
        EXPECT_EQ(back.window_scale, o.window_scale);
        EXPECT_EQ(back.sack_permitted, o.sack_permitted);
        EXPECT_LE(bytes, kMaxSynOptions);
    }
}

TEST(TcpOptions, SackBlocksAreWrittenAndReadBack) {  // RFC 2018 section 3
    for (std::size_t count = 0; count <= kMostSackBlocks; ++count) {
        std::vector<SackBlock> blocks;
        for (std::uint32_t i = 0; i < count; ++i)
            blocks.push_back({Seq{0xfffffff0 + 100 * i}, Seq{0xfffffff0 + 100 * i + 50}});
        std::uint8_t room[40];
        const std::uint16_t bytes = write_sack(room, blocks);
        EXPECT_EQ(bytes, count == 0 ? 0 : 4 + 8 * count);
        Options back;
        ASSERT_TRUE(parse_options({room, bytes}, back));
        EXPECT_TRUE(std::ranges::equal(back.sack_blocks(), blocks));
    }
}

TEST(TcpOptions, SackOfNoWholeBlocksIsSkipped) {  // RFC 2018 section 3: 8 * n + 2 bytes
    Options o;
    ASSERT_TRUE(parse_options(Bytes{5, 9, 1, 2, 3, 4, 5, 6, 7, 2, 4, 2, 0, 1, 1, 1}, o));
    EXPECT_EQ(o.sack_count, 0);
    EXPECT_EQ(o.mss, 512);
    ASSERT_TRUE(parse_options(Bytes{5, 2, 1, 1}, o));
    EXPECT_EQ(o.sack_count, 0);
}

TEST(TcpOptions, AnyBytesAreParsedOrRefused) {
    std::mt19937 random(1);
    for (int i = 0; i < 200000; ++i) {
        Bytes bytes(random() % 41);
        for (auto& b : bytes)
            b = static_cast<std::uint8_t>(random() % (random() % 2 ? 12 : 256));
        Options o;
        parse_options(bytes, o);
        ASSERT_LE(o.window_scale, kMaxWindowScale);
        ASSERT_LE(o.sack_count, kMostSackBlocks);
    }
}

}  // namespace
}  // namespace millrace::tcp
