#include "netstack/port/mbuf.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "netstack/port/pools.h"

namespace millrace::net {
namespace {

// DPDK's own functions say what a reference is; ours do the same with plain stores.
class MbufReference : public ::testing::Test {
  protected:
    static constexpr std::uint16_t kPrivate = 32;

    rte_mbuf* bytes() {
        rte_mbuf* made = rte_pktmbuf_alloc(data.get());
        std::memcpy(rte_pktmbuf_append(made, 6), "oxbows", 6);
        return made;
    }
    rte_mbuf* reference(rte_mbuf* to) {
        rte_mbuf* made = rte_pktmbuf_alloc(headers.get());
        attach(made, to);
        return made;
    }
    static std::string_view text(const rte_mbuf* m) {
        return {rte_pktmbuf_mtod(m, const char*), m->data_len};
    }
    void expect_all_back() {
        EXPECT_EQ(data.bytes_in_use(), 0u);
        EXPECT_EQ(headers.bytes_in_use(), 0u);
        for (rte_mempool* pool : {data.get(), headers.get()}) {
            std::array<rte_mbuf*, kMbufs> all{};
            ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool, all.data(), kMbufs), 0);
            for (rte_mbuf* m : all) {
                const char* why = nullptr;
                EXPECT_EQ(rte_mbuf_check(m, 1, &why), 0) << why;
                EXPECT_TRUE(RTE_MBUF_DIRECT(m));
                EXPECT_EQ(rte_mbuf_from_indirect(m), m) << "its buffer is its own";
                EXPECT_EQ(rte_mbuf_iova_get(m), rte_mempool_virt2iova(m) + sizeof *m + kPrivate);
                EXPECT_EQ(m->buf_len, rte_pktmbuf_data_room_size(pool));
                EXPECT_EQ(m->data_off, RTE_PKTMBUF_HEADROOM);
                release(m);
            }
        }
    }

    static constexpr unsigned kMbufs = 16;
    Pool data = *Pool::create({.purpose = "data", .mbufs = kMbufs, .private_bytes = kPrivate});
    Pool headers = *Pool::create(
        {.purpose = "headers", .mbufs = kMbufs, .data_room = kHeaderRoom, .private_bytes = kPrivate});
};

TEST_F(MbufReference, ShowsWhatDpdksShows) {
    rte_mbuf* original = bytes();
    original->data_off += 2;
    original->data_len = 3;
    rte_mbuf* ours = reference(original);
    rte_mbuf* theirs = rte_pktmbuf_alloc(headers.get());
    rte_pktmbuf_attach(theirs, original);
    EXPECT_EQ(rte_mbuf_refcnt_read(original), 3);
    EXPECT_EQ(text(ours), "bow");
    EXPECT_EQ(ours->buf_addr, theirs->buf_addr);
    EXPECT_EQ(rte_mbuf_iova_get(ours), rte_mbuf_iova_get(theirs));
    EXPECT_EQ(ours->buf_len, theirs->buf_len);
    EXPECT_EQ(ours->pkt_len, theirs->pkt_len);
    EXPECT_EQ(ours->nb_segs, theirs->nb_segs);
    EXPECT_EQ(ours->ol_flags, theirs->ol_flags);
    EXPECT_EQ(ours->priv_size, theirs->priv_size);
    // Either may end by either's rules.
    release(theirs);
    EXPECT_EQ(rte_mbuf_refcnt_read(original), 2);
    rte_pktmbuf_free(ours);
    EXPECT_EQ(rte_mbuf_refcnt_read(original), 1);
    release(original);
    expect_all_back();
}

TEST_F(MbufReference, TheBytesLiveAsLongAsTheLastOfThem) {
    for (const bool original_first : {true, false}) {
        rte_mbuf* original = bytes();
        rte_mbuf* first = reference(original);
        rte_mbuf* of_a_reference = reference(first);
        EXPECT_EQ(rte_mbuf_refcnt_read(original), 3);
        EXPECT_EQ(rte_mbuf_refcnt_read(first), 1) << "the bytes are the original's";
        release(original_first ? original : first);
        release(original_first ? first : original);
        EXPECT_EQ(text(of_a_reference), "oxbows");
        EXPECT_EQ(data.bytes_in_use() / (data.get()->elt_size), 1u);
        release(of_a_reference);
        expect_all_back();
    }
}

TEST_F(MbufReference, CountsBeyondOne) {
    rte_mbuf* original = bytes();
    rte_mbuf* made = reference(original);
    add_reference(made);
    release_segment(made);
    EXPECT_EQ(text(made), "oxbows");
    EXPECT_EQ(rte_mbuf_refcnt_read(original), 2);
    release_segment(made);
    EXPECT_EQ(rte_mbuf_refcnt_read(original), 1);
    release(original);
    expect_all_back();
}

}  // namespace
}  // namespace millrace::net
