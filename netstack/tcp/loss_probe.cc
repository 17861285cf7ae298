// Tail loss probes (RFC 8985 section 7): when nothing is heard for two round trips, one segment more, or the
// last one again, makes the peer report what is missing, long before the retransmission timeout would guess.
//
// The RFC has none in recovery. But where a window is small, the retransmission is often the last segment in
// flight, and when it is lost, or its one acknowledgment, there is silence again. So in fast recovery the
// first segment is sent once more, after as long a silence; the peer owes it an ACK at once (RFC 5681
// section 4.2). This was half of the time of a transfer with 1 % loss each way.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
constexpr std::uint32_t kMostAckDelay = 200'000;  // section 7.2: TLP.max_ack_delay; microseconds, as below
// Round trips in a data centre are shorter than what a poll may be late.
constexpr std::uint32_t kLeastProbeTimeout = 2'000;
}  // namespace

// Section 7.2: not in recovery, nothing SACKed, no probe out.
bool Tcp::may_probe(const Connection& c) const {
    constexpr std::uint32_t kBusy = kRecovery | kTimeoutRecovery | kSacked | kTailProbe;
    return c.has(kSack) && !c.has(kBusy) && c.send_queue != kNoBlock &&
           send_queues_[c.send_queue].head != nullptr;
}

// TLP_calc_PTO(). A single segment may be held back by a delayed ACK.
std::uint32_t Tcp::probe_timeout(const Connection& c) const {
    const std::uint32_t latest = rto(c);
    if (c.rtt.srtt8 == 0) return latest;
    const std::uint32_t delay = c.snd_nxt - c.snd_una <= c.mss && !c.has(kRecovery) ? kMostAckDelay : 0;
    return std::min(std::max(c.rtt.srtt8 / 4, kLeastProbeTimeout) + delay, latest);
}

// In fast recovery, with something to be sent again.
bool Tcp::may_probe_recovery(const Connection& c) const {
    if (!c.has(kSack) || !c.has(kRecovery) || c.send_queue == kNoBlock) return false;
    rte_mbuf* const head = send_queues_[c.send_queue].head;
    return head != nullptr && !meta(head).has(kUnitSacked);
}

// The probe's timeout, or the retransmission's where there can be no probe.
void Tcp::arm_loss_timer(Handle h) {
    const bool probe = may_probe(h.c) || may_probe_recovery(h.c);
    arm_rexmit(h, probe ? probe_timeout(h.c) : rto(h.c));
    if (probe) h.c.set(kProbeTimer);
}

// New data have been sent. The probe is not put off further than the first of what is outstanding would time
// out (section 7.2, TCP_RTO_expiry()), or who has always something to send would never hear of a loss.
void Tcp::put_off_probe(Handle h) {
    const std::uint32_t waited = now_us_ - meta(send_queues_[h.c.send_queue].head).sent_at;
    const std::uint32_t latest = rto(h.c);
    arm_rexmit(h, std::min(probe_timeout(h.c), waited < latest ? latest - waited : 1));
    h.c.set(kProbeTimer);
}

// TLP_send_probe() (section 7.3).
void Tcp::probe_tail(Handle h) {
    Connection& c = h.c;
    c.clear(kProbeTimer);
    arm_rexmit(h, rto(c));
    if (tx_.room() == 0) return;
    if (may_probe_recovery(c)) return probe_recovery(h);
    if (!may_probe(c)) return;
    SendQueue& q = send_queues_[c.send_queue];
    mark_dirty(h);
    const bool fresh = q.unsent != nullptr && send_one_more(h, q);
    if (!fresh) {
        rte_mbuf* last = q.last_sent(c.snd_nxt);
        if (last == nullptr || !retransmit(h, last)) return;
    }
    ++counters_.loss_probes;
    c.recover = c.snd_nxt;
    c.set(kTailProbe);
    fresh ? c.clear(kProbeResent) : c.set(kProbeResent);
}

// Once in a silence: the timer is the retransmission's from here on, until an ACK brings news.
void Tcp::probe_recovery(Handle h) {
    if (!retransmit(h, send_queues_[h.c.send_queue].head)) return;
    arm_rexmit(h, rto(h.c));
    ++counters_.loss_probes;
    mark_dirty(h);
}

// TLP_process_ack() (section 7.4): a probe that was a retransmission and repaired the loss hides it; the
// congestion window must hear of it all the same.
void Tcp::probe_answered(Connection& c, const Segment& segment, const std::optional<SackBlock>& duplicate) {
    if (segment.ack < c.recover) return;
    if (c.has(kProbeResent) && !(duplicate && duplicate->to == c.recover)) {
        const bool duplicate_ack =
            segment.ack == c.snd_una && segment.seg_len() == 0 && segment.options.sack_count == 0;
        if (segment.ack == c.recover && !duplicate_ack) return;  // the original's or the probe's
        if (segment.ack > c.recover) {
            ++counters_.loss_probe_recoveries;
            reduce_window(c, false);
            c.congestion.cwnd = c.congestion.ssthresh;
            // Nothing that comes later can show that it was wrong.
            if (c.send_queue != kNoBlock) send_queues_[c.send_queue].undo().possible = false;
        }
    }
    c.clear(kTailProbe);
}

}  // namespace millrace::tcp
