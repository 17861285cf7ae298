#pragma once
// Received bytes that cannot be delivered yet: what came out of order, and, while the application has paused,
// what came in order. A list of single mbufs in sequence order without overlaps, linked through mbuf::next;
// the sequence number of an mbuf's first byte is kept in its hash field, and how far the bytes behind it are
// known to go on without a gap in its tx_offload field: nobody needs them any more.
//
//     head ----> ... ----> ready_tail      (gap)      ... ----> tail
//     deliverable, up to rcv_nxt                      out of order

#include <rte_mbuf.h>

#include <cstdint>
#include <optional>

#include "netstack/tcp/sack.h"
#include "netstack/tcp/seq.h"

namespace millrace::tcp {

inline Seq held_seq(const rte_mbuf* held) {
    return Seq{held->hash.usr};
}
inline Seq held_end(const rte_mbuf* held) {
    return held_seq(held) + held->data_len;
}

// A newcomer is not let in behind more gaps than these, or each of a stranger's segments would be a walk past
// all that came before. Whoever lost so many of a window's segments sends the first ones first.
inline constexpr unsigned kMostGaps = 64;

struct Reassembly {
    rte_mbuf* head = nullptr;
    rte_mbuf* ready_tail = nullptr;
    rte_mbuf* tail = nullptr;
    std::uint32_t count = 0;  // mbufs
    Seq fin;                  // where the peer's FIN lies
    bool has_fin = false;
    SackBlocks sack;

    // Takes one mbuf of payload that begins at `seq`, no earlier than rcv_nxt. Of bytes that come twice the
    // first stay, so that what has been looked at cannot be rewritten: what is held already is cut off the
    // newcomer, frees it, or is copied into one that covers it. Returns how many mbufs more (or fewer) are
    // held; nothing where it lies behind too many gaps, and is freed.
    std::optional<int> insert(rte_mbuf* packet, Seq seq, Seq rcv_nxt);
    // What has become contiguous with rcv_nxt is ready: returns the new rcv_nxt.
    Seq advance(Seq rcv_nxt);
    rte_mbuf* pop_ready();
    std::uint32_t ready_bytes() const { return ready_tail ? held_end(ready_tail) - held_seq(head) : 0; }
    void free_all();
};
static_assert(sizeof(Reassembly) <= 128);

// Cuts bytes off a chain's front or back, freeing the mbufs that become empty. `bytes` is less than the
// chain's length.
rte_mbuf* trim_front(rte_mbuf* packet, std::uint32_t bytes);
void trim_back(rte_mbuf* packet, std::uint32_t bytes);

}  // namespace millrace::tcp
