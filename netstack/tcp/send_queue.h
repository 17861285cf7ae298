#pragma once
// What a connection has to send and what may have to be sent again: a list of units, each an mbuf of at most
// one MSS of payload, linked through TxMeta. It exists while anything is queued or unacknowledged.
//
//     head ----> ... ----> lost ----> ... ----> unsent ----> ... ----> tail        spare ----> ...
//     (holds snd_una)      (lost_seq)           (holds snd_nxt)        (end)       (prepared, empty)

#include <rte_mbuf.h>

#include <cstdint>

#include "netstack/tcp/seq.h"
#include "netstack/tcp/tx_meta.h"

namespace millrace::tcp {

struct SendQueue {
    rte_mbuf* head = nullptr;
    rte_mbuf* unsent = nullptr;  // null: everything has been sent once
    rte_mbuf* tail = nullptr;
    rte_mbuf* spare = nullptr;
    rte_mbuf* lost = nullptr;  // the unit of lost_seq
    Seq end;                   // of the queued bytes
    Seq lost_seq, lost_end;    // to be sent again; empty when equal. SACK's scoreboard joins here.

    // A unit that nothing has been sent of may grow; `room` is what is left of an MSS and of its mbuf.
    std::uint16_t tail_room(Seq snd_nxt, std::uint16_t mss) const;
    void push(rte_mbuf* unit, std::uint16_t length);
    // Frees the units that `una` has passed, and says what they tell about the round trip.
    struct Acked {
        bool any = false;            // at least one whole unit
        bool retransmitted = false;  // one of them was sent twice: Karn's rule forbids a sample
        std::uint32_t sent_at = 0;   // of the newest
    };
    Acked acknowledge(Seq una);
    void mark_lost(Seq una, Seq snd_nxt);
    std::uint32_t lost_bytes() const { return lost_end - lost_seq; }
    void free_spares();
    void free_all();
};
static_assert(sizeof(SendQueue) <= 64);

inline Seq end_of(rte_mbuf* unit) {
    return meta(unit).seq + meta(unit).length;
}

}  // namespace millrace::tcp
