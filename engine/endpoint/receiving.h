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
bool Endpoint<C, Handlers...>::may_read(net::ConnId id) const {
    return config_.read_while_full ? !carrier_.under_pressure() : has_room(id);
}

// Input that finds no room for its answers. After our Close there are none.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::waits_for_room(net::ConnId id, Slot& slot) {
    return slot.phase != Phase::kClosing && !closes_slow_reader(id, slot);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::received(net::ConnId id, Slot& slot, typename C::Bytes& bytes) {
    slot.heard_ms = now_ms_;
    slot.ping_sent = false;
    if (slot.phase == Phase::kEnding) return;  // RFC 6455 section 1.4: what follows a Close is discarded
    if (slot.held != kNoChain || (!may_read(id) && waits_for_room(id, slot))) [[unlikely]]
        return hold(id, slot, bytes.bytes());
    const auto rest = process(id, slot, bytes.bytes());
    if (!rest.empty()) [[unlikely]]
        hold(id, slot, rest);
}

// While a buffer is processed its connection's answers are not refused for send_limit: whether there is room
// was asked before, a buffer calls for a bounded number of them, and carrier_send_limit() has room for them.
// (Where messages call for none, what a handler sends all the same is.) Requests may call for more, so they
// are asked one by one; those that have to wait are returned.
template <net::Carrier C, class... Handlers>
std::span<std::byte> Endpoint<C, Handlers...>::process(net::ConnId id, Slot& slot, std::span<std::byte> in) {
    if (!config_.read_while_full) answering_ = id;
    if (slot.phase == Phase::kOpening)
        in = on_head_bytes(id, slot, in);
    else
        on_frames(id, slot, in), in = {};
    answering_ = net::kNoConn;
    return in;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_frames(net::ConnId id, Slot& slot, std::span<std::byte> in) {
    const std::size_t size = in.size();
    const std::uint64_t messages = counters_.messages_received.value();
    while (slot.phase == Phase::kOpen || slot.phase == Phase::kClosing) {
        if (slot.session.batch_ahead(in) && on_batch(id, slot, in)) continue;
        const ws::Step step = slot.session.next(in, session_shared_);
        switch (step.kind) {
            case ws::StepKind::kData:
                on_data(id, slot, step);
                break;
            case ws::StepKind::kNeedMore:
                if (slot.session.under_way() || slot.watch != Watch::kNothing) [[unlikely]]
                    note_input(id, slot, size, counters_.messages_received.value() != messages);
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

// False when there was none, and next() has to look.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::on_batch(net::ConnId id, Slot& slot, std::span<std::byte>& in) {
    ws::SmallMessages messages;
    const std::size_t count = slot.session.next_batch(in, session_shared_, messages);
    // The application may say close() on the way: then it hears on_close next.
    for (std::size_t i = 0; i < count && slot.phase == Phase::kOpen; ++i) {
        const std::span<std::byte> whole = messages.payload(i);
        deliver(id, slot, messages.opcode(i), Parts(&whole, 1));
    }
    return count != 0;
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

// A copy (named: kept where it arrived it would pin the receive pool, and a shard whose peers do not read
// would in the end hear none of them).
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::hold(net::ConnId id, Slot& slot, std::span<const std::byte> bytes) {
    const bool first = slot.held == kNoChain;
    if (!chains_.append(slot.held, bytes)) {
        ++counters_.memory_refusals;
        if (slot.phase == Phase::kOpening)
            return opening_failed(id, slot, "no memory left for what was sent");
        return fail(id, slot, ws::CloseCode::kTryAgainLater, "no memory left for what was sent");
    }
    if (!first) return;
    ++counters_.holds;
    carrier_.pause(id);
    wait_for_room(id, slot);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::process_held(net::ConnId id, Slot& slot) {
    while (slot.held != kNoChain && may_read(id) && !owes_answer(slot)) {
        ChainId block = chains_.take_front(slot.held);
        std::span<std::byte> rest;
        if (slot.phase != Phase::kEnding) rest = process(id, slot, chains_.front(block));
        if (!rest.empty()) return chains_.put_back(slot.held, block, rest);
        chains_.release(block);
        if (slot.phase == Phase::kFree) return;
    }
    if (slot.held == kNoChain && !owes_answer(slot)) carrier_.resume(id);
}

}  // namespace millrace
