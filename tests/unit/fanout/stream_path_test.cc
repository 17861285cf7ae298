#include "engine/fanout/stream_path.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::fanout {
namespace {

using Topics = std::vector<std::string_view>;

TEST(StreamPath, SaysTheFormAndTheStreams) {
    const auto raw = parse_stream_path("/ws/ethusdt@trade", "");
    ASSERT_TRUE(raw);
    EXPECT_EQ(raw->dialect, Dialect::kStream);
    EXPECT_EQ(raw->topics, (Topics{"ethusdt@trade"}));
    EXPECT_EQ(parse_stream_path("/ws/a/b@c", "x=1")->topics, (Topics{"a", "b@c"}));
    for (const char* path : {"/ws", "/ws/"}) {
        const auto none = parse_stream_path(path, "");
        ASSERT_TRUE(none);
        EXPECT_EQ(none->dialect, Dialect::kStream);
        EXPECT_TRUE(none->topics.empty());
    }
    const auto combined = parse_stream_path("/stream", "streams=a/b");
    ASSERT_TRUE(combined);
    EXPECT_EQ(combined->dialect, Dialect::kStreamCombined);
    EXPECT_EQ(combined->topics, (Topics{"a", "b"}));
    EXPECT_EQ(parse_stream_path("/stream", "timeUnit=MICROSECOND&streams=a&y")->topics, (Topics{"a"}));
    EXPECT_TRUE(parse_stream_path("/stream", "")->topics.empty());
}

TEST(StreamPath, RefusesWhatIsNoStream) {
    for (const char* path :
         {"", "/", "/w", "/wss", "/ws/a//b", "/ws//", "/ws/a/", "/ws/a..b", "/streams", "/stream/a"})
        EXPECT_FALSE(parse_stream_path(path, "")) << path;
    for (const char* query : {"streams=", "streams=/", "streams=a/", "streams=a b"})
        EXPECT_FALSE(parse_stream_path("/stream", query)) << query;
    std::string many = "/ws";
    for (int i = 0; i < 1024; ++i)
        many += "/a";
    EXPECT_EQ(parse_stream_path(many, "")->topics.size(), 1024u);
    EXPECT_FALSE(parse_stream_path(many + "/a", ""));
}

}  // namespace
}  // namespace millrace::fanout
