#include "netstack/port/pools.h"

#include <gtest/gtest.h>

#include <vector>

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
