#pragma once
// Part of endpoint.h: the closing handshake (RFC 6455 section 7), failures, timeouts, the end.

namespace millrace {

// False when the peer could not be told.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::close(net::ConnId id, ws::CloseCode code, std::string_view reason) {
    Slot& slot = this->slot(id);
    if (slot.phase != Phase::kOpen) return true;
    const bool told = send_close_frame(id, slot, code, reason);
    slot.phase = Phase::kClosing;
    slot.progress = static_cast<std::uint32_t>(carrier_.unsent(id));
    carrier_.set_timer(id, now_ + config_.close_timeout);
    return told;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::abort(net::ConnId id) {
    Slot& slot = this->slot(id);
    if (slot.phase == Phase::kFree) return;
    free_slot(slot);
    carrier_.abort(id);
}

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::send_close_frame(net::ConnId id, Slot& slot, ws::CloseCode code,
                                                std::string_view reason) {
    if (slot.session.close_was_sent()) return true;
    constexpr std::size_t kMostReason = 123;  // section 5.5: a control frame's payload is at most 125 bytes
    std::array<std::byte, 125> payload;
    std::size_t size = 0;
    if (code != ws::CloseCode::kNoStatus) {
        const auto number = static_cast<std::uint16_t>(code);
        payload[0] = static_cast<std::byte>(number >> 8);
        payload[1] = static_cast<std::byte>(number & 0xff);
        const std::size_t length = std::min(reason.size(), kMostReason);
        if (length != 0) std::memcpy(payload.data() + 2, reason.data(), length);
        size = 2 + length;
    }
    // Without memory even for this the peer sees the TCP connection end, which is a 1006 to it.
    slot.session.close_sent();
    return send_control(id, slot, ws::Opcode::kClose, std::span(payload).first(size));
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_close_frame(net::ConnId id, Slot& slot, const ws::Step& step) {
    ++counters_.closes_received;
    send_close_frame(id, slot, step.code, {});  // section 5.5.1: the echo carries the code received
    const std::string_view reason(reinterpret_cast<const char*>(step.payload.data()), step.payload.size());
    tell_app(id, slot, step.code, reason);
    if (slot.phase == Phase::kFree) return;
    // Section 7.1.1: the server closes TCP first, so that TIME-WAIT is on its side; the client waits for it.
    if (slot.role == ws::Role::kServer) end_tcp(id, slot);
    await_end(id, slot);
}

// Section 7.1.7: Close with the code where that can still be said, then the end of TCP.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::fail(net::ConnId id, Slot& slot, ws::CloseCode code, std::string_view why) {
    send_close_frame(id, slot, code, why);
    tell_app(id, slot, code, why);
    if (slot.phase == Phase::kFree) return;
    end_tcp(id, slot);
    await_end(id, slot);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::end_tcp(net::ConnId id, Slot& slot) {
    if (slot.fin_sent) return;
    slot.fin_sent = true;
    carrier_.close(id);
}

// Input is discarded from here on; the timer bounds how long a peer may keep the connection.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::await_end(net::ConnId id, Slot& slot) {
    const bool paused = slot.held != kNoChain || owes_answer(slot);
    slot.phase = Phase::kEnding;
    slot.progress = static_cast<std::uint32_t>(carrier_.unsent(id));
    carrier_.set_timer(id, now_ + config_.close_timeout);
    chains_.release(slot.chain);
    compression_.release(slot.deflate);
    chains_.release(slot.held);
    if (paused) carrier_.resume(id);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_peer_closed(net::ConnId id, Slot& slot, net::CloseReason reason) {
    if (slot.phase == Phase::kOpen || slot.phase == Phase::kClosing) {
        ++counters_.lost;
        tell_app(id, slot, ws::CloseCode::kAbnormal,
                 reason == net::CloseReason::kTruncated
                     ? "the peer ended TCP without a Close frame, and TLS without close_notify"
                     : "the peer ended TCP without a Close frame");
        if (slot.phase == Phase::kFree) return;
    } else if (slot.phase == Phase::kOpening && slot.role == ws::Role::kClient) {
        return opening_failed(id, slot, "the server ended the connection before its response");
    }
    end_tcp(id, slot);
    await_end(id, slot);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_closed(net::ConnId id, Slot& slot, net::CloseReason reason) {
    if (slot.phase == Phase::kOpen || slot.phase == Phase::kClosing) {
        ++counters_.lost;
        tell_app(id, slot, ws::CloseCode::kAbnormal, reason_text(id, reason));
    }
    const Phase was = slot.phase;
    const bool client = slot.role == ws::Role::kClient;
    const std::uint8_t handler = slot.handler;
    if (was == Phase::kFree) return;  // the application aborted in on_close
    free_slot(slot);
    if (was != Phase::kConnecting && was != Phase::kOpening) return;
    ++counters_.handshake_failed;
    if (client)
        tell_failure(id, handler, {.why = reason_text(id, reason), .connected = was == Phase::kOpening});
}

// A carrier with TLS knows more than the reason says.
template <net::Carrier C, class... Handlers>
std::string_view Endpoint<C, Handlers...>::reason_text(net::ConnId id, net::CloseReason reason) const {
    if constexpr (requires { carrier_.why(id); })
        if (const std::string_view why = carrier_.why(id); !why.empty()) return why;
    return net::to_string(reason);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_timer(net::ConnId id, Slot& slot) {
    switch (slot.phase) {
        case Phase::kFree:
            return;
        case Phase::kOpen:
            return look(id, slot);
        case Phase::kConnecting:
            ++counters_.timeouts;
            return opening_failed(id, slot, "timed out connecting");
        case Phase::kOpening:
            return opening_timed_out(id, slot);
        case Phase::kClosing:  // before it has read our Close it cannot answer it
            if (goes_on_reading(id, slot)) return carrier_.set_timer(id, now_ + config_.close_timeout);
            ++counters_.timeouts;
            tell_app(id, slot, ws::CloseCode::kAbnormal, "the peer did not answer the Close frame");
            return abort(id);
        case Phase::kEnding:
            if (goes_on_reading(id, slot)) return carrier_.set_timer(id, now_ + config_.close_timeout);
            ++counters_.timeouts;
            return abort(id);
    }
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::opening_timed_out(net::ConnId id, Slot& slot) {
    const bool server = slot.role == ws::Role::kServer;
    const bool half = slot.chain != kNoChain && !owes_answer(slot) && !(server && slot.http.proxy_due);
    if (server && !half && goes_on_reading(id, slot))
        return carrier_.set_timer(id, now_ + config_.handshake_timeout);
    ++counters_.timeouts;
    if (!server) return opening_failed(id, slot, "timed out awaiting the response");
    // RFC 9110 section 15.5.9 for half a request; silence is ended in silence.
    if (half) return refuse(id, slot, 408, "the request took too long");
    if (carrier_.unsent(id) != 0) return opening_failed(id, slot, "the peer does not read the answer");
    end_tcp(id, slot);
    await_end(id, slot);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::tell_app(net::ConnId id, Slot& slot, ws::CloseCode code,
                                        std::string_view reason) {
    if (slot.app_told) return;
    slot.app_told = true;
    ++counters_.ended;
    slot.phase = Phase::kEnding;  // nothing can be sent from on_close
    with_handler(slot.handler, [&]<class H>(H& handler) {
        Socket<H> socket(*this, id);
        if constexpr (requires { handler.on_close(socket, code, reason); })
            handler.on_close(socket, code, reason);
    });
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::free_slot(Slot& slot) {
    if (slot.has_session && !slot.app_told) ++counters_.ended;
    if (slot.has_session) slot.session.release(session_shared_);
    compression_.release(slot.deflate);
    chains_.release(slot.chain);
    chains_.release(slot.held);
    slot.phase = Phase::kFree;
    slot.waiting = false;
    --slots_in_use_;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::drain(ws::CloseCode code, Time now) {
    now_ = now;
    carrier_.stop_listening();
    draining_ = true;
    drain_code_ = code;
    drain_cursor_ = 0;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::drain_some() {
    constexpr std::size_t kAtOnce = 256;
    const std::size_t end = std::min(drain_cursor_ + kAtOnce, highest_slot_);
    for (; drain_cursor_ < end; ++drain_cursor_) {
        const auto id = static_cast<net::ConnId>(drain_cursor_);
        Slot& slot = this->slot(id);
        if (slot.phase == Phase::kOpen)
            close(id, drain_code_, "going away");
        else if (slot.phase == Phase::kConnecting ||
                 (slot.phase == Phase::kOpening && slot.role == ws::Role::kClient))
            abort(id);
        else if (slot.phase == Phase::kOpening) {  // an answer under way is sent to its end
            end_tcp(id, slot);
            await_end(id, slot);
        }
    }
}

}  // namespace millrace
