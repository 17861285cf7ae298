// RACK's losses (RFC 8985 section 6.2 steps 4 and 5), and its timer.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

// While no reordering has been seen, three SACKed segments, as of old, or a recovery under way leave no
// doubt. Microseconds until more may be lost, 0 for never.
std::uint32_t Tcp::detect_losses(Connection& c, SendQueue& q) {
    const bool certain =
        !c.has(kReordering) && (c.has(kRecovery | kTimeoutRecovery) || q.sacked_units >= kDupThreshold);
    const std::uint32_t window = certain ? 0 : q.rack().reordering_window(c.rtt.srtt8 / 8);
    unsigned lost_again = 0;
    const std::uint32_t timeout = q.detect_losses(now_us_, window, c.snd_nxt, lost_again);
    if (lost_again > 0) retransmission_lost(c, q, lost_again);
    return timeout;
}

// A second sign of congestion: the window is reduced once more (RFC 5681 section 4.3).
void Tcp::retransmission_lost(Connection& c, SendQueue& q, unsigned count) {
    counters_.lost_retransmissions.add(count);
    if (!c.has(kRecovery | kTimeoutRecovery) || q.undo().reduced_again) return;
    q.undo().reduced_again = true;
    const double beta = config_.congestion == CongestionAlgorithm::kCubic ? Cubic::kBeta : NewReno::kBeta;
    Congestion& congestion = c.congestion;
    const bool first = congestion.ssthresh == kFirstSsthresh;  // what was too big goes again, no more
    const std::uint32_t window = first ? c.snd_nxt - c.snd_una : congestion.ssthresh;
    congestion.ssthresh = std::max(static_cast<std::uint32_t>(window * beta), 2u * c.mss);
    congestion.cwnd = std::min(congestion.cwnd, congestion.ssthresh);
    q.prr = {.recover_fs = c.snd_nxt - c.snd_una};
}

// What was waited for has not come.
void Tcp::reorder_timeout(Handle h) {
    Connection& c = h.c;
    c.clear(kReorderTimer);
    if (c.send_queue == kNoBlock) return arm_rexmit(h, rto(c));
    SendQueue& q = send_queues_[c.send_queue];
    mark_dirty(h);
    const std::uint32_t timeout = detect_losses(c, q);
    recover_step(h, q, 0, false);
    if (timeout == 0) return arm_loss_timer(h);
    arm_rexmit(h, timeout);
    c.set(kReorderTimer);
}

}  // namespace millrace::tcp
