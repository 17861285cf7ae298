#include "engine/fanout/hub.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/fanout/plain_outlet.h"

namespace millrace::fanout {
namespace {

using test::PlainOutlet;
using Messages = std::vector<std::string>;

class HubTest : public ::testing::Test {
  protected:
    void start(HubConfig config = {}, std::size_t connections = 20'000) {
        config.log.bytes = std::min<std::size_t>(config.log.bytes, 256u << 10);
        config.log.max_payload = 4096;
        config.secret = {1, 2};
        config.epoch = 77;
        hub = std::move(*Hub::create(config, connections));
    }
    void SetUp() override { start(); }

    ErrorCode publish(std::string_view topic, std::string_view payload, std::string_view key = {}) {
        return hub->publish({.topic = topic,
                             .content = Content::kText,
                             .key = key,
                             .payload = std::as_bytes(std::span(payload))});
    }
    // Messages of the stream dialect are their payloads.
    ErrorCode subscribe(std::uint32_t connection, std::string_view topic, const Options& options = {}) {
        std::string_view culprit;
        const ErrorCode error = hub->subscribe(connection, std::array{topic}, options, culprit);
        hub->catch_up(out, connection, now);
        return error;
    }
    std::uint32_t join(std::string_view topic, const Options& options = {},
                       Dialect dialect = Dialect::kStream) {
        const std::uint32_t connection = next_connection++;
        hub->open(connection, dialect);
        EXPECT_EQ(subscribe(connection, topic, options), ErrorCode::kNone);
        return connection;
    }
    // One poll.
    void poll() {
        hub->deliver(out);
        hub->catch_up(out, now);
    }
    const Messages& heard(std::uint32_t connection) { return out.peers[connection].heard; }
    PlainOutlet::Peer& peer(std::uint32_t connection) { return out.peers[connection]; }

    std::unique_ptr<Hub> hub;
    PlainOutlet out;
    Time now{1s};
    std::uint32_t next_connection = 0;
};

TEST_F(HubTest, EverySubscriberOfATopicHearsItsMessagesInOrderAndNoOthers) {
    const auto a = join("a"), b = join("b");
    const auto both = join("a");
    subscribe(both, "b");
    publish("a", "1"), publish("b", "2"), publish("a", "3"), publish("c", "4");
    poll();
    EXPECT_EQ(heard(a), (Messages{"1", "3"}));
    EXPECT_EQ(heard(b), (Messages{"2"}));
    EXPECT_EQ(heard(both), (Messages{"1", "2", "3"}));
}

TEST_F(HubTest, WhatIsPublishedTogetherBecomesFramesOncePerDialect) {
    for (int i = 0; i < 10; ++i)
        join("a"), join("a", {}, Dialect::kJson);
    out.batches = 0;
    publish("a", "1"), publish("a", "2");
    poll();
    EXPECT_EQ(out.batches, 2);
    EXPECT_EQ(hub->counters().deliveries.value(), 40u);
    for (std::uint32_t i = 0; i < 20; i += 2)
        EXPECT_EQ(heard(i), (Messages{"1", "2"}));
}

TEST_F(HubTest, MoreSubscribersThanAPollTakesAreServedInSeveral) {
    for (int i = 0; i < 5000; ++i)
        join("a");
    publish("a", "1");
    poll();
    const auto served = [&](std::string_view what) {
        return std::count_if(out.peers.begin(), out.peers.end(), [&](const auto& p) {
            return !p.second.heard.empty() && p.second.heard.back() == what;
        });
    };
    EXPECT_GT(served("1"), 0);
    EXPECT_LT(served("1"), 5000);
    publish("a", "2");
    for (int i = 0; i < 20; ++i)
        poll();
    EXPECT_EQ(served("2"), 5000);
    for (std::uint32_t i = 0; i < 5000; ++i)
        ASSERT_EQ(heard(i), (Messages{"1", "2"}));
}

// Whoever comes, goes and subscribes anew in the middle of a pass: the others hear each message once.
TEST_F(HubTest, SubscribersThatComeAndGoDuringADeliveryDisturbNoOthers) {
    std::minstd_rand random(3);
    std::map<std::uint32_t, int> first;  // message that each hears first
    std::vector<std::uint32_t> members;
    int published = 0;
    const auto add = [&] {
        members.push_back(join("a"));
        first[members.back()] = published;
    };
    for (int i = 0; i < 3000; ++i)
        add();
    for (int round = 0; round < 200; ++round) {
        if (round % 3 == 0) publish("a", std::to_string(published++));
        for (int i = 0; i < 5; ++i) {
            const std::size_t at = random() % members.size();
            hub->close(members[at]);
            first.erase(members[at]);
            members[at] = members.back();
            members.pop_back();
            add();
        }
        if (round % 7 == 0) {
            const std::uint32_t slow = members[random() % members.size()];
            peer(slow).takes = random() % 2;
        }
        for (auto& [id, p] : out.peers)
            if (p.takes < 2 && random() % 10 == 0) p.takes = ~std::size_t{0};
        poll();
    }
    for (auto& [id, p] : out.peers)
        p.takes = ~std::size_t{0};
    for (int i = 0; i < 100; ++i)
        poll();
    for (const auto& [id, from] : first) {
        Messages expected;
        for (int i = from; i < published; ++i)
            expected.push_back(std::to_string(i));
        ASSERT_EQ(heard(id), expected) << id;
    }
    EXPECT_EQ(hub->lagging(), 0u);
}

TEST_F(HubTest, WhatWasPublishedBeforeASubscriptionIsNotForIt) {
    join("a");
    publish("a", "1");  // not delivered yet
    const auto late = join("a");
    poll();
    publish("a", "2");
    poll();
    EXPECT_EQ(heard(late), (Messages{"2"}));
}

TEST_F(HubTest, ASnapshotIsTheLastValueOfEachKeyAndTheDeltasFollowWithoutGapOrDuplicate) {
    publish("a", "x1", "x"), publish("a", "y1", "y"), publish("a", "x2", "x");
    poll();
    publish("a", "y2", "y");  // not delivered yet: in the snapshot, and not once more
    const auto id = join("a", {.snapshot = true});
    publish("a", "x3", "x");
    poll(), poll();
    EXPECT_EQ(heard(id), (Messages{"x2", "y2", "x3"}));
    EXPECT_EQ(hub->lagging(), 0u);
}

TEST_F(HubTest, ATopicsLastMessageIsItsSnapshotWhereThereAreNoKeys) {
    publish("a", "1"), publish("a", "2");
    const auto id = join("a", {.snapshot = true});
    const auto nothing = join("b", {.snapshot = true});
    EXPECT_EQ(heard(id), (Messages{"2"}));
    EXPECT_EQ(heard(nothing), Messages{});
}

TEST_F(HubTest, ASnapshotOutlivesTheLog) {
    publish("a", "kept");
    join("b");
    for (int i = 0; i < 10'000; ++i)
        publish("b", std::string(100, 'b')), poll();
    EXPECT_GT(hub->messages().begin(), 2 * hub->messages().capacity());
    const auto id = join("a", {.snapshot = true});
    publish("a", "next");
    poll(), poll();
    EXPECT_EQ(heard(id), (Messages{"kept", "next"}));
}

TEST_F(HubTest, ResumesFromAPositionWithoutGapOrDuplicate) {
    for (int i = 1; i <= 300; ++i)
        publish("a", std::to_string(i)), publish("b", "b");
    const auto id = join("a", {.from = Position{77, 290}});
    const auto whole = join("a", {.from = Position{77, 1}});
    const auto any_epoch = join("a", {.from = Position{0, 300}});
    const auto next = join("a", {.from = Position{77, 301}});
    publish("a", "301");
    for (int i = 0; i < 10; ++i)
        poll();
    EXPECT_EQ(heard(id),
              (Messages{"290", "291", "292", "293", "294", "295", "296", "297", "298", "299", "300", "301"}));
    ASSERT_EQ(heard(whole).size(), 301u);
    for (int i = 1; i <= 301; ++i)
        EXPECT_EQ(heard(whole)[static_cast<std::size_t>(i) - 1], std::to_string(i));
    EXPECT_EQ(heard(any_epoch), (Messages{"300", "301"}));
    EXPECT_EQ(heard(next), (Messages{"301"}));
    EXPECT_EQ(hub->counters().gaps.value(), 0u);
}

TEST_F(HubTest, APositionThatIsNotThereIsAGapAndASnapshotFollows) {
    for (int i = 1; i <= 10'000; ++i)
        publish("a", std::to_string(i) + std::string(100, ' ')), poll();
    const std::string last = std::to_string(10'000) + std::string(100, ' ');
    const Position overwritten{77, 5}, future{77, 10'002}, other_epoch{78, 9'999};
    for (const Position& from : {overwritten, future, other_epoch}) {
        const auto id = join("a", {.from = from}, Dialect::kJson);
        ASSERT_EQ(heard(id).size(), 2u);
        EXPECT_NE(heard(id)[0].find("gap"), std::string::npos) << heard(id)[0];
        EXPECT_NE(heard(id)[1].find("10000 "), std::string::npos) << heard(id)[1];
    }
    EXPECT_EQ(hub->counters().gaps.value(), 3u);
}

TEST_F(HubTest, ASlowSubscriberHasItsMessagesFromTheLogInTheOrderOfPublicationAndDelaysNobody) {
    const auto slow = join("a"), fast = join("a");
    subscribe(slow, "b");
    peer(slow).takes = 0;
    publish("a", "1");
    poll();
    publish("b", "2"), publish("a", "3"), publish("b", "4");
    poll();
    EXPECT_EQ(heard(fast), (Messages{"1", "3"}));
    EXPECT_EQ(heard(slow), Messages{});
    EXPECT_EQ(hub->lagging(), 1u);
    peer(slow).takes = 1;
    poll();
    EXPECT_EQ(heard(slow), (Messages{"1"}));
    peer(slow).takes = 100;
    publish("a", "5");
    poll(), poll();
    EXPECT_EQ(heard(slow), (Messages{"1", "2", "3", "4", "5"}));
    EXPECT_EQ(hub->lagging(), 0u);
}

TEST_F(HubTest, DropOldestSkipsWhatIsBeyondTheLimitAndSaysHowMany) {
    start({.slow_messages = 10});
    const auto id = join("a", {.slow = SlowPolicy::kDropOldest}, Dialect::kJson);
    peer(id).takes = 0;
    for (int i = 1; i <= 100; ++i)
        publish("a", "<" + std::to_string(i) + ">");
    for (int i = 0; i < 5; ++i)
        poll();
    peer(id).takes = 100;
    poll();
    ASSERT_EQ(heard(id).size(), 11u);
    EXPECT_NE(heard(id)[0].find("skipped"), std::string::npos);
    EXPECT_NE(heard(id)[0].find("90"), std::string::npos) << heard(id)[0];
    for (std::size_t i = 1; i <= 10; ++i)
        EXPECT_NE(heard(id)[i].find("<" + std::to_string(90 + i) + ">"), std::string::npos) << heard(id)[i];
    EXPECT_EQ(hub->counters().skipped.value(), 90u);
}

TEST_F(HubTest, DropOldestCountsBytesToo) {
    start({.slow_bytes = 1000});
    const auto id = join("a", {.slow = SlowPolicy::kDropOldest});
    peer(id).takes = 0;
    for (int i = 0; i < 50; ++i)
        publish("a", std::to_string(100 + i) + std::string(97, ' '));
    poll();
    peer(id).takes = 100;
    poll();
    ASSERT_EQ(heard(id).size(), 10u);
    EXPECT_EQ(heard(id)[0].substr(0, 3), "140");
    EXPECT_EQ(hub->counters().skipped.value(), 40u);
}

TEST_F(HubTest, DropOldestSkipsWhatHasBeenOverwritten) {
    const auto id = join("a");
    peer(id).takes = 0;
    for (int i = 1; i <= 10'000; ++i)
        publish("a", std::to_string(i) + std::string(100, ' ')), poll();
    peer(id).takes = ~std::size_t{0};
    for (int i = 0; i < 10; ++i)
        poll();
    ASSERT_GT(heard(id).size(), 100u);
    EXPECT_LT(heard(id).size(), 10'000u);
    const std::size_t first = 10'001 - heard(id).size();
    for (std::size_t i = 0; i < heard(id).size(); ++i)
        ASSERT_EQ(std::stoul(heard(id)[i]), first + i);
    EXPECT_EQ(hub->counters().skipped.value(), first - 1);
}

TEST_F(HubTest, DisconnectSendsAwayWhoIsBeyondItsLimitAndOnlyThem) {
    start({.slow_messages = 10});
    const auto slow = join("a", {.slow = SlowPolicy::kDisconnect});
    const auto fast = join("a", {.slow = SlowPolicy::kDisconnect});
    peer(slow).takes = 0;
    for (int i = 1; i <= 10; ++i)
        publish("a", std::to_string(i)), poll();
    EXPECT_TRUE(peer(slow).disconnected.empty());
    publish("a", "11"), poll();
    EXPECT_EQ(peer(slow).disconnected, (std::vector{TooSlow::kBeyondLimit}));
    EXPECT_TRUE(peer(fast).disconnected.empty());
    EXPECT_EQ(heard(fast).size(), 11u);
    EXPECT_EQ(hub->counters().disconnected.value(), 1u);
    EXPECT_EQ(hub->subscriptions().size(), 1u);
    publish("a", "12"), poll();
    EXPECT_EQ(peer(slow).disconnected.size(), 1u);
}

TEST_F(HubTest, ConflateKeepsTheLastValueOfEachKeyForWhoFallsBehind) {
    const auto id = join("a", {.slow = SlowPolicy::kConflate});
    publish("a", "x0", "x"), poll();
    peer(id).takes = 0;
    for (int i = 1; i <= 1000; ++i) {
        publish("a", "x" + std::to_string(i), "x");
        if (i == 500) publish("a", "y1", "y");
        poll();
    }
    peer(id).takes = ~std::size_t{0};
    poll();
    EXPECT_EQ(heard(id), (Messages{"x0", "y1", "x1000"}));
    EXPECT_EQ(hub->counters().conflated.value(), 999u);
    publish("a", "x1001", "x"), poll(), poll();
    publish("a", "x1002", "x"), publish("a", "x1003", "x"), poll();
    EXPECT_EQ(heard(id), (Messages{"x0", "y1", "x1000", "x1001", "x1002", "x1003"}));
    EXPECT_EQ(hub->lagging(), 0u);
}

TEST_F(HubTest, ConflatingSubscribersHearTheLastValuesAtMostAtTheirRate) {
    const auto id = join("a", {.conflate = true, .max_rate = 10});
    int published = 0;
    for (int ms = 0; ms < 1000; ++ms, now += 1ms)
        publish("a", std::to_string(++published)), poll();
    ASSERT_GE(heard(id).size(), 9u);
    EXPECT_LE(heard(id).size(), 11u);
    for (std::size_t i = 1; i < heard(id).size(); ++i)
        EXPECT_LT(std::stoi(heard(id)[i - 1]), std::stoi(heard(id)[i]));
    now += 100ms;
    poll();
    EXPECT_EQ(heard(id).back(), "1000");  // the last one is never lost
    const std::size_t so_far = heard(id).size();
    now += 1s;
    poll();
    EXPECT_EQ(heard(id).size(), so_far);  // and said once
    EXPECT_EQ(hub->lagging(), 0u);
}

// Never an old value after a newer one, and in the end each subscriber knows all last values: whatever the
// policy, the room and the order.
TEST_F(HubTest, NoPolicyEverTellsAnOldValueAfterANewerOneAndAllEndWithTheLast) {
    std::minstd_rand random(11);
    const std::array<Options, 6> kinds{Options{.conflate = true},
                                       Options{.conflate = true, .max_rate = 500},
                                       Options{.snapshot = true, .conflate = true},
                                       Options{.slow = SlowPolicy::kConflate},
                                       Options{.snapshot = true, .slow = SlowPolicy::kConflate},
                                       Options{.snapshot = true, .slow = SlowPolicy::kDropOldest}};
    std::map<std::string, int> last;
    int value = 0;
    std::vector<std::uint32_t> ids;
    for (int round = 0; round < 3000; ++round, now += 1ms) {
        if (round % 20 == 0 && ids.size() < 60) ids.push_back(join("a", kinds[ids.size() % kinds.size()]));
        for (std::uint64_t n = random() % 4; n > 0; --n) {
            const std::string key(1, static_cast<char>('a' + random() % 10));
            last[key] = ++value;
            publish("a", key + std::to_string(value), key);
        }
        for (const auto id : ids)
            if (random() % 8 == 0) peer(id).takes = random() % 3;
        poll();
    }
    for (const auto id : ids)
        peer(id).takes = ~std::size_t{0};
    for (int i = 0; i < 50; ++i, now += 10ms)
        poll();
    for (const auto id : ids) {
        std::map<std::string, int> known;
        for (const std::string& message : heard(id)) {
            int& before = known[message.substr(0, 1)];
            ASSERT_LT(before, std::stoi(message.substr(1))) << id;
            before = std::stoi(message.substr(1));
        }
        if (id % kinds.size() == 2 || id % kinds.size() > 3) {
            ASSERT_EQ(known, last) << id;
        }
        ASSERT_EQ(heard(id).back().substr(1), std::to_string(value)) << id;
    }
    EXPECT_EQ(hub->lagging(), 0u);
}

TEST_F(HubTest, PatternsGetTheirTopicsOldAndNew) {
    publish("md.eth.trades", "old");
    const auto id = join("md.*.trades"), all = join(">");
    publish("md.eth.trades", "1"), publish("md.btc.trades", "2"), publish("md.btc.book", "3");
    poll(), poll();
    EXPECT_EQ(heard(id), (Messages{"1", "2"}));
    EXPECT_EQ(heard(all), (Messages{"1", "2", "3"}));
}

TEST_F(HubTest, ATopicAskedForTwiceIsHeardOnceUntilBothAreGone) {
    publish("a.b", "0");
    const auto id = join("a.b");
    subscribe(id, "a.*");
    subscribe(id, ">");
    publish("a.b", "1"), poll();
    EXPECT_EQ(heard(id), (Messages{"1"}));
    const auto leave = [&](std::string_view what) {
        std::string_view culprit;
        return hub->unsubscribe(id, std::array{what}, culprit);
    };
    EXPECT_EQ(leave("a.*"), ErrorCode::kNone);
    EXPECT_EQ(leave("a.*"), ErrorCode::kNotSubscribed);
    EXPECT_EQ(leave("a.b"), ErrorCode::kNone);
    EXPECT_EQ(leave("a.b"), ErrorCode::kNotSubscribed);
    publish("a.b", "2"), poll();
    EXPECT_EQ(heard(id), (Messages{"1", "2"}));
    EXPECT_EQ(leave(">"), ErrorCode::kNone);
    publish("a.b", "3"), publish("new", "4"), poll();
    EXPECT_EQ(heard(id), (Messages{"1", "2"}));
    EXPECT_EQ(hub->subscriptions().size(), 0u);
}

TEST_F(HubTest, ListsWhatWasAskedFor) {
    const auto id = join("b");
    subscribe(id, "a.*");
    publish("a.c", "1");  // a topic of the pattern's, not asked for by name
    const auto listed = hub->list(id);
    EXPECT_EQ(std::vector<std::string_view>(listed.begin(), listed.end()),
              (std::vector<std::string_view>{"a.*", "b"}));
}

TEST_F(HubTest, BoundsAreErrorsAndLeaveTheRestInPlace) {
    start({.log = {.max_topics = 3}, .max_patterns = 2, .max_subscriptions_each = 2, .max_patterns_each = 1});
    const auto id = join("a");
    EXPECT_EQ(subscribe(id, "b"), ErrorCode::kNone);
    EXPECT_EQ(subscribe(id, "c"), ErrorCode::kTooManySubscriptions);
    EXPECT_EQ(publish("d", "1"), ErrorCode::kServerFull);
    EXPECT_EQ(publish("a", std::string(4097, 'x')), ErrorCode::kTooLong);
    const auto other = join("c.*");
    EXPECT_EQ(subscribe(other, "d.*"), ErrorCode::kTooManySubscriptions);
    EXPECT_EQ(hub->counters().refused.value(), 2u);
    publish("a", "2"), publish("b", "3"), poll();
    EXPECT_EQ(heard(id), (Messages{"2", "3"}));
}

TEST_F(HubTest, PublishersWaitWhereDeliveryCannotKeepUpAndNothingIsLost) {
    const auto id = join("a");
    int taken = 0;
    while (publish("a", std::string(1000, 'x')) == ErrorCode::kNone)
        ASSERT_LT(++taken, 1000);
    EXPECT_GT(taken, 10);
    poll();
    EXPECT_EQ(publish("a", "y"), ErrorCode::kNone);
    poll();
    EXPECT_EQ(heard(id).size(), static_cast<std::size_t>(taken) + 1);
}

TEST_F(HubTest, ACarrierShortOfMemoryMakesNobodySlowUnlessItIsSoForLong) {
    const auto a = join("a"), b = join("a");
    publish("a", "1");
    out.short_of_memory = true;
    poll();
    EXPECT_EQ(hub->lagging(), 0u);
    out.short_of_memory = false;
    poll();
    EXPECT_EQ(heard(a), Messages{"1"});
    EXPECT_EQ(heard(b), Messages{"1"});
    EXPECT_EQ(hub->counters().fallen_behind.value(), 0u);

    out.short_of_memory = true;
    const std::string long_one(4000, 'x');
    Messages expected{"1"};
    while (hub->backlog() < 0.25) {
        ASSERT_EQ(publish("a", long_one), ErrorCode::kNone);
        expected.push_back(long_one);
        if (hub->backlog() < 0.25) poll();
    }
    poll();
    EXPECT_LT(hub->backlog(), 0.25);  // publishers do not wait for it
    EXPECT_EQ(hub->lagging(), 2u);
    out.short_of_memory = false;
    for (int i = 0; i < 20; ++i)
        poll();
    EXPECT_EQ(heard(a), expected);
    EXPECT_EQ(heard(b), expected);
}

TEST_F(HubTest, MessagesNumberedElsewhereLeaveGapsThatAreTold) {
    const auto id = join("a", {}, Dialect::kJson);
    const std::string_view payload = "<x>";
    const Publication p{
        .topic = "a", .content = Content::kText, .payload = std::as_bytes(std::span(payload))};
    EXPECT_EQ(hub->log(p, 1), ErrorCode::kNone);
    EXPECT_EQ(hub->log(p, 4), ErrorCode::kNone);
    EXPECT_EQ(hub->log(p, 4), ErrorCode::kNone);  // once more: left out
    poll();
    ASSERT_EQ(heard(id).size(), 3u);
    EXPECT_NE(heard(id)[1].find("skipped"), std::string::npos);
    EXPECT_EQ(hub->counters().missing.value(), 2u);
}

TEST_F(HubTest, WhoIsClosingIsSentNothingMore) {
    const auto id = join("a"), other = join("a");
    peer(id).gone = true;
    publish("a", "1"), poll();
    EXPECT_EQ(heard(other), (Messages{"1"}));
    EXPECT_EQ(heard(id), Messages{});
    hub->close(id), hub->close(id);
    EXPECT_EQ(hub->subscriptions().size(), 1u);
}

// One in a hundred is stalled: the others lose nothing, and nobody's backlog takes memory.
TEST_F(HubTest, StalledSubscribersCostNoMemoryAndTheOthersNothing) {
    for (int i = 0; i < 10'000; ++i) {
        const auto id = join("a");
        if (i % 100 == 0) peer(id).takes = 0;
    }
    const std::size_t before = hub->memory_in_use();
    for (int i = 1; i <= 20; ++i) {
        publish("a", std::to_string(i));
        for (int n = 0; n < 12; ++n)
            poll();
    }
    EXPECT_LE(hub->memory_in_use(), before + hub->messages().capacity());
    for (const auto& [id, p] : out.peers)
        ASSERT_EQ(p.heard.size(), id % 100 == 0 ? 0u : 20u) << id;
    EXPECT_EQ(hub->lagging(), 100u);
    for (auto& [id, p] : out.peers)
        p.takes = ~std::size_t{0};
    for (int n = 0; n < 5; ++n)
        poll();
    for (const auto& [id, p] : out.peers)
        ASSERT_EQ(p.heard.size(), 20u) << id;
}

}  // namespace
}  // namespace millrace::fanout
