// Time: one timer of the wheel serves whatever of a connection comes first, its ACK or its retransmission; it
// is armed only while one of them waits. The application's timer is another.
//
// Nothing moves the wheel's timer when a deadline moves later or falls away: it fires, finds nothing due, and
// is armed for what is left, if anything. A busy connection so touches the wheel a few times a second and not
// at each segment.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
constexpr std::uint8_t kTcpTimer = 0;
constexpr std::uint8_t kApplicationTimer = 1;
constexpr unsigned kTimersAPoll = 256;
constexpr std::uint8_t kSynRetries = 7;     // 183 seconds; RFC 9293 section 3.8.3 asks for three minutes
constexpr std::uint8_t kSynAckRetries = 5;  // half-open ones are of no worth to us: 63 seconds
// More than half of those allowed: most will never finish, and who does finish is quick (RFC 4987
// section 3.3).
constexpr std::uint8_t kSynAckRetriesInCrowd = 2;  // 7 seconds
constexpr std::uint8_t kProbeRetries = 12;         // unanswered
constexpr std::uint32_t kMostStall = 60'000'000;  // microseconds behind a closed window, when memory is short
}  // namespace

void Tcp::run_timers(Time now) {
    set_now(now);
    deliver_resumed();
    expire_time_wait();
    if (event_room() <= kEventReserve) return;
    const auto budget =
        static_cast<unsigned>(std::min<std::size_t>(kTimersAPoll, event_room() - kEventReserve));
    wheel_.advance(now, budget, [this](const net::Timer& timer) {
        Handle h = handle(ConnId{timer.owner});
        if (timer.kind == kTcpTimer) return timer_fired(h, now_ - timer.deadline);
        h.c.app_timer = net::kNoTimer;
        push_event(h, EventKind::kTimer);
    });
}

Time Tcp::next_timer() const {
    Time next = wheel_.next();
    if (oldest_time_wait_ != kNoBlock) {
        const auto& waiting = slab_[oldest_time_wait_].time_wait;
        const auto since = std::chrono::milliseconds(now_ms_ - waiting.entered_ms);
        next = std::min(next, now_ + std::max<Duration>(config_.time_wait - since, 1ms));
    }
    return ready_.empty() ? next : std::min(next, now_);
}

// `late` is counted from the wheel's deadline, in 64 bits: the clock may have jumped (a machine that slept)
// further than 32 bits of microseconds can tell from a time to come.
void Tcp::timer_fired(Handle h, Duration late) {
    Connection& c = h.c;
    c.timer = net::kNoTimer;
    const auto due = [late, from = c.timer_at](std::uint32_t at) {
        return std::chrono::microseconds(static_cast<std::int32_t>(at - from)) <= late;
    };
    if (c.has(kAckTimer) && due(c.ack_at)) {
        c.clear(kAckTimer);
        c.set(kAckNow);
        ++counters_.delayed_acks;
        mark_dirty(h);
    }
    if (c.has(kRexmitTimer) && due(c.rexmit_at)) {
        c.clear(kRexmitTimer);
        if (c.state == State::kSynSent || c.state == State::kSynReceived) {
            handshake_timeout(h);
        } else if (c.state == State::kFinWait2) {
            fin_wait_2_timeout(h);
        } else if (c.has(kPersistTimer)) {
            persist_timeout(h);
        } else if (c.has(kReorderTimer)) {
            reorder_timeout(h);
        } else if (c.has(kProbeTimer)) {
            probe_tail(h);
        } else {
            retransmission_timeout(h);
        }
        if (c.state == State::kFree) return;
    }
    if (c.has(kAckTimer)) ensure_timer(h, c.ack_at);
    if (c.has(kRexmitTimer)) ensure_timer(h, c.rexmit_at);
    if (c.has(kExtra)) keep_alive(h);
}

// The wheel's timer fires no later than `at`.
void Tcp::ensure_timer(Handle h, std::uint32_t at) {
    Connection& c = h.c;
    const Time deadline = now_ + std::chrono::microseconds(static_cast<std::int32_t>(at - now_us_));
    if (c.timer == net::kNoTimer) {
        c.timer = wheel_.arm(h.slot, kTcpTimer, deadline);
        c.timer_at = at;
    } else if (static_cast<std::int32_t>(at - c.timer_at) < 0) {
        wheel_.move(c.timer, deadline);
        c.timer_at = at;
    }
}

std::uint32_t Tcp::rto(const Connection& c) const {
    if (c.rtt.srtt8 == 0 && c.has(kSynLost))
        return std::min(kRtoAfterLostSyn << std::min<int>(c.backoff, 5), kMaxRto);
    return c.rtt.rto(min_rto_us_, c.backoff);
}

void Tcp::arm_rexmit(Handle h, std::uint32_t after) {
    h.c.clear(kPersistTimer | kReorderTimer | kProbeTimer);
    h.c.set(kRexmitTimer);
    h.c.rexmit_at = now_us_ + after;
    ensure_timer(h, h.c.rexmit_at);
}

// RFC 9293 section 3.8.6.1: the first probe after an RTO, then at growing intervals.
void Tcp::arm_persist(Handle h) {
    if (h.c.has(kRexmitTimer)) return;
    arm_rexmit(h, rto(h.c));
    h.c.set(kPersistTimer);
}

// The window is open, though it may be for less than the rules of silly windows like: that is not waited for
// as long as between two probes.
void Tcp::persist_anew(Handle h) {
    h.c.clear(kRexmitTimer);
    arm_persist(h);
}

void Tcp::arm_ack_timer(Handle h) {
    h.c.set(kAckTimer);
    h.c.ack_at = now_us_ + std::max(delayed_ack_us_, 1000u);
    ensure_timer(h, h.c.ack_at);
}

// RFC 6298 (5.5): the SYN or SYN-ACK again, after twice the time.
void Tcp::handshake_timeout(Handle h) {
    Connection& c = h.c;
    const bool passive = !c.has(kActiveOpen);
    if (!passive && !is_local(local(h.id()).ip)) {
        ++counters_.attempt_fails;
        return finish(h, CloseReason::kUnreachable);
    }
    const bool crowd = half_open_ > most_half_open() / 2;
    const std::uint8_t most = !passive ? kSynRetries : crowd ? kSynAckRetriesInCrowd : kSynAckRetries;
    if (c.retries >= most) {
        ++counters_.attempt_fails;
        if (passive) return release(h);
        return finish(h, CloseReason::kTimedOut);
    }
    ++c.retries;
    ++c.backoff;
    ++counters_.retransmitted_segments;
    c.set(kSynDue);
    arm_rexmit(h, rto(c));
    mark_dirty(h);
}

// Nothing is in flight and something waits. Where the window has room after all (for less than the rules of
// silly windows like, or because the pool was dry), it is sent into; where not, a probe asks for the window:
// an ACK of a byte long acknowledged, which the peer must answer (section 3.10.7.4, first check). Unlike a
// byte of new data it leaves nothing behind that is neither sent nor unsent when the peer refuses it.
void Tcp::persist_timeout(Handle h) {
    Connection& c = h.c;
    c.clear(kPersistTimer);
    mark_dirty(h);
    if (c.send_queue == kNoBlock) return;
    SendQueue& q = send_queues_[c.send_queue];
    if (q.unsent == nullptr || q.lost_bytes > 0) return;
    const SendQueue::Part part = q.next_part(c.snd_nxt, c.mss);
    const Seq edge = c.snd_una + c.snd_wnd;
    if (c.snd_nxt < edge) {
        const std::uint32_t length = std::min<std::uint32_t>(part.length, edge - c.snd_nxt);
        if (length < part.length && tx_.room() > 0 &&
            send_new(h, q, part.from, static_cast<std::uint16_t>(length)))
            timed_send(h);
        return;
    }
    if (unanswered_too_long(h, kProbeRetries)) {
        ++counters_.aborts_on_timeout;
        return finish(h, CloseReason::kTimedOut);
    }
    if (stalled_too_long(h)) return give_up(h, counters_.aborts_on_timeout);
    // RFC 6429 section 4: a peer may keep its window closed as long as it likes, but not keep what others
    // need.
    if (short_of_memory() && now_us_ - c.last_sent > kMostStall) {
        give_up(h, counters_.aborts_on_memory);
        return look_at_pool();  // for the next in line
    }
    ++c.retries;
    if (c.backoff < kMostBackoff) ++c.backoff;
    c.set(kProbeDue);
    arm_persist(h);
}

// What waited for this poll: data held back by a pause or by full events, a closing that nobody could be told
// of, a writer refused for want of mbufs. A few at a time, in turn: those who wait for mbufs may be a hundred
// thousand, and come back until there are some.
void Tcp::deliver_resumed() {
    constexpr std::size_t kReadyAPoll = 64;
    for (std::size_t n = std::min(ready_.size(), kReadyAPoll); n > 0 && event_room() > kEventReserve; --n) {
        Handle h = handle(ConnId{ready_.front()});
        Connection& c = h.c;
        ready_.pop();
        c.clear(kInReadyList);
        if (c.state == State::kFree) continue;
        if (c.state == State::kAborted) {
            if (c.has(kCloseUnsent)) finish(h, CloseReason::kFinished);
            continue;
        }
        if (c.has(kPoolRefused)) wake_writer(h);
        if (c.reassembly != kNoBlock) deliver_held(h);
    }
}

void Tcp::set_timer(ConnId id, Time at) {
    Handle h = handle(id);
    if (h.c.state == State::kFree || h.c.state == State::kTimeWait || h.c.state == State::kAborted) return;
    if (h.c.app_timer == net::kNoTimer) {
        h.c.app_timer = wheel_.arm(h.slot, kApplicationTimer, at);
    } else {
        wheel_.move(h.c.app_timer, at);
    }
}

void Tcp::cancel_timer(ConnId id) {
    Connection& c = handle(id).c;
    if (c.app_timer != net::kNoTimer) wheel_.cancel(std::exchange(c.app_timer, net::kNoTimer));
}

}  // namespace millrace::tcp
