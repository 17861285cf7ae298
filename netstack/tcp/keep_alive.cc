// How long to wait for a peer that says nothing: keep-alive (RFC 9293 section 3.8.4), the user timeout (RFC
// 5482), and FIN-WAIT-2, which a peer that never closes would hold for ever.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
// Times of the wheel's TCP timer are microseconds on a circle of 2^32: no further ahead than this.
constexpr std::uint32_t kFurthest = 30 * 60'000;           // milliseconds
constexpr std::uint32_t kLeastUserTimeout = 100'000;       // RFC 5482 section 3.1: L_LIMIT
constexpr std::uint32_t kMostUserTimeout = 2 * 3'600'000;  // what the count of retries can bear

std::uint32_t in_ms(Duration duration) {
    return static_cast<std::uint32_t>(duration / 1ms);
}
}  // namespace

// What the peer's ACK of a byte long acknowledged proves, it proves until the next silence. The time is that
// of the listener which took the connection in, else the configuration's.
void Tcp::start_keep_alive(Handle h) {
    Duration idle = config_.keep_alive;
    if (!h.c.has(kActiveOpen))
        if (const Listener* listener = listening_on(local(h.id()))) idle = listener->keep_alive;
    if (idle == Duration{}) return;
    Extra& x = extra(h);
    x.keep_alive = in_ms(idle);
    x.heard_at = now_ms_;
    wait_silently(h, x.keep_alive);
}

// The timer looks again in `ms` at the latest; what the peer sends meanwhile moves nothing.
void Tcp::wait_silently(Handle h, std::uint32_t ms) {
    ensure_timer(h, now_us_ + std::min(std::max(ms, 1u), kFurthest) * 1000);
}

// Only where nothing of ours is outstanding: else retransmission or the window probes find out by themselves.
void Tcp::keep_alive(Handle h) {
    Connection& c = h.c;
    Extra& x = extras_[h.slot];
    const bool open = c.state == State::kEstablished || c.state == State::kCloseWait;
    if (x.keep_alive == 0 || !open) return;
    const std::uint32_t interval = in_ms(config_.keep_alive_interval);
    const std::uint32_t silent = now_ms_ - x.heard_at;
    if (silent < x.keep_alive) x.keep_alives = 0;
    std::uint32_t due = x.keep_alive + x.keep_alives * interval;
    if (silent >= due && !c.has(kRexmitTimer)) {
        if (x.keep_alives == config_.keep_alive_probes) return give_up(h, counters_.aborts_on_timeout);
        ++x.keep_alives;
        ++counters_.keep_alives;
        c.set(kProbeDue);
        mark_dirty(h);
        due += interval;
    }
    wait_silently(h, due > silent ? due - silent : interval);
}

// The peer is told, in case that it lives after all.
void Tcp::give_up(Handle h, Counter& why) {
    ++why;
    if (send_bare(h, kRst | kAck, h.c.snd_nxt)) ++counters_.out_resets;
    finish(h, CloseReason::kTimedOut);
}

// RFC 5482 section 3.1: USER_TIMEOUT = min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)), in milliseconds; zero
// when neither end has named one. The peer's counts only where the configuration lets it.
std::uint32_t Tcp::user_timeout(Handle h) const {
    const std::uint32_t ours = in_ms(config_.user_timeout);
    const std::uint32_t theirs = h.c.has(kExtra) ? extras_[h.slot].user_timeout : 0;
    if (theirs == 0) return std::min(ours, kMostUserTimeout);
    const std::uint32_t most = std::min(in_ms(config_.user_timeout_most), kMostUserTimeout);
    return std::min(most, std::max({ours, theirs, kLeastUserTimeout}));
}

void Tcp::learn_user_timeout(Handle h, std::uint32_t seconds) {
    if (seconds == 0 || config_.user_timeout_most == Duration{}) return;
    extra(h).user_timeout = std::min(seconds * 1000, kMostUserTimeout);
}

// A retransmission or a window probe has gone unanswered: after so long a time, or, where no user timeout
// says how long, after so many.
bool Tcp::unanswered_too_long(Handle h, std::uint8_t most_retries) {
    Connection& c = h.c;
    const std::uint32_t timeout = user_timeout(h);
    if (timeout == 0) return c.retries >= most_retries;
    Extra& x = extra(h);
    if (c.retries == 0) x.unanswered_since = now_ms_ - rto(c) / 1000;
    return now_ms_ - x.unanswered_since >= timeout;
}

// The window has been closed for longer than the user timeout lets data wait, whether or not the peer answers
// probes: it counts for all that was handed to TCP (RFC 9293 section 3.9.1.1). Who sets none waits as long as
// the peer answers (section 3.8.6.1, MUST-37).
bool Tcp::stalled_too_long(Handle h) {
    const std::uint32_t timeout = user_timeout(h);
    if (timeout == 0) return false;
    Extra& x = extra(h);
    if (!x.stalled || x.stalled_at != h.c.snd_nxt) {
        x.stalled = true;
        x.stalled_at = h.c.snd_nxt;
        x.stalled_since = now_ms_ - rto(h.c) / 1000;
    }
    return now_ms_ - x.stalled_since >= timeout;
}

// We have closed and the peer knows it; its half stays open as long as it uses it.
void Tcp::enter_fin_wait_2(Handle h) {
    h.c.state = State::kFinWait2;
    if (config_.fin_wait_2 == Duration{}) return;
    extra(h).heard_at = now_ms_;
    arm_rexmit(h, std::min(in_ms(config_.fin_wait_2), kFurthest) * 1000);
}

// While our own application holds the window closed the silence is not the peer's.
void Tcp::fin_wait_2_timeout(Handle h) {
    const std::uint32_t most = std::min(in_ms(config_.fin_wait_2), kFurthest);
    const std::uint32_t silent = now_ms_ - extras_[h.slot].heard_at;
    if (h.c.has(kPaused)) return arm_rexmit(h, most * 1000);
    if (silent < most) return arm_rexmit(h, (most - silent) * 1000);
    give_up(h, counters_.fin_wait_2_timeouts);
}

}  // namespace millrace::tcp
