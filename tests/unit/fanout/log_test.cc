#include "engine/fanout/log.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace millrace::fanout {
namespace {

constexpr std::size_t kRing = 64u << 10;
constexpr std::size_t kMost = kRing / 32;

Log log_of(std::size_t bytes = kRing, std::uint32_t keys = 1000) {
    return *Log::create({.bytes = bytes, .max_payload = kMost, .max_topics = 100, .max_keys = keys}, 42);
}

Publication of(TopicId topic, std::string_view payload, std::string_view key = {}) {
    return {.topic_id = topic,
            .time_ns = payload.size(),
            .content = Content::kText,
            .key = key,
            .payload = std::as_bytes(std::span(payload))};
}

std::string payload_at(const Log& log, Offset at) {
    const auto bytes = log.payload(log.at(at));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string value_of(const Log& log, TopicId topic, std::string_view name) {
    for (KeyId key = log.values().newest(topic); key != kNoKey; key = log.values().older(key))
        if (log.key(log.at(log.values()[key].last)) == name) return payload_at(log, log.values()[key].last);
    return "none";
}

TEST(Log, TooLongMessagesForItsSizeAreASetUpError) {
    const auto log = Log::create({.bytes = 4096, .max_payload = 4096, .max_topics = 1, .max_keys = 1}, 1);
    ASSERT_FALSE(log);
    EXPECT_NE(log.error().message.find("131072"), std::string::npos);
}

TEST(Log, LinksTheRecordsOfEachTopicInOrder) {
    Log log = log_of();
    for (std::uint64_t i = 1; i <= 200; ++i)
        for (TopicId topic : {1u, 2u})
            log.append(of(topic, std::to_string(topic * 1000 + i), "key"), i);
    for (TopicId topic : {1u, 2u}) {
        Offset at = log.chain(topic).first;
        for (std::uint64_t i = 1; i <= 200; ++i, at = log.at(at).next) {
            ASSERT_NE(at, kNowhere);
            EXPECT_EQ(log.at(at).sequence, i);
            EXPECT_EQ(payload_at(log, at), std::to_string(topic * 1000 + i));
            EXPECT_EQ(log.key(log.at(at)), "key");
            EXPECT_EQ(log.find(topic, i), at);
        }
        EXPECT_EQ(at, kNowhere);
        EXPECT_EQ(log.find(topic, 201), kNowhere);
    }
    EXPECT_EQ(log.chain(3).first, kNowhere);
}

TEST(Log, WhatIsMissingBetweenSequenceNumbersIsCounted) {
    Log log = log_of();
    EXPECT_EQ(log.at(log.append(of(1, "a"), 1)).missing, 0);
    EXPECT_EQ(log.at(log.append(of(1, "b"), 5)).missing, 3);
    EXPECT_EQ(log.at(log.append(of(1, "c"), 1'000'000)).missing, 65535);
    EXPECT_EQ(log.at(log.find(1, 2)).sequence, 5u);
}

// Against a model: whatever the sizes, chains are whole from their first record on, and every last value is
// there.
TEST(Log, OverwritesTheOldestAndKeepsTheLastValueOfEachKey) {
    std::minstd_rand random(7);
    Log log = log_of();
    std::map<std::pair<TopicId, std::string>, std::string> last;
    std::map<TopicId, std::vector<std::string>> all;
    std::uint64_t published = 0;
    for (int round = 0; round < 20'000; ++round) {
        const TopicId topic = random() % 5;
        // Keys of the first rounds are never published again, and still have their values at the end.
        const std::string key = round < 50 ? "early" + std::to_string(round) : std::to_string(random() % 8);
        const std::string payload =
            std::to_string(round) + std::string(random() % (random() % 50 == 0 ? kMost - 8 : 200), 'x');
        all[topic].push_back(payload);
        last[{topic, key}] = payload;
        log.append(of(topic, payload, key), all[topic].size());
        published += payload.size();
        ASSERT_LE(log.end() - log.begin(), log.capacity());
        if (round % 500 != 0) continue;
        for (const auto& [name, value] : last)
            ASSERT_EQ(value_of(log, name.first, name.second), value) << round << ' ' << name.second;
        for (const auto& [id, messages] : all) {
            Offset at = log.chain(id).first;
            while (at != kNowhere) {
                ASSERT_TRUE(log.holds(at));
                const Log::Record& r = log.at(at);
                ASSERT_FALSE(r.kept);
                ASSERT_EQ(payload_at(log, at), messages[r.sequence - 1]);
                if (r.next == kNowhere) break;
                ASSERT_EQ(log.at(r.next).sequence, r.sequence + 1);
                at = r.next;
            }
            if (at != kNowhere) {
                ASSERT_EQ(log.at(at).sequence, messages.size());
            }
        }
    }
    EXPECT_GT(published, 10 * log.capacity());
    EXPECT_EQ(log.values_dropped(), 0u);
    EXPECT_EQ(log.values().size(), last.size());
}

TEST(Log, AWalkOverAllRecordsPassesFillersAndSeesEachOnce) {
    Log log = log_of();
    std::uint64_t sequence = 0;
    Offset at = log.end();
    for (int round = 0; round < 3000; ++round) {
        log.append(of(1, std::string(static_cast<std::size_t>(round) % 300, 'y')), ++sequence);
        at = log.settle(at);
        ASSERT_NE(at, log.end());
        while (log.at(at).kept)
            at = log.after(at);
        ASSERT_EQ(log.at(at).sequence, sequence);
        at = log.after(at);
        ASSERT_EQ(log.settle(at), log.end());
    }
    EXPECT_GT(log.end(), 3 * log.capacity());
}

TEST(Log, LastValuesTakeAQuarterOfTheRingAtMost) {
    Log log = log_of(kRing, 10'000);
    for (std::uint64_t i = 1; i <= 2000; ++i)
        log.append(of(1, std::string(100, 'v'), "key" + std::to_string(i)), i);
    EXPECT_GT(log.values_dropped(), 0u);
    EXPECT_LT(log.values().size(), 2000u);
    // What is there is right, and a key that was dropped can come back.
    EXPECT_EQ(value_of(log, 1, "key2000"), std::string(100, 'v'));
    int dropped = 1;
    while (value_of(log, 1, "key" + std::to_string(dropped)) != "none")
        ++dropped;
    const std::string key = "key" + std::to_string(dropped);
    log.append(of(1, "again", key), 2001);
    EXPECT_EQ(value_of(log, 1, key), "again");
}

TEST(Log, BeyondTheBoundOnKeysMessagesAreLoggedWithoutAValue) {
    Log log = log_of(kRing, 2);
    log.append(of(1, "a", "a"), 1);
    log.append(of(1, "b", "b"), 2);
    const Offset at = log.append(of(1, "c", "c"), 3);
    EXPECT_EQ(log.at(at).key, kNoKey);
    EXPECT_EQ(payload_at(log, at), "c");
    EXPECT_EQ(value_of(log, 1, "c"), "none");
    EXPECT_EQ(value_of(log, 1, "a"), "a");
}

TEST(LastValues, AreListedFromTheLastUpdatedOn) {
    Log log = log_of();
    log.append(of(1, "1", "a"), 1);
    log.append(of(1, "2", "b"), 2);
    log.append(of(2, "3", "a"), 1);
    log.append(of(1, "4"), 3);
    log.append(of(1, "5", "a"), 4);
    std::vector<std::string> values;
    for (KeyId key = log.values().newest(1); key != kNoKey; key = log.values().older(key))
        values.push_back(payload_at(log, log.values()[key].last));
    EXPECT_EQ(values, (std::vector<std::string>{"5", "4", "2"}));
}

TEST(LastValues, KeysThatAreRemovedLeaveTheOthersToBeFound) {
    LastValues values = *LastValues::create(10, 64, 3);
    std::map<std::string, KeyId> known;
    std::minstd_rand random(5);
    for (int round = 0; round < 20'000; ++round) {
        const std::string name = std::to_string(random() % 100);
        const std::uint32_t hash = values.hash(1, name) & 7;  // many collide
        const auto same = [&](KeyId id) { return known.contains(name) && known[name] == id; };
        const KeyId found = values.find(hash, 1, same);
        ASSERT_EQ(found == kNoKey, !known.contains(name));
        if (found != kNoKey) {
            values.remove(found);
            known.erase(name);
        } else if (const KeyId id = values.add(1, hash); id != kNoKey) {
            known[name] = id;
        } else {
            ASSERT_EQ(known.size(), 64u);
        }
    }
}

}  // namespace
}  // namespace millrace::fanout
