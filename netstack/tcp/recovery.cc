// Loss: how it is noticed and what is sent again. Fast retransmit and NewReno's fast recovery (RFC 6582),
// limited transmit (RFC 3042), the retransmission timeout (RFC 6298 section 5). SACK and RACK-TLP join here.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
constexpr std::uint8_t kDupThreshold = 3;
// Some five minutes with the least RTO; RFC 9293 section 3.8.3 asks for at least 100 seconds (R2).
constexpr std::uint8_t kMostRetries = 12;
}  // namespace

// Bytes that the network may still hold: sent, unacknowledged, not marked lost. The FIN takes no window.
std::uint32_t Tcp::in_flight(const Connection& c) const {
    std::uint32_t bytes = c.snd_nxt - c.snd_una;
    if (c.has(kFinSent) && bytes > 0) --bytes;
    if (c.send_queue != kNoBlock) bytes -= send_queues_[c.send_queue].lost_bytes();
    return bytes;
}

// The first unacknowledged segment, at once and whatever the congestion window.
void Tcp::retransmit_first(Handle h) {
    Connection& c = h.c;
    if (c.send_queue == kNoBlock || send_queues_[c.send_queue].head == nullptr) {
        if (c.has(kFinSent)) c.set(kFinDue);
        return mark_dirty(h);
    }
    rte_mbuf* unit = send_queues_[c.send_queue].head;
    const auto from = static_cast<std::uint16_t>(c.snd_una - meta(unit).seq);
    const auto sent = std::min<std::uint32_t>(meta(unit).length, c.snd_nxt - meta(unit).seq);
    if (tx_.room() > 0)
        transmit(h, unit, from, std::min<std::uint16_t>(static_cast<std::uint16_t>(sent - from), c.mss));
}

void Tcp::duplicate_ack(Handle h) {
    Connection& c = h.c;
    mark_dirty(h);
    if (c.has(kRecovery)) {  // RFC 6582 section 3.2 step 3, through RFC 5681 section 3.2 step 4: one more has
                             // left
        c.congestion.cwnd += c.mss;
        return;
    }
    if (c.dup_acks < kDupThreshold)
        ++c.dup_acks;
    else
        return;
    // The first two let new segments out (limited transmit, in emit_data).
    if (c.dup_acks < kDupThreshold || c.snd_una - 1 <= c.recover) return;
    ++counters_.fast_retransmits;
    Control::lost(c.congestion, in_flight(c), c.mss);
    c.recover = c.snd_nxt - 1;
    c.congestion.cwnd = c.congestion.ssthresh + kDupThreshold * c.mss;
    c.set(kRecovery);
    c.clear(kPartialAck);
    retransmit_first(h);
}

// New data are acknowledged during recovery. True when the retransmission timer is to start anew.
bool Tcp::recovery_ack(Handle h, std::uint32_t bytes) {
    Connection& c = h.c;
    Congestion& congestion = c.congestion;
    if (c.snd_una - 1 >= c.recover) {  // full: the less bursty choice of RFC 6582 section 3.2 step 3
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

// RFC 6298 (5.4) to (5.6), RFC 5681 section 3.1, RFC 6582 section 3.2 step 4.
void Tcp::retransmission_timeout(Handle h) {
    Connection& c = h.c;
    ++counters_.timeouts;
    if (too_large_timed_out(h)) return;
    if (c.retries == kMostRetries) {
        ++counters_.aborts_on_timeout;
        return finish(h, CloseReason::kTimedOut);
    }
    if (c.retries++ == 0) {
        Control::timed_out(c.congestion, in_flight(c), c.mss);
    } else {
        c.congestion.cwnd = c.mss;
    }
    ++c.backoff;
    c.recover = c.snd_nxt - 1;
    c.dup_acks = 0;
    c.clear(kRecovery);
    if (c.send_queue != kNoBlock && send_queues_[c.send_queue].head != nullptr) {
        send_queues_[c.send_queue].mark_lost(max(c.snd_una, meta(send_queues_[c.send_queue].head).seq),
                                             c.snd_nxt);
    } else if (c.has(kFinSent)) {
        c.set(kFinDue);
    }
    arm_rexmit(h, rto(c));
    mark_dirty(h);
}

}  // namespace millrace::tcp
