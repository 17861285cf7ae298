#include "engine/fanout/following.h"

#include <gtest/gtest.h>

namespace millrace::fanout {
namespace {

Notice named(TopicId id, std::string_view name, Position next) {
    return {Notice::Kind::kTopic, id, name, next, 0};
}
Publication at(TopicId id, Position position, bool snapshot = false) {
    Publication publication;
    publication.topic_id = id;
    publication.position = position;
    publication.snapshot = snapshot;
    return publication;
}

TEST(Following, MessagesInOrderAreFine) {
    Following following;
    ASSERT_TRUE(following.learn(named(3, "a.b", {7, 10})));
    EXPECT_EQ(following.name(3), "a.b");
    EXPECT_TRUE(following.take(at(3, {7, 9}, true)));
    for (std::uint64_t n = 10; n < 20; ++n)
        EXPECT_TRUE(following.take(at(3, {7, n})));
    EXPECT_EQ(following.missing(), 0u);
    EXPECT_EQ(following.repeated(), 0u);
    EXPECT_EQ(following.topics(), 1u);
}

TEST(Following, WhatIsMissingOrTwiceIsCounted) {
    Following following;
    following.learn(named(3, "a", {7, 1}));
    following.take(at(3, {7, 1}));
    following.take(at(3, {7, 4}));
    EXPECT_EQ(following.missing(), 2u);
    following.take(at(3, {7, 4}));
    following.take(at(3, {7, 2}));
    EXPECT_EQ(following.repeated(), 2u);
    following.take(at(3, {7, 5}));
    EXPECT_EQ(following.missing(), 2u);
}

TEST(Following, WhatTheServerSaysIsNotMissing) {
    Following following;
    following.learn(named(3, "a", {7, 1}));
    following.learn({Notice::Kind::kSkipped, 3, "", {7, 100}, 99});
    following.take(at(3, {7, 100}));
    following.learn({Notice::Kind::kGap, 3, "", {8, 5}, 0});
    following.take(at(3, {8, 5}));
    EXPECT_EQ(following.missing(), 0u);
    EXPECT_EQ(following.skipped(), 99u);
    EXPECT_EQ(following.gaps(), 1u);
}

TEST(Following, ConflatedValuesMayBeLeftOutButNotBeOld) {
    Following following(true);
    following.learn(named(3, "a", {7, 1}));
    following.take(at(3, {7, 50}));
    EXPECT_EQ(following.missing(), 0u);
    following.take(at(3, {7, 49}));
    EXPECT_EQ(following.repeated(), 1u);
}

TEST(Following, ATopicThatWasNeverNamedIsAnError) {
    Following following;
    EXPECT_FALSE(following.take(at(3, {7, 1})));
    EXPECT_EQ(following.name(3), "");
}

}  // namespace
}  // namespace millrace::fanout
