// TIME-WAIT (RFC 9293 section 3.6.1): the slot stays in the table for 2 MSL, with no buffer and no timer. As
// all wait equally long, a list in the order of their coming does for a timer.

#include "netstack/tcp/isn.h"
#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

void Tcp::enter_time_wait(Handle h) {
    Connection& c = h.c;
    release_buffers(c);
    c.state = State::kTimeWait;
    c.clear(~(kInDirtyList | kInReadyList | kTimestamps | kAckNow | kIpv6));
    ++time_wait_count_;
    ++counters_.time_wait;
    append_time_wait(h);
    push_event(h, EventKind::kClosed, CloseReason::kFinished);
}

void Tcp::append_time_wait(Handle h) {
    h.c.time_wait = {.newer = kNoBlock, .older = newest_time_wait_, .entered_ms = now_ms_};
    (newest_time_wait_ == kNoBlock ? oldest_time_wait_ : slab_[newest_time_wait_].time_wait.newer) = h.slot;
    newest_time_wait_ = h.slot;
    ++time_waits_this_poll_;
}

void Tcp::unlink_time_wait(Handle h) {
    const auto [newer, older, entered] = h.c.time_wait;
    (older == kNoBlock ? oldest_time_wait_ : slab_[older].time_wait.newer) = newer;
    (newer == kNoBlock ? newest_time_wait_ : slab_[newer].time_wait.older) = older;
}

void Tcp::leave_time_wait(Handle h) {
    unlink_time_wait(h);
    --time_wait_count_;
    release(h);
}

void Tcp::expire_time_wait() {
    const auto wait = static_cast<std::uint32_t>(config_.time_wait / 1ms);
    // A hundred a poll: far more than can enter in one.
    for (int i = 0; i < 100 && oldest_time_wait_ != kNoBlock; ++i) {
        if (now_ms_ - slab_[oldest_time_wait_].time_wait.entered_ms < wait) return;
        leave_time_wait(handle(ConnId{oldest_time_wait_}));
    }
}

// A SYN may open the next incarnation when its timestamp, or without one its sequence number, proves it
// younger than all that the old one sent (RFC 6191 section 2, RFC 9293 section 3.6.1).
bool Tcp::time_wait_may_be_reused(const Connection& c, const Segment& segment) const {
    if (!segment.has(kSyn) || segment.has(kAck) || segment.has(kRst)) return false;
    if (c.has(kTimestamps) && segment.options.has_timestamps) {
        const auto younger = static_cast<std::int32_t>(segment.options.ts_value - c.ts_recent);
        if (younger != 0) return younger > 0;
    }
    return segment.seq > c.rcv_nxt;
}

// For a connect() of ours to the same tuple: the peer tells the new incarnation by its later timestamp, which
// takes a tick of any clock that it may keep of them (RFC 7323 section 5.4, RFC 6191 section 4).
bool Tcp::time_wait_may_be_reopened(const Connection& c) const {
    constexpr std::uint32_t kOneSecond = 1000;
    return c.state == State::kTimeWait && c.has(kTimestamps) &&
           now_ms_ - c.time_wait.entered_ms >= kOneSecond;
}

void Tcp::time_wait_input(Handle h, Segment& segment) {
    Connection& c = h.c;
    const SocketAddress remote = peer(h.id());
    const SocketAddress here = local(h.id());
    if (time_wait_may_be_reused(c, segment) && listening_on(here)) {
        // The new ISN lies above all that the old incarnation used.
        const Seq above = c.snd_nxt + 1;
        const Seq clocked = initial_sequence(config_.secret, here, remote, now_);
        ++counters_.time_wait_recycled;
        leave_time_wait(h);
        return listen_input(segment, remote, here, max(above, clocked));
    }
    if (segment.has(kRst)) {
        if (segment.seq == c.rcv_nxt) leave_time_wait(h);
        return;
    }
    // The FIN again, where it lay: our ACK was lost. It is acknowledged, and the wait begins anew; once a
    // millisecond, so that nobody makes the slots that entered in this poll seem more than they are.
    if (segment.has(kFin) && segment.end() == c.rcv_nxt) {
        if (c.time_wait.entered_ms != now_ms_) {
            unlink_time_wait(h);
            append_time_wait(h);
        }
        send_bare(h, kAck, c.snd_nxt);
        return;
    }
    if (segment.has(kSyn) || segment.seg_len() > 0 || segment.seq != c.rcv_nxt) challenge(h);
}

}  // namespace millrace::tcp
