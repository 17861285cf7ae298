#pragma once
// Part of endpoint.h: peers that do not go on with what they have begun, or do not read what waits for them.
//
// A watch begins when a buffer ends within a frame or a message, or when something waits for room; the
// connection's timer then looks, each progress_timeout, whether 1 KiB has come or gone meanwhile. A
// connection with nothing under way has no watch and no timer for it, and a message that comes whole costs
// neither.

namespace millrace {

inline constexpr std::uint32_t kLeastProgress = 1024;  // bytes in each progress_timeout
inline constexpr std::uint8_t kLookTicks = 16;         // one progress_timeout, in the ticks of Slot::looked

template <net::Carrier C, class... Handlers>
std::uint8_t Endpoint<C, Handlers...>::look_ticks() const {
    return static_cast<std::uint8_t>(now_.time_since_epoch() * kLookTicks / config_.progress_timeout);
}

// At most kLookTicks.
template <net::Carrier C, class... Handlers>
std::uint8_t Endpoint<C, Handlers...>::ticks_since_look(const Slot& slot) const {
    return std::min(static_cast<std::uint8_t>(look_ticks() - slot.looked), kLookTicks);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::watch(net::ConnId id, Slot& slot, Watch what) {
    if (config_.progress_timeout == Duration{}) return;
    slot.watch = what;
    if (what == Watch::kNothing) return;  // the timer finds nothing to look at
    slot.looked = look_ticks();
    slot.progress = what == Watch::kReading ? static_cast<std::uint32_t>(carrier_.unsent(id)) : 0;
    if (slot.look_due) return;
    slot.look_due = true;
    carrier_.set_timer(id, now_ + config_.progress_timeout);
}

// The timer of an open connection has come.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::look(net::ConnId id, Slot& slot) {
    if (!goes_on(id, slot)) return;
    slot.look_due = slot.watch != Watch::kNothing;
    if (!slot.look_due) return;
    const Duration left = config_.progress_timeout * (kLookTicks - ticks_since_look(slot)) / kLookTicks;
    carrier_.set_timer(id, now_ + left);
}

// A buffer has been processed to its end. `ended`: a message did in it, so that what is under way is another.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::note_input(net::ConnId id, Slot& slot, std::size_t bytes, bool ended) {
    if (slot.phase != Phase::kOpen || slot.watch == Watch::kReading) return;
    if (!slot.session.under_way())
        slot.watch = Watch::kNothing;
    else if (ended || slot.watch == Watch::kNothing)
        watch(id, slot, Watch::kMessage);
    else
        slot.progress += static_cast<std::uint32_t>(bytes);
}

// The timer's look at an open connection; false when it is over. Trickling is no breach of RFC 6455's rules,
// so the code is not 1002 but 1008, which section 7.4.1 has for a policy of the endpoint's own.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::goes_on(net::ConnId id, Slot& slot) {
    if (slot.watch == Watch::kNothing || ticks_since_look(slot) < kLookTicks) return true;
    slot.looked = look_ticks();
    if (slot.watch == Watch::kReading) {
        if (goes_on_reading(id, slot) || slot.progress == 0) return true;
        ++counters_.slow_readers;
        ++counters_.timeouts;
        ++counters_.lost;
        tell_app(id, slot, ws::CloseCode::kAbnormal, "the peer does not read");
        abort(id);
        return false;
    }
    if (std::exchange(slot.progress, 0) >= kLeastProgress) return true;
    ++counters_.slow_messages;
    ++counters_.timeouts;
    fail(id, slot, ws::CloseCode::kPolicyViolation, "a message that does not go on");
    return false;
}

// Whether the peer has read something worth mentioning of what waits for it since this was last asked: a long
// answer over a slow line takes its time, and one that nobody reads is not kept.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::goes_on_reading(net::ConnId id, Slot& slot) {
    const auto unsent = static_cast<std::uint32_t>(carrier_.unsent(id));
    const bool reads =
        unsent != 0 && (slot.progress == UINT32_MAX || unsent + kLeastProgress <= slot.progress);
    slot.progress = unsent;
    return reads;
}

// Where that is the policy, whoever has send_limit unread when more is to be sent to it is closed: with 1013
// (RFC 6455 section 7.4.1, IANA's registry: try again later), or, without room for a Close, at the next turn
// of the loop with none. It may be the application that calls, so it is told then and not now.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::closes_slow_reader(net::ConnId id, Slot& slot) {
    if (!config_.close_slow_readers || slot.phase != Phase::kOpen || carrier_.unsent(id) < config_.send_limit)
        return false;
    ++counters_.slow_readers;
    if (!close(id, ws::CloseCode::kTryAgainLater, "too much is unread")) carrier_.set_timer(id, now_);
    return true;
}

}  // namespace millrace
