// What an acknowledgment brings: freed units, a round-trip sample, a larger congestion window, the peer's
// window.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

// `segment.ack` is no later than SND.NXT.
void Tcp::process_ack(Handle h, const Segment& segment) {
    Connection& c = h.c;
    if (segment.ack > c.snd_una) {
        acked(h, segment);
        update_send_window(h, segment);
        return;
    }
    if (segment.ack < c.snd_una) return;  // old
    // RFC 5681 section 2: a duplicate has data outstanding, no text, no SYN or FIN, and the window of the
    // last.
    const bool duplicate = c.snd_nxt != c.snd_una && segment.seg_len() == 0 &&
                           std::uint32_t{segment.window} << c.send_scale() == c.snd_wnd;
    update_send_window(h, segment);
    // A peer that answers probes lives, however long its window stays closed (RFC 9293 section 3.8.6.1).
    if (c.snd_wnd == 0 || c.has(kPersistTimer)) c.retries = 0;
    if (duplicate && c.snd_wnd != 0) duplicate_ack(h);
}

// RFC 9293 section 3.10.7.4: WL1 and WL2 keep an old segment from bringing back an old window.
void Tcp::update_send_window(Handle h, const Segment& segment) {
    Connection& c = h.c;
    if (segment.seq < c.snd_wl1 || (segment.seq == c.snd_wl1 && segment.ack < c.snd_wl2)) return;
    const std::uint32_t window = std::uint32_t{segment.window} << c.send_scale();
    if (window > c.snd_wnd && c.send_queue != kNoBlock) mark_dirty(h);
    c.snd_wnd = window;
    c.snd_wl1 = segment.seq;
    c.snd_wl2 = segment.ack;
    c.max_window = std::max(c.max_window, segment.window);
}

void Tcp::acked(Handle h, const Segment& segment) {
    Connection& c = h.c;
    const std::uint32_t bytes = segment.ack - c.snd_una;
    const std::uint32_t was_in_flight = in_flight(c);
    c.snd_una = segment.ack;
    c.retries = 0;
    if (c.has(kExtra)) larger_passed(h);
    if (c.send_queue != kNoBlock) {
        SendQueue& q = send_queues_[c.send_queue];
        sample_rtt(c, q.acknowledge(c.snd_una), segment.options);
        if (q.head == nullptr && q.spare == nullptr) {
            send_queues_.give_back(std::exchange(c.send_queue, kNoBlock));
        } else {
            mark_dirty(h);
        }
    }

    bool restart_timer = true;
    if (c.has(kRecovery)) {
        restart_timer = recovery_ack(h, bytes);
    } else {
        c.dup_acks = 0;
        // RFC 7661: a window that is not used is not known to be good, and does not grow.
        if (was_in_flight * 2 >= c.congestion.cwnd) Control::acked(c.congestion, bytes, c.mss);
    }
    if (c.snd_una == c.snd_nxt) {
        c.clear(kRexmitTimer);  // RFC 6298 (5.2); the wheel's timer is left to run out
    } else if (restart_timer) {
        arm_rexmit(h, rto(c));  // (5.3)
    }
    if (c.has(kSendRefused)) wake_writer(h);
}

// Karn's rule (RFC 6298 section 3): no sample from what was sent twice, unless its timestamp tells which of
// the two was acknowledged. Only a sample ends the back-off.
void Tcp::sample_rtt(Connection& c, const SendQueue::Acked& units, const Options& options) {
    if (!units.any) return;
    if (!units.retransmitted) {
        c.rtt.sample(now_us_ - units.sent_at);
    } else if (c.has(kTimestamps) && options.has_timestamps && options.ts_echo != 0) {
        const std::uint32_t ms = now_ms_ + c.ts_offset - options.ts_echo;
        if (ms > kMaxRto / 1000) return;
        c.rtt.sample(ms * 1000);
    } else {
        return;
    }
    c.backoff = 0;
}

}  // namespace millrace::tcp
