#include "netstack/port/pools.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <thread>
#include <vector>

#include "netstack/base/spsc_ring.h"
#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames.h"

namespace millrace::net {
namespace {

TEST(Pool, RefusesWhenDryAndServesAgain) {
    test::TestPool pool(64);
    std::vector<rte_mbuf*> taken;
    while (rte_mbuf* m = rte_pktmbuf_alloc(pool.get()))
        taken.push_back(m);
    EXPECT_EQ(taken.size(), 64u);
    EXPECT_EQ(pool.in_use(), 64u);
    EXPECT_EQ(rte_pktmbuf_alloc(pool.get()), nullptr);
    release(taken.back());
    taken.back() = rte_pktmbuf_alloc(pool.get());
    EXPECT_NE(taken.back(), nullptr);
    for (rte_mbuf* m : taken)
        release(m);
}

// Those given back last are taken first, also when there are more of them than the cache in front holds; and
// what a pool has never needed it does not touch.
TEST(Pool, OneThreadGetsTheNewestFirst) {
    constexpr unsigned kMany = 300;
    auto pool = Pool::create({.purpose = "lifo", .mbufs = 1024});
    ASSERT_TRUE(pool);
    std::set<void*> ever;
    std::vector<rte_mbuf*> taken(kMany);
    for (unsigned round = 0; round < 20; ++round) {
        for (rte_mbuf*& m : taken)
            m = rte_pktmbuf_alloc(pool->get());
        ASSERT_EQ(std::count(taken.begin(), taken.end(), nullptr), 0);
        ever.insert(taken.begin(), taken.end());
        for (rte_mbuf* m : taken)
            release(m);
    }
    EXPECT_LE(ever.size(), kMany + 2 * 64);  // what the cache holds besides
    EXPECT_EQ(pool->bytes_in_use(), 0u);
}

TEST(Pool, TakerGetsFirstWhatTheGiverGaveBackLast) {
    auto pool = Pool::create({.purpose = "pair", .mbufs = 256, .use = PoolUse::kTakerAndGiver});
    ASSERT_TRUE(pool);
    std::array<void*, 64> first{}, second{};
    ASSERT_EQ(rte_mempool_generic_get(pool->get(), first.data(), first.size(), nullptr), 0);
    rte_mempool_generic_put(pool->get(), first.data(), first.size(), nullptr);
    ASSERT_EQ(rte_mempool_generic_get(pool->get(), second.data(), second.size(), nullptr), 0);
    EXPECT_EQ(std::set<void*>(first.begin(), first.end()), std::set<void*>(second.begin(), second.end()));
    // All or nothing, and all of them in the end.
    std::array<void*, 256> rest{};
    EXPECT_NE(rte_mempool_generic_get(pool->get(), rest.data(), 256 - 64 + 1, nullptr), 0);
    EXPECT_EQ(rte_mempool_generic_get(pool->get(), rest.data(), 256 - 64, nullptr), 0);
    EXPECT_EQ(rte_mempool_in_use_count(pool->get()), 256u);
    rte_mempool_generic_put(pool->get(), rest.data(), 256 - 64, nullptr);
    rte_mempool_generic_put(pool->get(), second.data(), second.size(), nullptr);
    EXPECT_EQ(pool->bytes_in_use(), 0u);
}

// Each of the two works on its own end at the same time: no mbuf is lost, and none has two owners.
TEST(Pool, TakerAndGiverAreTwoThreads) {
    constexpr unsigned kMbufs = 128;
    constexpr std::uint64_t kTransfers = 100'000;
    auto pool = Pool::create({.purpose = "pair", .mbufs = kMbufs, .use = PoolUse::kTakerAndGiver});
    ASSERT_TRUE(pool);
    SpscRing<void*> taken(kMbufs);
    std::thread giver([&] {
        std::array<void*, 16> given{};
        for (std::uint64_t total = 0; total < kTransfers;) {
            const auto n = static_cast<unsigned>(taken.pop(given));
            if (n == 0) std::this_thread::yield();
            for (unsigned i = 0; i < n; ++i) {
                auto& owner = static_cast<rte_mbuf*>(given[i])->hash.usr;
                EXPECT_EQ(owner, 1u);
                owner = 0;
            }
            rte_mempool_generic_put(pool->get(), given.data(), n, nullptr);
            total += n;
        }
    });
    std::array<void*, 4> some{};
    for (std::uint64_t total = 0; total < kTransfers;) {
        if (rte_mempool_generic_get(pool->get(), some.data(), some.size(), nullptr) != 0) {
            std::this_thread::yield();
            continue;
        }
        for (void* object : some)
            EXPECT_EQ(std::exchange(static_cast<rte_mbuf*>(object)->hash.usr, 1u), 0u);
        EXPECT_TRUE(taken.push(std::span<void* const>(some)));
        total += some.size();
    }
    giver.join();
    EXPECT_EQ(rte_mempool_in_use_count(pool->get()), 0u);
}

TEST(Pool, NamesAreUniqueAndMemoryIsCounted) {
    auto a = Pool::create({.purpose = "same", .mbufs = 32}),
         b = Pool::create({.purpose = "same", .mbufs = 32});
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->bytes_in_use(), 0u);
    rte_mbuf* m = rte_pktmbuf_alloc(a->get());
    EXPECT_GE(a->bytes_in_use(), std::size_t{kDataRoom});
    EXPECT_EQ(b->bytes_in_use(), 0u);
    release(m);
}

// net_af_xdp gives the kernel as many bytes from the pool's start as the mbufs have together: with gaps at
// the ends of pages the last ones would lie beyond.
TEST(Pool, MbufsLieSideBySideWhateverTheirSize) {
    for (const std::uint16_t room : {kHeaderRoom, kDataRoom, std::uint16_t{9300}}) {
        const auto pool = Pool::create({.purpose = "packed", .mbufs = 1000, .data_room = room});
        ASSERT_TRUE(pool);
        EXPECT_TRUE(pool->in_one_piece()) << room;
    }
}

TEST(Pool, TooLargeIsAnErrorWithARemedy) {
    const auto pool = Pool::create({.purpose = "huge", .mbufs = 1u << 24});
    ASSERT_FALSE(pool);
    EXPECT_NE(pool.error().message.find("-m"), std::string::npos) << pool.error().message;
}

TEST(Mbuf, ReleaseGivesBackOneReferenceToEachSegment) {
    test::TestPool pool(16);
    rte_mbuf* chain = pool.chain(test::Octets(30, 1), 10);
    rte_mbuf* last = chain->next->next;
    add_reference(last);
    release(chain);
    EXPECT_EQ(pool.in_use(), 1u);
    EXPECT_EQ(rte_mbuf_refcnt_read(last), 1);
    release(last);
}

}  // namespace
}  // namespace millrace::net
