#pragma once
// Reference counts of mbufs, kept without atomic instructions: every mbuf of Millrace belongs to one shard at
// a time (a cable and a steering ring hand over copies), so rte_mbuf's own atomic arithmetic would be paid
// for nothing.

#include <rte_mbuf.h>

#include <cstdint>

namespace millrace::net {

inline void add_reference(rte_mbuf* segment) {
    rte_mbuf_refcnt_set(segment, static_cast<std::uint16_t>(rte_mbuf_refcnt_read(segment) + 1));
}

// Gives back one reference to one segment.
inline void release_segment(rte_mbuf* segment) {
    const std::uint16_t references = rte_mbuf_refcnt_read(segment);
    if (references > 1)
        rte_mbuf_refcnt_set(segment, static_cast<std::uint16_t>(references - 1));
    else
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
