#pragma once
// Part of endpoint.h: messages become frames in the outgoing segment.

namespace millrace {

// RFC 6455 section 5.3: a client masks every frame with a fresh unpredictable key, a server none.
template <net::Carrier C, class... Handlers>
std::optional<ws::MaskKey> Endpoint<C, Handlers...>::mask_key(const Slot& slot) {
    if (slot.role == ws::Role::kServer) return std::nullopt;
    return keys_.next();
}

template <net::Carrier C, class... Handlers>
SendStatus Endpoint<C, Handlers...>::send(net::ConnId id, ws::Opcode opcode, Parts parts) {
    Slot& slot = this->slot(id);
    if (slot.phase != Phase::kOpen) return SendStatus::kClosed;
    std::size_t payload = 0;
    for (const auto part : parts)
        payload += part.size();
    if (!may_send(id, slot) || !write_message(id, slot, opcode, parts, payload)) [[unlikely]]
        return refuse_send(id, slot);
    if (ws::is_control(opcode)) return SendStatus::kSent;
    slot.message_ms = now_ms_;
    ++counters_.messages_sent;
    counters_.bytes_sent.add(payload);
    return SendStatus::kSent;
}

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::write_message(net::ConnId id, Slot& slot, ws::Opcode opcode, Parts parts,
                                             std::size_t payload) {
    if (slot.deflate.agreed() && !ws::is_control(opcode) &&
        write_compressed(id, slot, opcode, parts, payload)) [[unlikely]]
        return true;
    return write_frame(carrier_, id, opcode, parts, payload, mask_key(slot));
}

template <net::Carrier C, class... Handlers>
SendStatus Endpoint<C, Handlers...>::send_shared(net::ConnId id, const Shared& frames,
                                                 std::uint32_t messages) {
    Slot& slot = this->slot(id);
    if (slot.phase != Phase::kOpen) return SendStatus::kClosed;
    if (!may_send(id, slot) || !carrier_.append(id, frames)) return refuse_send(id, slot);
    return sent_encoded(slot, messages);
}

template <net::Carrier C, class... Handlers>
SendStatus Endpoint<C, Handlers...>::send_encoded(net::ConnId id, std::span<const std::byte> frames,
                                                  std::uint32_t messages) {
    Slot& slot = this->slot(id);
    if (slot.phase != Phase::kOpen) return SendStatus::kClosed;
    if (!may_send(id, slot) || !write_bytes(carrier_, id, frames)) return refuse_send(id, slot);
    return sent_encoded(slot, messages);
}

template <net::Carrier C, class... Handlers>
SendStatus Endpoint<C, Handlers...>::sent_encoded(Slot& slot, std::uint32_t messages) {
    slot.message_ms = now_ms_;
    counters_.messages_sent.add(messages);
    return SendStatus::kSent;
}

template <net::Carrier C, class... Handlers>
typename C::Shared Endpoint<C, Handlers...>::encode(ws::Opcode opcode, std::span<const std::byte> payload) {
    std::vector<std::byte> frame(ws::header_size(payload.size(), false) + payload.size());
    ws::encode_frame(frame.data(), opcode, payload, std::nullopt);
    return carrier_.make_shared(std::span<const std::byte>(frame));
}

// Control frames do not count against send_limit: the carrier's own limit lies above it (see shard.h), and
// input is held back before a peer can make us answer beyond that.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::send_control(net::ConnId id, const Slot& slot, ws::Opcode opcode,
                                            std::span<std::byte> payload) {
    return write_frame(carrier_, id, opcode, Parts(&payload, 1), payload.size(), mask_key(slot));
}

// Once it has said kFull, not before on_drain: what waits for a peer grows less meanwhile if it reads.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::may_send(net::ConnId id, const Slot& slot) const {
    return id == answering_ || (!slot.drain_owed && slot.held == kNoChain && has_room(id));
}

template <net::Carrier C, class... Handlers>
SendStatus Endpoint<C, Handlers...>::refuse_send(net::ConnId id, Slot& slot) {
    ++counters_.sends_refused;
    if (closes_slow_reader(id, slot)) return SendStatus::kClosed;
    slot.drain_owed = true;
    wait_for_room(id, slot);
    return SendStatus::kFull;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::wait_for_room(net::ConnId id, Slot& slot) {
    if (slot.waiting) return;
    slot.waiting = true;
    if (slot.phase == Phase::kOpen) watch(id, slot, Watch::kReading);
    waiting_.push_back(id);
}

// A few waiting connections a poll, in turn, so that many of them do not delay the others.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::serve_waiting() {
    constexpr std::size_t kAtOnce = 32;
    if (carrier_.under_pressure()) return;
    for (std::size_t n = 0; n < kAtOnce && !waiting_.empty(); ++n) {
        if (waiting_cursor_ >= waiting_.size()) waiting_cursor_ = 0;
        const net::ConnId id = waiting_[waiting_cursor_];
        Slot& slot = this->slot(id);
        if (slot.phase != Phase::kFree && slot.waiting && !serve_waiting_one(id, slot)) {
            ++waiting_cursor_;
            continue;
        }
        waiting_[waiting_cursor_] = waiting_.back();
        waiting_.pop_back();
        if (n >= waiting_.size()) break;
    }
}

// True when the connection waits no more.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::serve_waiting_one(net::ConnId id, Slot& slot) {
    const bool room = carrier_.unsent(id) <= config_.send_limit / 2;
    if (!room && !config_.read_while_full) return false;
    if (owes_answer(slot)) {
        answer_kept(id, slot);
        if (owes_answer(slot)) return false;
        if (slot.phase == Phase::kOpening && slot.held == kNoChain) carrier_.resume(id);
    }
    if (slot.held != kNoChain) process_held(id, slot);
    if (room && slot.phase == Phase::kOpen && slot.drain_owed && slot.held == kNoChain) {
        slot.drain_owed = false;
        with_handler(slot.handler, [&]<class H>(H& handler) {
            Socket<H> socket(*this, id);
            if constexpr (requires { handler.on_drain(socket); }) handler.on_drain(socket);
        });
    }
    if (slot.phase == Phase::kFree) return true;
    slot.waiting = slot.held != kNoChain || slot.drain_owed || owes_answer(slot);
    if (slot.phase == Phase::kOpen)
        watch(id, slot,
              slot.waiting               ? Watch::kReading
              : slot.session.under_way() ? Watch::kMessage
                                         : Watch::kNothing);
    return !slot.waiting;
}

}  // namespace millrace
