#pragma once
// Part of endpoint.h: peers that are silent. A Ping after a time, the end when nothing comes back, and the
// end of connections that carry no message.
//
// No connection has a timer for it: a sweep goes over the slots, a few a poll, and looks at each of them some
// times in the shortest of the periods. It costs an idle connection nothing but the look, and millions that
// were opened together are not pinged together.

namespace millrace {

template <net::Carrier C, class... Handlers>
Duration Endpoint<C, Handlers...>::sweep_period() const {
    constexpr int kLooks = 16;  // in a period: so much of it may a Ping be late
    Duration sooner = Duration::max();
    for (const Duration period : {config_.ping_interval, config_.idle_timeout})
        if (period != Duration{}) sooner = std::min(sooner, period);
    return sooner == Duration::max() ? Duration{} : std::max<Duration>(sooner / kLooks, 1ms);
}

// One step, when it is due. A shard that was late makes up for it with a step each poll, but not for more
// than one round.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::sweep() {
    constexpr std::size_t kStep = 64;
    if (sweep_period_ == Duration{} || now_ < next_sweep_) return;
    const std::size_t end = std::min(sweep_cursor_ + kStep, highest_slot_);
    for (; sweep_cursor_ < end; ++sweep_cursor_)
        if (Slot& slot = slots_[sweep_cursor_]; slot.phase == Phase::kOpen)
            keep_alive(static_cast<net::ConnId>(sweep_cursor_), slot);
    if (sweep_cursor_ >= highest_slot_) sweep_cursor_ = 0;
    const auto steps = static_cast<Duration::rep>((highest_slot_ + kStep - 1) / kStep);
    next_sweep_ =
        std::max(next_sweep_, now_ - sweep_period_) + sweep_period_ / std::max<Duration::rep>(steps, 1);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::keep_alive(net::ConnId id, Slot& slot) {
    const auto silent = [&](std::uint32_t since) {
        return Duration(1ms) * static_cast<std::uint32_t>(now_ms_ - since);
    };
    if (config_.idle_timeout != Duration{} && silent(slot.message_ms) >= config_.idle_timeout) {
        ++counters_.timeouts;
        close(id, ws::CloseCode::kGoingAway, "idle");
        return;
    }
    if (config_.ping_interval == Duration{} || silent(slot.heard_ms) < config_.ping_interval) return;
    if (!slot.ping_sent) {
        if (carrier_.under_pressure()) return;  // what memory there is, is for answers
        slot.ping_sent = send_control(id, slot, ws::Opcode::kPing, {});
        if (!slot.ping_sent) return;
        ++counters_.pings_sent;
        // However late it is: the answer has a period from now.
        slot.heard_ms = now_ms_ - static_cast<std::uint32_t>(config_.ping_interval / 1ms);
    } else if (silent(slot.heard_ms) >= 2 * config_.ping_interval) {
        ++counters_.timeouts;
        ++counters_.lost;
        tell_app(id, slot, ws::CloseCode::kAbnormal, "no answer to a Ping");
        abort(id);
    }
}

}  // namespace millrace
