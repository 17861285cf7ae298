// What goes from shard to shard arrives whole and in order, and a full ring refuses whole publications.

#include "engine/fanout/exchange.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::fanout {
namespace {

struct Heard {
    std::string topic, key, payload;
    std::uint64_t time, sequence;
    Content content;
    bool operator==(const Heard&) const = default;
};

Publication publication_of(const Heard& h) {
    return {.topic = h.topic,
            .time_ns = h.time,
            .content = h.content,
            .key = h.key,
            .payload = std::as_bytes(std::span(h.payload))};
}

std::vector<Heard> receive_all(Exchange& exchange, unsigned to) {
    std::vector<Heard> all;
    exchange.receive(to, [&](const Publication& p, std::uint64_t sequence) {
        all.push_back({std::string(p.topic), std::string(p.key),
                       std::string(reinterpret_cast<const char*>(p.payload.data()), p.payload.size()),
                       p.time_ns, sequence, p.content});
        return true;
    });
    return all;
}

bool send(Exchange& exchange, unsigned from, unsigned to, const Heard& h) {
    return exchange.send(from, to, publication_of(h), h.sequence);
}

TEST(Exchange, ATopicHasOneHomeAndTopicsAreSpread) {
    const Exchange exchange(4, 4096), other(4, 4096);
    std::set<unsigned> homes;
    for (int i = 0; i < 100; ++i) {
        const std::string topic = "topic." + std::to_string(i);
        EXPECT_LT(exchange.home(topic), 4u);
        EXPECT_EQ(exchange.home(topic), other.home(topic));
        homes.insert(exchange.home(topic));
    }
    EXPECT_EQ(homes.size(), 4u);
    EXPECT_EQ(Exchange(1, 4096).home("any"), 0u);
}

TEST(Exchange, PublicationsOfEverySizeArriveWholeAndInOrder) {
    Exchange exchange(2, 1 << 20);
    std::vector<Heard> sent;
    for (std::uint64_t size = 0; size < 300; ++size)
        sent.push_back({std::string(1 + size % 128, 't'), std::string(size % 100, 'k'),
                        std::string(size, static_cast<char>('a' + size % 26)), size * 7, size,
                        static_cast<Content>(size % 3)});
    for (const Heard& h : sent)
        ASSERT_TRUE(send(exchange, 0, 1, h));
    EXPECT_EQ(receive_all(exchange, 1), sent);
    EXPECT_TRUE(receive_all(exchange, 1).empty());
    EXPECT_TRUE(receive_all(exchange, 0).empty());
}

TEST(Exchange, EveryShardHearsEachOther) {
    Exchange exchange(3, 4096);
    for (unsigned from = 0; from < 3; ++from)
        for (unsigned to = 0; to < 3; ++to) {
            if (from == to) continue;
            ASSERT_TRUE(send(exchange, from, to, {std::to_string(from), "", std::to_string(to), 1, 2, {}}));
        }
    for (unsigned to = 0; to < 3; ++to) {
        std::set<std::string> froms;
        for (const Heard& h : receive_all(exchange, to)) {
            EXPECT_EQ(h.payload, std::to_string(to));
            froms.insert(h.topic);
        }
        EXPECT_EQ(froms.size(), 2u);
        EXPECT_FALSE(froms.contains(std::to_string(to)));
    }
}

TEST(Exchange, AFullRingRefusesWholePublicationsAndCountsThem) {
    Exchange exchange(2, 4096);
    const Heard h{"topic", "key", std::string(500, 'x'), 1, 2, Content::kText};
    std::size_t sent = 0;
    EXPECT_FALSE(exchange.crowded(0));
    while (send(exchange, 0, 1, h))
        ++sent;
    EXPECT_GT(sent, 2u);
    EXPECT_TRUE(exchange.crowded(0));
    EXPECT_FALSE(exchange.crowded(1));
    EXPECT_EQ(exchange.refused(0), 1u);
    EXPECT_EQ(receive_all(exchange, 1), std::vector<Heard>(sent, h));
    EXPECT_FALSE(exchange.crowded(0));
    EXPECT_TRUE(send(exchange, 0, 1, h));
}

TEST(Exchange, WhoHasEnoughLeavesTheRestInTheRing) {
    Exchange exchange(2, 4096);
    for (std::uint64_t i = 1; i <= 5; ++i)
        ASSERT_TRUE(send(exchange, 0, 1, {"topic", "", "", 0, i, {}}));
    std::vector<std::uint64_t> heard;
    const auto two = [&](const Publication&, std::uint64_t sequence) {
        heard.push_back(sequence);
        return heard.size() % 2 != 0;
    };
    exchange.receive(1, two);
    EXPECT_EQ(heard, (std::vector<std::uint64_t>{1, 2}));
    exchange.receive(1, two);
    exchange.receive(1, two);
    EXPECT_EQ(heard, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

TEST(Exchange, TwoThreadsLoseNothing) {
    constexpr std::uint64_t kMessages = 20'000;
    Exchange exchange(2, 4096);
    std::thread sender([&] {
        for (std::uint64_t i = 1; i <= kMessages; ++i) {
            const Heard h{"topic", "", std::string(i % 200, static_cast<char>(i)), i, i, {}};
            while (!send(exchange, 0, 1, h))
                std::this_thread::yield();
        }
    });
    std::uint64_t next = 1;
    while (next <= kMessages) {
        std::size_t wrong = 0;
        exchange.receive(1, [&](const Publication& p, std::uint64_t sequence) {
            wrong += sequence != next || p.payload.size() != next % 200 ||
                     (!p.payload.empty() && p.payload.back() != static_cast<std::byte>(next));
            ++next;
            return true;
        });
        ASSERT_EQ(wrong, 0u);
        std::this_thread::yield();
    }
    sender.join();
}

}  // namespace
}  // namespace millrace::fanout
