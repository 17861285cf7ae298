// The connection table against std::multimap, with a million entries, and after long use.

#include "netstack/tcp/connection_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "netstack/tcp/hash.h"

namespace millrace::tcp {
namespace {

ConnectionTable make(std::size_t entries) {
    auto table = ConnectionTable::create(entries);
    EXPECT_TRUE(table.has_value());
    return std::move(*table);
}

TEST(TcpConnectionTable, HoldsWhatAnOrderedMapHolds) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        std::mt19937_64 random(seed);
        ConnectionTable table = make(4000);
        std::multimap<std::uint32_t, std::uint32_t> oracle;
        std::uint32_t index = 0;
        for (int step = 0; step < 40000; ++step) {
            // Few distinct hashes in some rounds: collisions and long chains.
            const auto hash = static_cast<std::uint32_t>(seed % 2 ? random() : random() % 600 * 4096);
            if (random() % 8 < (step < 20000 ? 5u : 2u)) {
                if (!table.insert(hash, index)) continue;
                oracle.emplace(hash, index++);
            } else if (!oracle.empty()) {
                auto it = oracle.lower_bound(hash);
                if (it == oracle.end()) it = oracle.begin();
                table.remove(it->first, it->second);
                ASSERT_EQ(table.find(it->first, [&](std::uint32_t i) { return i == it->second; }),
                          ConnectionTable::kNone);
                oracle.erase(it);
            }
            ASSERT_EQ(table.size(), oracle.size());
        }
        EXPECT_GT(index, 4000u);
        for (auto [hash, entry] : oracle)
            ASSERT_EQ(table.find(hash, [e = entry](std::uint32_t i) { return i == e; }), entry);
        while (!oracle.empty()) {
            table.remove(oracle.begin()->first, oracle.begin()->second);
            oracle.erase(oracle.begin());
        }
        EXPECT_EQ(table.size(), 0u);
    }
}

TEST(TcpConnectionTable, RefusesBeyondItsBound) {
    ConnectionTable table = make(3);
    EXPECT_TRUE(table.insert(1, 0));
    EXPECT_TRUE(table.insert(2, 1));
    EXPECT_TRUE(table.insert(3, 2));
    EXPECT_FALSE(table.insert(4, 3));
    table.remove(2, 1);
    EXPECT_TRUE(table.insert(4, 3));
}

TEST(TcpConnectionTable, HoldsAMillionEntriesOfSevenBytes) {
    constexpr std::uint32_t kMany = 1'000'000;
    ConnectionTable table = make(kMany);
    const auto flow = [](std::uint32_t i) {
        return hash_flow({net::Ipv4{0x0a000000 + i / 60000}, static_cast<std::uint16_t>(1024 + i % 60000)},
                         {net::Ipv4{1}, 80}, {3, 4});
    };
    for (std::uint32_t i = 0; i < kMany; ++i)
        ASSERT_TRUE(table.insert(flow(i), i));
    for (std::uint32_t i = 0; i < kMany; ++i)
        ASSERT_EQ(table.find(flow(i), [i](std::uint32_t found) { return found == i; }), i);
    EXPECT_LE(table.resident_bytes(), kMany * 7u);
    for (std::uint32_t i = 0; i < kMany; ++i)
        table.remove(flow(i), i);
    EXPECT_EQ(table.size(), 0u);
}

// As full as it may be, for as long as one likes: entries that lie behind full buckets are found, and what is
// not there is looked for among few.
TEST(TcpConnectionTable, StaysQuickWhileEntriesComeAndGo) {
    constexpr std::uint32_t kMany = 20'000;
    std::mt19937 random(7);
    ConnectionTable table = make(kMany);
    std::vector<std::uint32_t> hashes(kMany);
    for (std::uint32_t i = 0; i < kMany; ++i)
        ASSERT_TRUE(table.insert(hashes[i] = static_cast<std::uint32_t>(random()), i));
    for (int step = 0; step < 2'000'000; ++step) {
        const auto i = static_cast<std::uint32_t>(random() % kMany);
        table.remove(hashes[i], i);
        ASSERT_TRUE(table.insert(hashes[i] = static_cast<std::uint32_t>(random()), i));
    }
    std::uint64_t asked = 0;
    for (std::uint32_t i = 0; i < kMany; ++i)
        ASSERT_EQ(table.find(hashes[i], [&](std::uint32_t found) { return ++asked, found == i; }), i);
    EXPECT_LT(asked, kMany * 11 / 10);
    asked = 0;
    for (std::uint32_t i = 0; i < kMany; ++i)
        table.find(static_cast<std::uint32_t>(random()), [&](std::uint32_t) { return ++asked, false; });
    EXPECT_LT(asked, kMany / 16);  // eleven tags of 255 each
    for (std::uint32_t i = 0; i < kMany; ++i)
        table.remove(hashes[i], i);
    EXPECT_EQ(table.size(), 0u);
    // Nothing is left that would send a search on.
    std::uint32_t none = 0;
    for (std::uint32_t i = 0; i < kMany; ++i)
        none += table.candidate(hashes[i]) == ConnectionTable::kNone;
    EXPECT_EQ(none, kMany);
}

}  // namespace
}  // namespace millrace::tcp
