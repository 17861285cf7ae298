// The connection table against std::multimap, and grown to a million entries.

#include "netstack/tcp/connection_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

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

TEST(TcpConnectionTable, GrowsToAMillionEntriesOfTwentyBytes) {
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
    EXPECT_LT(table.resident_bytes(), kMany * 24u);
    for (std::uint32_t i = 0; i < kMany; ++i)
        table.remove(flow(i), i);
    EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace millrace::tcp
