// Recovery from loss: what begins and ends it, what it does to the window, and the retransmission timeout
// (RFC 6298 section 5). How losses are found is in selective_ack.cc and rack.cc, or duplicate_acks.cc for
// peers without SACK.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
// Some five minutes with the least RTO; RFC 9293 section 3.8.3 asks for at least 100 seconds (R2).
constexpr std::uint8_t kMostRetries = 12;
}  // namespace

// Bytes that the network may still hold: sent, unacknowledged, neither SACKed nor marked lost ("pipe" of RFC
// 6675 section 4). The FIN takes no window.
std::uint32_t Tcp::in_flight(const Connection& c) const {
    std::uint32_t bytes = c.snd_nxt - c.snd_una;
    if (c.has(kFinSent) && bytes > 0) --bytes;
    if (c.send_queue == kNoBlock) return bytes;
    const SendQueue& q = send_queues_[c.send_queue];
    return bytes - q.lost_bytes - q.sacked_bytes;
}

// RFC 7661: a window that is not used is not known to be good, and does not grow. Slow start may run ahead of
// the application by a factor of two.
bool Tcp::window_in_use(const Connection& c) const {
    if (c.send_queue != kNoBlock && send_queues_[c.send_queue].window_limited) return true;
    return c.congestion.cwnd < c.congestion.ssthresh && in_flight(c) * 2 >= c.congestion.cwnd;
}

void Tcp::grow_window(Connection& c, SendQueue& q, const Arrival& arrival, std::uint32_t bytes, bool in_use) {
    if (!in_use) {
        if (c.congestion.cwnd >= c.congestion.ssthresh) q.end_epoch();
        return;
    }
    const Progress progress{.bytes = bytes,
                            .mss = c.mss,
                            .now = now_us_,
                            .srtt = c.rtt.srtt8 / 8,
                            .rtt = arrival.once && !arrival.resent ? now_us_ - arrival.sent_at : 0,
                            .snd_una = c.snd_una,
                            .snd_nxt = c.snd_nxt};
    if (config_.congestion == CongestionAlgorithm::kCubic) {
        Cubic::acked(c.congestion, q.growth(), progress);
    } else {
        NewReno::acked(c.congestion, q.growth(), progress);
    }
}

// A loss, or a timeout: the window is reduced, and what it was is kept in case that this was wrong.
void Tcp::reduce_window(Connection& c, bool timeout) {
    // FlightSize (RFC 5681 section 2); what limited transmit sent beyond the window does not count. In fast
    // recovery the window is on its way to ssthresh, and may be less for the moment.
    const std::uint32_t window = c.has(kRecovery) ? c.congestion.ssthresh : c.congestion.cwnd;
    const std::uint32_t flight = std::min(c.snd_nxt - c.snd_una, window);
    Growth none;
    Growth& growth = c.send_queue == kNoBlock ? none : send_queues_[c.send_queue].growth();
    if (c.send_queue != kNoBlock) {
        Undo& undo = send_queues_[c.send_queue].undo();
        const bool deeper = c.has(kRecovery | kTimeoutRecovery) && undo.possible;
        if (!deeper) undo.save(c.congestion, c.snd_una);
        undo.by_timeout = timeout;
    }
    const auto reduce = [&]<class Algorithm>(Algorithm) {
        if (timeout) {
            Algorithm::timed_out(c.congestion, growth, flight, c.mss);
        } else {
            Algorithm::lost(c.congestion, growth, flight, c.mss);
        }
    };
    config_.congestion == CongestionAlgorithm::kCubic ? reduce(Cubic{}) : reduce(NewReno{});
}

// Fast recovery with SACK. The window follows by proportional rate reduction.
void Tcp::enter_recovery(Handle h, SendQueue& q) {
    Connection& c = h.c;
    ++counters_.sack_recoveries;
    reduce_window(c, false);
    q.prr = {.recover_fs = c.snd_nxt - c.snd_una};
    c.recover = c.snd_nxt;
    c.set(kRecovery);
    c.clear(kTailProbe);
}

// RFC 6937 section 3.1: cwnd = pipe + SndCnt. Also where a loss makes recovery begin.
void Tcp::recover_step(Handle h, SendQueue& q, std::uint32_t delivered, bool safe) {
    Connection& c = h.c;
    if (q.lost_bytes > 0 && !c.has(kRecovery | kTimeoutRecovery)) enter_recovery(h, q);
    if (!c.has(kRecovery)) return;
    const std::uint32_t pipe = in_flight(c);
    c.congestion.cwnd = pipe + q.prr.allowance(delivered, pipe, c.congestion.ssthresh, c.mss, safe);
}

// All that was outstanding when recovery began is acknowledged.
void Tcp::leave_recovery(Connection& c, SendQueue& q) {
    if (c.has(kRecovery)) c.congestion.cwnd = std::max<std::uint32_t>(c.congestion.ssthresh, c.mss);
    c.clear(kRecovery | kTimeoutRecovery);
    q.rack().recovery_ended();
}

// What was sent again had arrived: the reduction was wrong (RFC 4015, RFC 9438 section 4.9).
void Tcp::undo_reduction(Handle h, SendQueue& q) {
    Connection& c = h.c;
    ++(q.undo().by_timeout ? counters_.spurious_rtos : counters_.full_undos);
    Congestion before = q.undo().before;
    before.cwnd = std::max(before.cwnd, c.congestion.cwnd);
    before.ssthresh = std::max(before.ssthresh, c.congestion.ssthresh);
    c.congestion = before;
    q.growth().in_epoch = false;
    c.clear(kRecovery | kTimeoutRecovery);
    q.undo().possible = false;
    q.clear_all_lost();
}

void Tcp::undo_if_original_arrived(Handle h, SendQueue& q, const Segment& segment) {
    if (h.c.has(kTimestamps) && q.undo().original_arrived(h.c.snd_una, segment.options.ts_echo))
        undo_reduction(h, q);
}

// RFC 6298 (5.4) to (5.6), RFC 5681 section 3.1.
void Tcp::retransmission_timeout(Handle h) {
    Connection& c = h.c;
    ++counters_.timeouts;
    if (too_large_timed_out(h)) return;
    if (unanswered_too_long(h, kMostRetries)) {
        ++counters_.aborts_on_timeout;
        return finish(h, CloseReason::kTimedOut);
    }
    if (c.has(kRecovery))
        ++(c.has(kSack) ? counters_.sack_recovery_failures : counters_.reno_recovery_failures);
    // Unless it is the same segment's again (RFC 5681 section 3.1). In fast recovery it is a retransmission
    // that was lost, another sign of congestion (section 4.3).
    if (c.retries++ == 0) reduce_window(c, true);
    if (c.backoff < kMostBackoff) ++c.backoff;
    c.recover = c.snd_nxt;
    c.dup_acks = 0;
    c.clear(kRecovery | kTailProbe);
    c.set(kTimeoutRecovery);
    if (c.send_queue != kNoBlock && send_queues_[c.send_queue].head != nullptr) {
        mark_losses_on_timeout(c, send_queues_[c.send_queue]);
    } else if (c.has(kFinSent)) {
        c.set(kFinDue);
    }
    c.congestion.cwnd = in_flight(c) + c.mss;  // the loss window: one segment more than what may be alive
    arm_rexmit(h, rto(c));
    mark_dirty(h);
}

// RFC 8985 section 6.3: the first, and what was sent long enough ago; without SACK everything (RFC 5681). A
// first unit that is SACKed and yet not acknowledged is one that the receiver has thrown away again: then no
// block can be believed (RFC 2018 section 8).
void Tcp::mark_losses_on_timeout(Connection& c, SendQueue& q) {
    if (meta(q.head).has(kUnitSacked)) {
        ++counters_.sack_reneging;
        q.clear_all_sacked();
        c.clear(kSacked);
    }
    if (!c.has(kSack) || q.rack().rtt == 0) return q.mark_all_lost(c.snd_nxt);
    if (!meta(q.head).has(kUnitLost)) q.mark_lost(q.head, c.snd_nxt);
    q.mark_older(now_us_, q.rack().rtt + q.rack().reordering_window(c.rtt.srtt8 / 8), c.snd_nxt);
}

}  // namespace millrace::tcp
