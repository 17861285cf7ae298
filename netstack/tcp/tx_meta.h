#pragma once
// What TCP keeps in the private area of an mbuf that it sends from.

#include <rte_mbuf.h>

#include <cstdint>
#include <utility>

#include "netstack/port/mbuf.h"
#include "netstack/tcp/seq.h"

namespace millrace::tcp {

// Bits of TxMeta::marks: the scoreboard of RFC 6675 section 3 and RFC 8985 section 5.2. A unit is SACKed or
// lost or, without either, in the network.
enum UnitMark : std::uint8_t {
    kUnitSacked = 1,  // whole
    kUnitLost = 2,    // and not sent again since
    kUnitResent = 4,  // more than once
};

// A unit of the send queue: one mbuf of at most one MSS of payload. The layers below prepend their headers to
// the same mbuf and change its data offset and length, so the payload's place is kept here.
struct TxMeta {
    rte_mbuf* next;         // the queue's next unit
    rte_mbuf* run_end;      // of a SACKed unit: up to here, at least, all units that follow are SACKed
    Seq seq;                // of the first payload byte
    std::uint32_t sent_at;  // microseconds, last transmission
    std::uint16_t offset;   // of the payload in the buffer
    std::uint16_t length;   // of the payload
    std::uint8_t marks;

    bool has(UnitMark mark) const { return marks & mark; }
    Seq end() const { return seq + length; }
};

// Both of Tcp's pools are created with this private size (rte_pktmbuf_pool_create's priv_size). 32 bytes put
// the TCP header of a unit, with timestamps, at the start of a cache line.
inline constexpr std::uint16_t kTxPrivateBytes = 32;
static_assert(sizeof(TxMeta) <= kTxPrivateBytes && kTxPrivateBytes % RTE_MBUF_PRIV_ALIGN == 0);

inline TxMeta& meta(rte_mbuf* unit) {
    return *static_cast<TxMeta*>(rte_mbuf_to_priv(unit));
}

// A list through TxMeta::next. Units that the port still holds return to their pool when it gives them back.
inline void free_list(rte_mbuf* unit) {
    while (unit != nullptr)
        net::release_segment(std::exchange(unit, meta(unit).next));
}

}  // namespace millrace::tcp
