// Loss recovery with a peer that does not do SACK: fast retransmit at the third duplicate ACK (RFC 5681
// section 3.2) and NewReno's fast recovery (RFC 6582).

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

void Tcp::duplicate_ack(Handle h) {
    Connection& c = h.c;
    mark_dirty(h);
    if (c.has(kRecovery)) {  // RFC 5681 section 3.2 step 4: one more has left the network
        c.congestion.cwnd += c.mss;
        return;
    }
    if (c.dup_acks == kDupThreshold) return;
    ++c.dup_acks;
    // The first two let new segments out (limited transmit, in emit_data). After a timeout, or right behind a
    // recovery, the duplicates may be those of what was sent again in vain (RFC 6582 section 3.2 step 2).
    if (c.dup_acks < kDupThreshold || c.has(kTimeoutRecovery) || c.snd_una == c.recover) return;
    ++counters_.reno_recoveries;
    reduce_window(c, false);
    c.congestion.cwnd = c.congestion.ssthresh + kDupThreshold * c.mss;
    c.recover = c.snd_nxt;
    c.set(kRecovery);
    c.clear(kPartialAck);
    retransmit_first(h);
}

// New data are acknowledged during recovery. True when the retransmission timer is to start anew.
bool Tcp::recovery_ack(Handle h, std::uint32_t bytes) {
    Connection& c = h.c;
    Congestion& congestion = c.congestion;
    if (c.snd_una >= c.recover) {  // full: the less bursty choice of RFC 6582 section 3.2 step 3
        congestion.cwnd = std::min(congestion.ssthresh, std::max<std::uint32_t>(in_flight(c), c.mss) + c.mss);
        c.clear(kRecovery);
        c.dup_acks = 0;
        return true;
    }
    // Partial: the next hole is sent at once, and the window shrinks by what has left the network.
    congestion.cwnd -= std::min(bytes, congestion.cwnd - std::min<std::uint32_t>(congestion.cwnd, c.mss));
    if (bytes >= c.mss) congestion.cwnd += c.mss;
    const bool first = !c.has(kPartialAck);
    c.set(kPartialAck);
    retransmit_first(h);
    return first;
}

// The first unacknowledged segment, at once and whatever the congestion window.
void Tcp::retransmit_first(Handle h) {
    Connection& c = h.c;
    if (c.send_queue == kNoBlock || send_queues_[c.send_queue].head == nullptr) {
        if (c.has(kFinSent)) c.set(kFinDue);
        return mark_dirty(h);
    }
    if (retransmit(h, send_queues_[c.send_queue].head)) ++counters_.fast_retransmits;
}

}  // namespace millrace::tcp
