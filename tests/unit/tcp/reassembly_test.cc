// Reassembly against a plain array of bytes, with every kind of overlap.

#include "netstack/tcp/reassembly.h"

#include <random>

#include "tests/unit/tcp/pools.h"

namespace millrace::tcp::test {
namespace {

char byte_at(std::uint32_t position) {
    return static_cast<char>((position * 2654435761u) >> 24);
}

rte_mbuf* piece(Pools& pools, std::uint32_t from, std::uint32_t length) {
    rte_mbuf* packet = rte_pktmbuf_alloc(pools.data());
    char* at = rte_pktmbuf_append(packet, static_cast<std::uint16_t>(length));
    for (std::uint32_t i = 0; i < length; ++i)
        at[i] = byte_at(from + i);
    return packet;
}

class TcpReassembly : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(TcpReassembly, AnyOverlapsYieldTheStream) {
    const Seq start{GetParam()};
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE(seed);
        Pools pools(1023, 15);
        std::mt19937_64 random(seed);
        constexpr std::uint32_t kBytes = 20000;
        const std::uint32_t most = seed % 4 == 0 ? 1900 : seed % 4 == 1 ? 50 : 400;
        Reassembly r;
        Seq rcv_nxt = start;
        std::uint32_t delivered = 0;
        int held = 0;
        while (delivered < kBytes) {
            const std::uint32_t have = rcv_nxt - start;
            std::uint32_t from = have + static_cast<std::uint32_t>(random() % 3000);
            if (random() % 4 == 0) from = have;
            from = std::min(from, kBytes - 1);
            const auto length =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(1 + random() % most, kBytes - from));
            if (r.count > 500) from = have;
            held += r.insert(piece(pools, from, length), start + from, rcv_nxt).value_or(0);
            rcv_nxt = r.advance(rcv_nxt);
            ASSERT_EQ(held, static_cast<int>(r.count));
            for (rte_mbuf* at = r.head; at && at->next; at = at->next)
                ASSERT_LE(held_end(at), held_seq(at->next)) << "held mbufs overlap";
            if (rcv_nxt - start < kBytes && random() % 3 == 0) continue;  // as if paused
            while (rte_mbuf* packet = r.pop_ready()) {
                --held;
                const char* at = rte_pktmbuf_mtod(packet, const char*);
                for (unsigned i = 0; i < packet->data_len; ++i)
                    ASSERT_EQ(at[i], byte_at(delivered++));
                rte_pktmbuf_free(packet);
            }
            ASSERT_EQ(delivered, rcv_nxt - start);
            ASSERT_EQ(r.ready_bytes(), 0u);
        }
        r.free_all();
    }
}

INSTANTIATE_TEST_SUITE_P(Starts, TcpReassembly, ::testing::Values(0u, 1000u, 0xffffe000u, 0x7ffff000u));

// Two neighbours too large to share an mbuf, and a segment with the end of the one and the beginning of the
// other.
TEST(TcpReassemblyBound, ASegmentAcrossTwoNeighboursBringsNothing) {
    Pools pools(63, 15);
    Reassembly r;
    r.insert(piece(pools, 100, 1500), Seq{100}, Seq{0});
    r.insert(piece(pools, 1600, 1500), Seq{1600}, Seq{0});
    ASSERT_EQ(r.count, 2u);
    EXPECT_EQ(r.insert(piece(pools, 1000, 1000), Seq{1000}, Seq{0}), 0);
    EXPECT_EQ(r.count, 2u);
    EXPECT_EQ(pools.missing(), 2u);
    r.free_all();
}

TEST(TcpReassemblyBound, ManyGapsAreNotWalkedPast) {
    Pools pools(255, 15);
    Reassembly r;
    for (std::uint32_t i = 1; i <= 2 * kMostGaps; ++i)  // at the end nothing is walked past
        EXPECT_EQ(r.insert(piece(pools, 10 * i, 1), Seq{10 * i}, Seq{0}), 1);
    const std::uint32_t last = 10 * kMostGaps + 5, beyond = last + 10;
    EXPECT_EQ(r.insert(piece(pools, beyond, 1), Seq{beyond}, Seq{0}), std::nullopt);
    EXPECT_EQ(r.count, 2 * kMostGaps);
    EXPECT_EQ(pools.missing(), 2 * kMostGaps);
    EXPECT_EQ(r.insert(piece(pools, last, 1), Seq{last}, Seq{0}), 1);
    // Once the first bytes have come there are fewer before it.
    EXPECT_EQ(r.insert(piece(pools, 0, 25), Seq{0}, Seq{0}), -1);
    r.advance(Seq{0});
    while (rte_mbuf* packet = r.pop_ready())
        rte_pktmbuf_free(packet);
    EXPECT_EQ(r.insert(piece(pools, beyond, 1), Seq{beyond}, Seq{25}), 1);
    r.free_all();
}

TEST(TcpReassemblyBound, TinySegmentsShareAnMbuf) {
    Pools pools(63, 15);
    Reassembly r;
    for (std::uint32_t i = 0; i < 50; ++i)
        r.insert(piece(pools, 10 + i, 1), Seq{10 + i}, Seq{0});
    EXPECT_EQ(r.count, 1u);
    EXPECT_EQ(pools.missing(), 1u);
    r.free_all();
}

rte_mbuf* chain(Pools& pools, std::initializer_list<std::uint32_t> lengths) {
    rte_mbuf* head = nullptr;
    std::uint32_t from = 0;
    for (const std::uint32_t length : lengths) {
        rte_mbuf* next = piece(pools, from, length);
        from += length;
        if (head == nullptr)
            head = next;
        else
            rte_pktmbuf_chain(head, next);
    }
    return head;
}

TEST(TcpTrim, ChainsAreCutAtAnyByte) {
    Pools pools(63, 15);
    for (std::uint32_t front = 0; front < 60; ++front) {
        for (std::uint32_t back = 0; front + back < 60; ++back) {
            rte_mbuf* packet = chain(pools, {10, 20, 5, 25});
            packet = trim_front(packet, front);
            if (back > 0) trim_back(packet, back);
            ASSERT_EQ(packet->pkt_len, 60 - front - back);
            std::uint32_t position = front;
            unsigned segments = 0;
            for (const rte_mbuf* m = packet; m; m = m->next, ++segments)
                for (unsigned i = 0; i < m->data_len; ++i)
                    ASSERT_EQ(rte_pktmbuf_mtod(m, const char*)[i], byte_at(position++));
            ASSERT_EQ(position, 60 - back);
            ASSERT_EQ(segments, packet->nb_segs);
            rte_pktmbuf_free(packet);
        }
    }
    EXPECT_EQ(pools.missing(), 0u);
}

}  // namespace
}  // namespace millrace::tcp::test
