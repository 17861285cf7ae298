#pragma once
// Reference counts of mbufs, kept without atomic instructions: every mbuf of Millrace belongs to one shard at
// a time (a cable and a steering ring hand over copies), so rte_mbuf's own atomic arithmetic would be paid
// for nothing. Where a driver gives sent packets back with it, it does so within this shard's own calls: on
// one thread the plain and the atomic forms mix.

#include <rte_mbuf.h>

#include <cstdint>

namespace millrace::net {

inline void add_reference(rte_mbuf* segment) {
    rte_mbuf_refcnt_set(segment, static_cast<std::uint16_t>(rte_mbuf_refcnt_read(segment) + 1));
}

// Makes `reference`, fresh from its pool, one more mbuf of the bytes that `segment` shows:
// rte_pktmbuf_attach() for mbufs without external buffers. Of the segment's description it takes nothing but
// the place.
inline void attach(rte_mbuf* reference, rte_mbuf* segment) {
    add_reference(rte_mbuf_from_indirect(segment));
    reference->priv_size = segment->priv_size;
    reference->ol_flags = RTE_MBUF_F_INDIRECT;
    reference->buf_addr = segment->buf_addr;
    rte_mbuf_iova_set(reference, rte_mbuf_iova_get(segment));
    reference->buf_len = segment->buf_len;
    reference->data_off = segment->data_off;
    reference->data_len = segment->data_len;
    reference->pkt_len = segment->data_len;
}

// Points a reference back at its own buffer, as rte_pktmbuf_detach() does behind the count.
inline void become_direct(rte_mbuf* reference) {
    reference->priv_size = rte_pktmbuf_priv_size(reference->pool);
    const auto header = static_cast<std::uint32_t>(sizeof(rte_mbuf)) + reference->priv_size;
    reference->buf_addr = reinterpret_cast<char*>(reference) + header;
    rte_mbuf_iova_set(reference, rte_mempool_virt2iova(reference) + header);
    reference->buf_len = rte_pktmbuf_data_room_size(reference->pool);
    rte_pktmbuf_reset_headroom(reference);
    reference->data_len = 0;
    reference->ol_flags = 0;
}

// Gives back one reference to one segment; the last one's mbuf returns to its pool, and so does, after its
// last reference, the mbuf that bytes were attached from.
inline void release_segment(rte_mbuf* segment) {
    const std::uint16_t references = rte_mbuf_refcnt_read(segment);
    if (references > 1) {
        rte_mbuf_refcnt_set(segment, static_cast<std::uint16_t>(references - 1));
        return;
    }
    if (RTE_MBUF_CLONED(segment)) {
        rte_mbuf* bytes = rte_mbuf_from_indirect(segment);
        // What is left to rte_pktmbuf_detach() is a count of one, for which it has a plain form, too.
        if (const std::uint16_t shared = rte_mbuf_refcnt_read(bytes); shared > 1) {
            rte_mbuf_refcnt_set(bytes, static_cast<std::uint16_t>(shared - 1));
            become_direct(segment);
        }
    }
    rte_pktmbuf_free_seg(segment);
}

// Gives back one reference to each segment of a packet.
inline void release(rte_mbuf* packet) {
    while (packet) {
        rte_mbuf* next = packet->next;
        release_segment(packet);
        packet = next;
    }
}

}  // namespace millrace::net
