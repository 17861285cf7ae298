#pragma once
// Part of endpoint.h: received bytes become messages.

namespace millrace {

// While a connection's output is full its input waits too, so that a peer who sends and does not read is
// slowed by its own window, and no answer is ever lost for want of room.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::has_room(net::ConnId id) const {
    return carrier_.unsent(id) < config_.send_limit && !carrier_.under_pressure();
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::received(net::ConnId id, Slot& slot, typename C::Bytes& bytes) {
    slot.heard_ms = now_ms_;
    slot.ping_sent = false;
    if (slot.phase == Phase::kEnding) return;  // RFC 6455 section 1.4: what follows a Close is discarded
    if (slot.held != 0 || !has_room(id)) [[unlikely]]
        return hold(id, slot, std::move(bytes));
    process(id, slot, bytes.bytes());
}

// While a buffer is processed its connection's answers are not refused for send_limit: whether there is room
// was asked before, a buffer calls for a bounded number of them, and carrier_send_limit() has room for them.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::process(net::ConnId id, Slot& slot, std::span<std::byte> in) {
    answering_ = id;
    if (slot.phase == Phase::kOpening)
        on_head_bytes(id, slot, in);
    else
        on_frames(id, slot, in);
    answering_ = net::kNoConn;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_frames(net::ConnId id, Slot& slot, std::span<std::byte> in) {
    while (slot.phase == Phase::kOpen || slot.phase == Phase::kClosing) {
        const ws::Step step = slot.session.next(in, session_shared_);
        switch (step.kind) {
            case ws::StepKind::kData:
                on_data(id, slot, step);
                break;
            case ws::StepKind::kNeedMore:
                return;
            case ws::StepKind::kPing:
                ++counters_.pings_received;
                if (slot.phase == Phase::kOpen && !send_control(id, slot, ws::Opcode::kPong, step.payload))
                    return fail(id, slot, ws::CloseCode::kTryAgainLater, "no memory left for a Pong");
                break;
            case ws::StepKind::kPong:
                ++counters_.pongs_received;
                with_handler(slot.handler, [&]<class H>(H& handler) {
                    Socket<H> socket(*this, id);
                    if constexpr (requires { handler.on_pong(socket, std::span<const std::byte>{}); })
                        handler.on_pong(socket, std::span<const std::byte>(step.payload));
                });
                break;
            case ws::StepKind::kClose:
                return on_close_frame(id, slot, step);
            case ws::StepKind::kFail:
                ++counters_.protocol_failures;
                return fail(id, slot, step.code, step.why);
        }
    }
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_data(net::ConnId id, Slot& slot, const ws::Step& step) {
    if (slot.phase == Phase::kClosing) return;  // the application has said close(): it hears on_close next
    if (step.compressed) [[unlikely]]
        return on_compressed(id, slot, step);
    if (step.first && step.last) [[likely]] {
        const std::span<std::byte> whole = step.payload;
        return deliver(id, slot, step.opcode, Parts(&whole, 1));
    }
    if (!chains_.append(slot.chain, step.payload)) {
        ++counters_.memory_refusals;
        return fail(id, slot, ws::CloseCode::kTryAgainLater, "no memory left for the message");
    }
    if (!step.last) return;
    parts_.clear();
    chains_.parts(slot.chain, parts_);
    deliver(id, slot, step.opcode, parts_);
    chains_.release(slot.chain);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::deliver(net::ConnId id, Slot& slot, ws::Opcode opcode, Parts parts) {
    const Message message(opcode, parts);
    ++counters_.messages_received;
    counters_.bytes_received.add(message.size());
    slot.message_ms = now_ms_;
    with_handler(slot.handler, [&]<class H>(H& handler) {
        Socket<H> socket(*this, id);
        if constexpr (requires { handler.on_message(socket, message); }) handler.on_message(socket, message);
    });
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::hold(net::ConnId id, Slot& slot, typename C::Bytes bytes) {
    std::uint32_t entry = free_held_;
    if (entry != 0) {
        free_held_ = held_[entry - 1].next;
    } else {
        // Grows only while output is full; at most one burst's buffers for each paused connection.
        held_.emplace_back();
        entry = static_cast<std::uint32_t>(held_.size());
    }
    held_[entry - 1].bytes = std::move(bytes);
    held_[entry - 1].next = 0;
    if (slot.held == 0) {
        ++counters_.holds;
        carrier_.pause(id);
        slot.held = entry;
        wait_for_room(id, slot);
        return;
    }
    std::uint32_t last = slot.held;
    while (held_[last - 1].next != 0)
        last = held_[last - 1].next;
    held_[last - 1].next = entry;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::process_held(net::ConnId id, Slot& slot) {
    while (slot.held != 0 && has_room(id)) {
        const std::uint32_t entry = slot.held;
        const typename C::Bytes bytes = std::move(held_[entry - 1].bytes);
        slot.held = held_[entry - 1].next;
        held_[entry - 1].next = free_held_;
        free_held_ = entry;
        if (slot.phase != Phase::kEnding) process(id, slot, bytes.bytes());
        if (slot.phase == Phase::kFree) return;
    }
    if (slot.held == 0) carrier_.resume(id);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::drop_held(Slot& slot) {
    while (slot.held != 0) {
        const std::uint32_t entry = slot.held;
        held_[entry - 1].bytes = typename C::Bytes{};
        slot.held = held_[entry - 1].next;
        held_[entry - 1].next = free_held_;
        free_held_ = entry;
    }
}

}  // namespace millrace
