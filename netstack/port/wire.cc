#include "netstack/port/wire.h"

#include <rte_errno.h>

#include <algorithm>
#include <cstring>

namespace millrace::net {

Expected<std::unique_ptr<Wire>> Wire::create(const WireOptions& options) {
    auto pool = Pool::create({.purpose = "wire",
                              .mbufs = options.mbufs,
                              .data_room = options.frame_room,
                              .use = PoolUse::kTakerAndGiver});
    if (!pool) return tl::unexpected(pool.error());
    rte_ring* ring = rte_ring_create(unique_name("wire").c_str(), options.slots, SOCKET_ID_ANY,
                                     RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
    if (!ring)
        return fail("no memory for a ring of " + std::to_string(options.slots) + " packets (" +
                    rte_strerror(rte_errno) + "): give DPDK more memory (-m in --eal)");
    return std::unique_ptr<Wire>(new Wire(std::move(*pool), ring, options));
}

Wire::Wire(Pool pool, rte_ring* ring, const WireOptions& options)
    : pool_(std::move(pool)), ring_(ring), frame_room_(options.frame_room) {}

rte_mbuf* Wire::blank() {
    if (blanks_left_ == 0) {
        unsigned n = kBurst;
        while (n != 0 && rte_mempool_get_bulk(pool_.get(), reinterpret_cast<void**>(blanks_.data()), n) != 0)
            n /= 2;
        blanks_left_ = n;
        if (n == 0) return nullptr;
        fetch_blanks();
    }
    fetch_blank(kAhead + 1);
    return blanks_[--blanks_left_];
}

// The lines that the next frames are written to were last read by the receiver. They are fetched for writing
// ahead of time, or the copy's stores, and with them the ring's, would wait for them one poll long.
void Wire::fetch_blank(unsigned ahead) {
    if (blanks_left_ < ahead) return;
    auto* mbuf = reinterpret_cast<char*>(blanks_[blanks_left_ - ahead]);
    __builtin_prefetch(mbuf, 1);
    __builtin_prefetch(mbuf + sizeof(rte_mbuf), 1);
    __builtin_prefetch(mbuf + sizeof(rte_mbuf) + 64, 1);
}

rte_mbuf* Wire::copy(const rte_mbuf* frame, std::uint64_t receive_flags) {
    rte_mbuf* copy = blank();
    if (!copy) [[unlikely]]
        return nullptr;
    // A pool's mbufs keep refcnt 1, nb_segs 1 and no next: only what describes this frame is written, which
    // leaves the mbuf's second cache line alone. No headroom: data that follow the header's two lines are
    // what the adjacent-line prefetcher brings.
    copy->data_off = 0;
    copy->port = port_;
    copy->ol_flags = receive_flags;
    copy->packet_type = 0;
    copy->pkt_len = frame->pkt_len;
    copy->data_len = static_cast<std::uint16_t>(frame->pkt_len);
    copy->vlan_tci = frame->vlan_tci;  // means something where the flags say so
    auto* to = static_cast<std::byte*>(copy->buf_addr);
    for (const rte_mbuf* part = frame; part; part = part->next) {
        std::memcpy(to, rte_pktmbuf_mtod(part, const std::byte*), part->data_len);
        to += part->data_len;
    }
    return copy;
}

}  // namespace millrace::net
