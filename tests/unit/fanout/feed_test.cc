// The feed behind real endpoints in memory: two shards of a server, a client at each.

#include "engine/fanout/feed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "engine/endpoint/endpoint.h"
#include "tests/unit/endpoint/memory_carrier.h"

namespace millrace::fanout {
namespace {

using Strings = std::vector<std::string>;
using test::MemoryCarrier;

struct Heard {
    Strings messages;
    std::vector<ws::CloseCode> closes;
    int opens = 0;
};

struct Listener {
    Heard* heard;
    void on_open(auto&) { ++heard->opens; }
    void on_message(auto&, const Message& message) {
        std::vector<std::byte> scratch;
        heard->messages.emplace_back(message.text(scratch));
    }
    void on_close(auto&, ws::CloseCode code, std::string_view) { heard->closes.push_back(code); }
    void on_failed(net::ConnId, std::string_view why) { ADD_FAILURE() << why; }
};

class FeedTest : public ::testing::Test {
  protected:
    using Server = Endpoint<MemoryCarrier, Feed>;
    using Client = Endpoint<MemoryCarrier, Listener>;

    struct Shard {
        MemoryCarrier server_side, client_side;
        std::unique_ptr<Server> server;
        std::unique_ptr<Client> client;
        Heard heard;  // by all of its clients
    };

    void start(HubConfig hub = {}, EndpointConfig config = {}) {
        hub.log.bytes = 1u << 20;
        hub.log.max_payload = 8192;
        ground = std::make_shared<FeedGround>(FeedConfig{.hub = hub}, 2);
        for (Shard& shard : shards) {
            MemoryCarrier::join(shard.server_side, shard.client_side);
            auto server = Server::create(shard.server_side, config, app(route("/feed", Feed(ground))));
            ASSERT_TRUE(server) << server.error().message;
            shard.server = std::move(*server);
            ASSERT_TRUE(shard.server_side.listen({}));
            auto client = Client::create(shard.client_side, {}, app(route("/feed", Listener{&shard.heard})));
            ASSERT_TRUE(client);
            shard.client = std::move(*client);
        }
    }
    void run(int polls = 20, Duration step = 1us) {
        for (int i = 0; i < polls; ++i) {
            for (Shard& shard : shards) {
                shard.client->handle(shard.client_side.poll(now), now);
                shard.client->tick(now);
                shard.client_side.flush(now);
                shard.server->handle(shard.server_side.poll(now), now);
                shard.server->tick(now);
                shard.server_side.flush(now);
            }
            now += step;
        }
    }
    net::ConnId open(Shard& shard, const std::string& path) {
        const auto target = shard.client->add_target<Listener>({.host = "server:9001", .path = path});
        const net::ConnId id = shard.client->connect({}, target, now);
        run();
        EXPECT_EQ(shard.heard.closes.size(), 0u);
        return id;
    }
    ErrorCode publish(Shard& shard, std::string_view topic, std::string_view payload) {
        return feed(shard).publish(
            {.topic = topic, .content = Content::kText, .payload = std::as_bytes(std::span(payload))});
    }
    Feed& feed(Shard& shard) { return shard.server->handler<Feed>(); }

    // Neither policy ever sends anybody away; whether the peer is there at all is asked of everybody.
    void expect_ended_by_pings(SlowPolicy policy) {
        start({.slow_messages = 10, .slow = policy}, {.ping_interval = 10s});
        open(first, "/ws/a");
        first.server_side.peer_reads = false;
        const std::string payload(4000, 'x');
        for (int i = 0; i < 40; ++i) {
            ASSERT_EQ(publish(first, "a", payload), ErrorCode::kNone);
            run(2);
        }
        EXPECT_EQ(feed(first).hub().subscriptions().size(), 1u);
        run(60, 1s);
        EXPECT_EQ(feed(first).hub().subscriptions().size(), 0u);
        EXPECT_EQ(feed(first).hub().lagging(), 0u);
        EXPECT_EQ(feed(first).hub().counters().disconnected.value(), 0u);
        EXPECT_EQ(first.server->counters().timeouts.value(), 1u);
    }

    std::shared_ptr<FeedGround> ground;
    std::array<Shard, 2> shards;
    Shard& first = shards[0];
    Shard& second = shards[1];
    Time now{1s};
};

TEST_F(FeedTest, WhatIsPublishedAtAnyShardReachesTheSubscribersOfAllInOneOrder) {
    start();
    open(first, "/ws/a"), open(second, "/ws/a"), open(second, "/ws/b");
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(publish(shards[i % 2], "a", std::to_string(i)), ErrorCode::kNone);
        if (i % 7 == 0) run(3);
    }
    run();
    EXPECT_EQ(first.heard.messages.size(), 50u);
    EXPECT_EQ(first.heard.messages, second.heard.messages);
    Strings sorted = first.heard.messages;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::unique(sorted.begin(), sorted.end()), sorted.end());
    for (Shard& shard : shards)
        EXPECT_EQ(feed(shard).hub().counters().missing.value(), 0u);
}

TEST_F(FeedTest, WhoDoesNotReadIsGivenLittleAndHasTheRestFromTheLogLater) {
    start();
    const net::ConnId id = open(first, "/ws/a");
    first.server_side.peer_reads = false;
    Strings expected;
    for (int i = 0; i < 200; ++i) {
        expected.push_back(std::string(1000, static_cast<char>('a' + i % 26)) + std::to_string(i));
        ASSERT_EQ(publish(first, "a", expected.back()), ErrorCode::kNone);
        run(2);
    }
    EXPECT_LE(first.server_side.unsent(id), kMostUnsent + 8 * 1024);
    EXPECT_EQ(feed(first).hub().lagging(), 1u);
    first.server_side.peer_reads = true;
    run(200);
    EXPECT_EQ(first.heard.messages, expected);
    EXPECT_EQ(feed(first).hub().lagging(), 0u);
}

TEST_F(FeedTest, ACarrierShortOfMemoryForAMomentLeavesNobodyBehind) {
    start();
    open(first, "/ws/a");
    first.server_side.pressed = true;
    ASSERT_EQ(publish(first, "a", "1"), ErrorCode::kNone);
    run(3);
    EXPECT_EQ(first.heard.messages, Strings{});
    first.server_side.pressed = false;
    run(3);
    EXPECT_EQ(first.heard.messages, Strings{"1"});
    EXPECT_EQ(feed(first).hub().counters().fallen_behind.value(), 0u);
    EXPECT_EQ(first.server->counters().sends_refused.value(), 0u);
}

TEST_F(FeedTest, DisconnectClosesWith1008WhoIsBeyondTheLimit) {
    start({.slow_messages = 10, .slow = SlowPolicy::kDisconnect});
    open(first, "/ws/a");
    first.server_side.peer_reads = false;
    const std::string payload(4000, 'x');
    for (int i = 0; i < 40; ++i) {
        ASSERT_EQ(publish(first, "a", payload), ErrorCode::kNone);
        run(2);
    }
    EXPECT_EQ(feed(first).hub().counters().disconnected.value(), 1u);
    EXPECT_EQ(feed(first).hub().subscriptions().size(), 0u);
    first.server_side.peer_reads = true;
    run();
    EXPECT_EQ(first.heard.closes, std::vector{ws::CloseCode::kPolicyViolation});
}

TEST_F(FeedTest, WhoNeverReadsUnderDropOldestIsEndedByPings) {
    expect_ended_by_pings(SlowPolicy::kDropOldest);
}
TEST_F(FeedTest, WhoNeverReadsUnderConflateIsEndedByPings) {
    expect_ended_by_pings(SlowPolicy::kConflate);
}

}  // namespace
}  // namespace millrace::fanout
