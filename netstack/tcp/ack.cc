// What an acknowledgment brings: freed units, a round-trip sample, a larger congestion window, the peer's
// window.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

// `segment.ack` is no later than SND.NXT.
void Tcp::process_ack(Handle h, const Segment& segment) {
    Connection& c = h.c;
    constexpr std::uint32_t kAmiss = kRecovery | kTimeoutRecovery | kSacked | kTailProbe;
    if (c.has(kSack) && (segment.options.sack_count > 0 || c.has(kAmiss))) {
        selective_ack(h, segment);
    } else if (segment.ack > c.snd_una) {
        acked(h, segment);
    } else {
        return no_new_ack(h, segment);
    }
    if (segment.ack >= c.snd_una) update_send_window(h, segment);
}

// RFC 5681 section 2: a duplicate has data outstanding, no text, no SYN or FIN, and the window of the last.
void Tcp::no_new_ack(Handle h, const Segment& segment) {
    Connection& c = h.c;
    if (segment.ack < c.snd_una) return;  // old
    const bool duplicate = c.snd_nxt != c.snd_una && segment.seg_len() == 0 &&
                           std::uint32_t{segment.window} << c.send_scale() == c.snd_wnd;
    update_send_window(h, segment);
    if (duplicate && c.snd_wnd != 0 && !c.has(kSack)) duplicate_ack(h);
}

// RFC 9293 section 3.10.7.4: WL1 and WL2 keep an old segment from bringing back an old window. One that
// acknowledges more is no old one, though it be a retransmission with an earlier sequence number: the window
// that belongs to less, counted from its acknowledgment, would reach further than the peer has offered.
void Tcp::update_send_window(Handle h, const Segment& segment) {
    Connection& c = h.c;
    if (segment.ack > c.snd_wl2 || segment.seq >= c.snd_wl1) {
        const std::uint32_t window = std::uint32_t{segment.window} << c.send_scale();
        if (window > c.snd_wnd && c.send_queue != kNoBlock) mark_dirty(h);
        c.snd_wnd = window;
        c.snd_wl1 = segment.seq;
        c.snd_wl2 = segment.ack;
        c.max_window = std::max(c.max_window, segment.window);
    }
    // A peer that answers probes lives, however long its window stays closed (section 3.8.6.1). Once it
    // opens, the intervals between the probes are none to wait for what is sent into it.
    if (c.snd_wnd == 0 || c.has(kPersistTimer)) {
        // What is outstanding has timed out all the same, and reduces the window no second time.
        c.retries = c.snd_una == c.snd_nxt ? 0 : std::min<std::uint8_t>(c.retries, 1);
        if (c.snd_wnd > 0 && std::exchange(c.backoff, 0) > 0) persist_anew(h);
    }
}

void Tcp::advance_una(Handle h, Seq ack) {
    h.c.snd_una = ack;
    h.c.retries = 0;
    if (h.c.has(kExtra)) larger_passed(h);
}

// The usual acknowledgment of new data, and with duplicate ACKs instead of SACK also what it means in
// recovery.
void Tcp::acked(Handle h, const Segment& segment) {
    Connection& c = h.c;
    const std::uint32_t bytes = segment.ack - c.snd_una;
    const bool was_in_use = window_in_use(c);
    advance_una(h, segment.ack);
    if (c.send_queue != kNoBlock) {
        SendQueue& q = send_queues_[c.send_queue];
        Arrival arrival{.now = now_us_, .all = c.snd_una == c.snd_nxt};
        q.acknowledge(c.snd_una, c.snd_nxt, arrival);
        sample_rtt(c, arrival, segment.options);
        if (c.has(kRecovery | kTimeoutRecovery)) undo_if_original_arrived(h, q, segment);
        // RFC 3465 section 2.3: after a timeout an ACK counts for one segment at most, as it may jump over
        // what had arrived before it.
        const std::uint32_t most = c.has(kTimeoutRecovery) ? c.mss : bytes;
        if (!c.has(kRecovery)) grow_window(c, q, arrival, std::min(bytes, most), was_in_use);
        if (!release_if_empty(c)) mark_dirty(h);
    }

    bool restart_timer = true;
    if (c.has(kTimeoutRecovery) && c.snd_una >= c.recover) c.clear(kTimeoutRecovery);
    if (c.has(kRecovery)) {
        restart_timer = recovery_ack(h, bytes);
    } else {
        c.dup_acks = 0;
    }
    if (c.snd_una == c.snd_nxt) {
        c.clear(kRexmitTimer);              // RFC 6298 (5.2); the wheel's timer is left to run out
        if (c.has(kFinDue)) mark_dirty(h);  // a FIN that found no mbuf had no timer but this one
    } else if (restart_timer) {
        arm_loss_timer(h);  // (5.3)
    }
    if (c.has(kSendRefused)) wake_writer(h);
}

// True when there is no queue any more.
bool Tcp::release_if_empty(Connection& c) {
    const SendQueue& q = send_queues_[c.send_queue];
    if (q.head != nullptr || q.spare != nullptr) return false;
    send_queues_.give_back(std::exchange(c.send_queue, kNoBlock));
    return true;
}

// Karn's rule (RFC 6298 section 3): no sample from what was sent twice, unless its timestamp tells which of
// the two was acknowledged. Only a sample ends the back-off.
void Tcp::sample_rtt(Connection& c, const Arrival& arrival, const Options& options) {
    if (arrival.resent) {
        if (!c.has(kTimestamps) || !options.has_timestamps || options.ts_echo == 0) return;
        const std::uint32_t ms = now_ms_ + c.ts_offset - options.ts_echo;
        if (ms <= kMaxRto / 1000 && c.rtt.sample(ms * 1000)) c.backoff = 0;
    } else if (arrival.once) {
        if (c.rtt.sample(now_us_ - arrival.sent_at)) c.backoff = 0;
    }
}

}  // namespace millrace::tcp
