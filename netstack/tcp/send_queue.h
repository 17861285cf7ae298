#pragma once
// What a connection has to send and what may have to be sent again: a list of units, each an mbuf of at most
// one MSS of payload, linked through TxMeta. It exists while anything is queued or unacknowledged, and with
// it what loss recovery knows.
//
//     head ----> ... ----> lost ----> ... ----> unsent ----> ... ----> tail        spare ----> ...
//     (at snd_una)         (not before)         (holds snd_nxt)        (end)       (prepared, empty)

#include <rte_mbuf.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "netstack/tcp/congestion.h"
#include "netstack/tcp/options.h"
#include "netstack/tcp/prr.h"
#include "netstack/tcp/rack.h"
#include "netstack/tcp/seq.h"
#include "netstack/tcp/tx_meta.h"
#include "netstack/tcp/undo.h"

namespace millrace::tcp {

// What one ACK says of units that were not known to be delivered before.
struct Arrival {
    static constexpr std::uint32_t kNoEcho = 0x7fffffff;

    std::uint32_t now;                 // microseconds
    std::uint32_t echo_age = kNoEcho;  // since the timestamp that the ACK echoes; at most a millisecond less
    bool all = false;                  // nothing is outstanding after it: nothing is left for RACK to judge
    std::uint32_t bytes = 0;
    std::uint32_t sent_at = 0;  // of the newest unit that was sent once, if any
    bool once = false;
    bool resent = false;     // any that was sent more than once
    bool reordered = false;  // one that was sent once came after one sent later (RFC 8985 section 6.2 step 3)
};

struct alignas(64) SendQueue {
    rte_mbuf* head = nullptr;
    rte_mbuf* unsent = nullptr;  // null: everything has been sent once
    rte_mbuf* tail = nullptr;
    rte_mbuf* spare = nullptr;
    rte_mbuf* lost = nullptr;  // no unit before it is marked lost
    Seq end;                   // of the queued bytes
    std::uint32_t lost_bytes = 0;
    std::uint32_t sacked_bytes = 0;
    std::uint32_t sacked_units = 0;
    bool window_limited = false;  // there was more to send than the congestion window let out
    bool has_rack = false, has_growth = false, has_undo = false;
    Prr prr;  // in fast recovery

    // Empty, in a block with whatever content.
    void begin(Seq at) {
        head = unsent = tail = spare = lost = nullptr;
        end = at;
        lost_bytes = sacked_bytes = sacked_units = 0;
        window_limited = has_rack = has_growth = has_undo = false;
    }
    // What most busy periods end without is made when it is first asked for, so that a small message and its
    // acknowledgment touch the first line only.
    Rack& rack() {
        if (!std::exchange(has_rack, true)) rack_ = {};
        return rack_;
    }
    // Something leaves now. What was delivered a quarter of the circle of times ago, before a jump of the
    // clock, could seem later than it: that would be found lost again and again, and never time out.
    void sending(std::uint32_t now) {
        constexpr std::uint32_t kLongAgo = 1u << 30;  // microseconds
        if (has_rack && now - rack_.xmit_ts > kLongAgo) rack_.rtt = 0;
    }
    Growth& growth() {
        if (!std::exchange(has_growth, true)) growth_ = {};
        return growth_;
    }
    // Time without use of the window does not count (RFC 9438 section 5.8).
    void end_epoch() {
        if (has_growth) growth_.in_epoch = false;
    }
    Undo& undo() {  // of the last reduction of the window
        if (!std::exchange(has_undo, true)) undo_ = {};
        return undo_;
    }

    // A unit that nothing has been sent of may grow; `room` is what is left of an MSS and of its mbuf.
    std::uint16_t tail_room(Seq snd_nxt, std::uint16_t mss) const;
    void push(rte_mbuf* unit, std::uint16_t length);
    // Frees the units that `una` has passed, and cuts the one that it has passed in part.
    void acknowledge(Seq una, Seq snd_nxt, Arrival& arrival);
    // Marks the units that lie whole within `block`.
    void sack(SackBlock block, Arrival& arrival);

    // Of the first unsent unit, what one segment takes.
    struct Part {
        std::uint16_t from, length;
    };
    Part next_part(Seq snd_nxt, std::uint16_t mss) const {
        const TxMeta& m = meta(unsent);
        const auto from = static_cast<std::uint16_t>(snd_nxt - m.seq);
        return {from, std::min<std::uint16_t>(m.length - from, mss)};
    }
    // Bytes of a unit that have been sent.
    static std::uint16_t sent_bytes(rte_mbuf* unit, Seq snd_nxt) {
        const TxMeta& m = meta(unit);
        return static_cast<std::uint16_t>(min(m.end(), snd_nxt) - m.seq);
    }
    void mark_lost(rte_mbuf* unit, Seq snd_nxt);
    void mark_all_lost(Seq snd_nxt);
    // Those that were sent `age` microseconds ago, or longer.
    void mark_older(std::uint32_t now, std::uint32_t age, Seq snd_nxt);
    // RFC 8985 section 6.2 step 5 with a window of `reo_wnd`: marks what is lost. Microseconds until more may
    // be, 0 for never. `lost_again` counts units whose retransmission is lost.
    std::uint32_t detect_losses(std::uint32_t now, std::uint32_t reo_wnd, Seq snd_nxt, unsigned& lost_again);
    // The first lost unit; there is one while lost_bytes is not 0.
    rte_mbuf* first_lost();
    void clear_lost(rte_mbuf* unit, Seq snd_nxt);
    void clear_all_lost();
    void clear_all_sacked();
    // The last unit of which anything has been sent.
    rte_mbuf* last_sent(Seq snd_nxt) const;
    void free_spares();
    void free_all();

  private:
    void deliver(const TxMeta& m, Arrival& arrival);
    rte_mbuf* past_sacked(rte_mbuf* unit);
    rte_mbuf* after(rte_mbuf* unit) {
        return meta(unit).has(kUnitSacked) ? past_sacked(unit) : meta(unit).next;
    }

    Rack rack_;
    Growth growth_;
    Undo undo_;
};
static_assert(sizeof(SendQueue) == 192, "there is one for each busy connection");

inline Seq end_of(rte_mbuf* unit) {
    return meta(unit).end();
}

}  // namespace millrace::tcp
