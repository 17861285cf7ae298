#include "engine/fanout/decode.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/fanout/encode.h"

namespace millrace::fanout {
namespace {

template <class What>
std::vector<std::byte> payload_of(const What& what) {
    std::vector<std::byte> out;
    encode(Dialect::kBinary, what, out);
    out.erase(out.begin(), out.begin() + (std::to_integer<int>(out[1]) < 126 ? 2 : 4));
    return out;
}

TEST(Decode, APublicationIsWhatItWas) {
    const std::string payload(300, 'x');
    Publication publication;
    publication.topic_id = 3;
    publication.position = {4, 5};
    publication.time_ns = 6;
    publication.content = Content::kText;
    publication.snapshot = true;
    publication.key = "key";
    publication.payload = std::as_bytes(std::span(payload));
    const auto bytes = payload_of(publication);
    ServerMessage message;
    ASSERT_TRUE(decode(bytes, message));
    ASSERT_EQ(message.kind, ServerMessage::Kind::kPublication);
    EXPECT_EQ(message.publication.topic_id, 3u);
    EXPECT_EQ(message.publication.position, (Position{4, 5}));
    EXPECT_EQ(message.publication.time_ns, 6u);
    EXPECT_EQ(message.publication.content, Content::kText);
    EXPECT_TRUE(message.publication.snapshot);
    EXPECT_EQ(message.publication.key, "key");
    EXPECT_EQ(binary::text_of(message.publication.payload), payload);
}

TEST(Decode, NoticesAndRepliesAreWhatTheyWere) {
    ServerMessage message;
    const Notice topic{Notice::Kind::kTopic, 7, "a.b", {9, 10}, 0};
    const auto named = payload_of(topic);
    ASSERT_TRUE(decode(named, message));
    ASSERT_EQ(message.kind, ServerMessage::Kind::kNotice);
    EXPECT_EQ(message.notice.kind, Notice::Kind::kTopic);
    EXPECT_EQ(message.notice.topic, "a.b");
    EXPECT_EQ(message.notice.topic_id, 7u);
    EXPECT_EQ(message.notice.position, (Position{9, 10}));
    const auto skipped = payload_of(Notice{Notice::Kind::kSkipped, 7, "a.b", {9, 10}, 5});
    ASSERT_TRUE(decode(skipped, message));
    EXPECT_EQ(message.notice.kind, Notice::Kind::kSkipped);
    EXPECT_EQ(message.notice.count, 5u);
    ASSERT_TRUE(decode(payload_of(Notice{Notice::Kind::kGap, 7, "a.b", {9, 10}, 0}), message));
    EXPECT_EQ(message.notice.kind, Notice::Kind::kGap);

    const std::vector<std::string_view> patterns = {"a.*", "b"};
    const auto list = payload_of(Reply{"18", Request::Kind::kList, ErrorCode::kNone, {}, patterns});
    ASSERT_TRUE(decode(list, message));
    ASSERT_EQ(message.kind, ServerMessage::Kind::kReply);
    EXPECT_EQ(message.reply.id, 18u);
    EXPECT_EQ(message.reply.kind, Request::Kind::kList);
    std::vector<std::string_view> names;
    EXPECT_TRUE(binary::each_name(message.reply.rest,
                                  [&](std::string_view name) { return names.push_back(name), true; }));
    EXPECT_EQ(names, patterns);
    const auto error = payload_of(Reply{"19", Request::Kind::kPublish, ErrorCode::kBusy, "t", {}});
    ASSERT_TRUE(decode(error, message));
    EXPECT_EQ(message.reply.error, ErrorCode::kBusy);
    EXPECT_EQ(binary::text_of(message.reply.rest), "t");
}

TEST(Decode, WhatIsCutShortOrUnknownIsRefused) {
    const auto refused_when_cut = [](std::vector<std::byte> bytes, std::size_t fixed) {
        ServerMessage message;
        ASSERT_TRUE(decode(bytes, message));
        for (std::size_t size = 0; size < fixed; ++size)
            EXPECT_FALSE(decode(std::span(bytes).first(size), message)) << size;
    };
    Publication publication;
    publication.key = "key";
    refused_when_cut(payload_of(publication), 31);
    refused_when_cut(payload_of(Notice{Notice::Kind::kTopic, 7, "a", {9, 10}, 0}), 21);
    refused_when_cut(payload_of(Notice{Notice::Kind::kSkipped, 7, "a", {9, 10}, 5}), 28);
    refused_when_cut(payload_of(Notice{Notice::Kind::kGap, 7, "a", {9, 10}, 0}), 20);
    refused_when_cut(payload_of(Reply{"18", Request::Kind::kList, ErrorCode::kNone, {}, {}}), 8);
    ServerMessage message;
    auto unknown = payload_of(publication);
    unknown[0] = std::byte{0x11};
    EXPECT_FALSE(decode(unknown, message));
}

}  // namespace
}  // namespace millrace::fanout
