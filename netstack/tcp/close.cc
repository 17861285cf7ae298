// How connections end by our own will (RFC 9293 sections 3.6, 3.10.4, 3.10.5).

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

// CLOSE: no more is appended; the FIN follows what is queued. The peer's half stays open until it ends it.
void Tcp::close(ConnId id) {
    Handle h = handle(id);
    Connection& c = h.c;
    switch (c.state) {
        case State::kSynSent:  // nobody has heard of us: over, and the event comes with the next poll
            withdraw(h);
            c.set(kCloseUnsent);
            return mark_ready(h);
        case State::kEstablished:
            c.state = State::kFinWait1;
            break;
        case State::kCloseWait:
            c.state = State::kLastAck;
            break;
        case State::kSynReceived:  // simultaneous open: FIN-WAIT-1 follows the handshake
            break;
        default:
            return;
    }
    c.set(kFinQueued | kFinDue);
    mark_dirty(h);
}

// ABORT: with RST from the states in which the peer counts on us. It leaves with the next flush, and the slot
// is kept that long.
void Tcp::abort(ConnId id) {
    Handle h = handle(id);
    switch (h.c.state) {
        case State::kFree:
        case State::kAborted:
            return;
        case State::kTimeWait:  // the engine knows this connection to be over; the slot is TCP's own now
            return;
        case State::kSynSent:
        case State::kClosing:
        case State::kLastAck:
            return release(h);
        case State::kSynReceived:
            if (!h.c.has(kActiveOpen)) return;  // a half-open one is TCP's own still
            [[fallthrough]];
        default:
            withdraw(h);
            return mark_dirty(h);
    }
}

// Out of the table and of everything it held, to wait in its slot for what is still owed.
void Tcp::withdraw(Handle h) {
    release_buffers(h.c);
    table_.remove(hash_of(peer(h.id()), local(h.id())), h.slot);
    h.c.state = State::kAborted;
}

// Our FIN is acknowledged. False when that ends the segment's processing.
bool Tcp::fin_acked(Handle h) {
    switch (h.c.state) {
        case State::kFinWait1:
            enter_fin_wait_2(h);
            return true;
        case State::kClosing:
            enter_time_wait(h);
            return false;
        case State::kLastAck:
            finish(h, CloseReason::kFinished);
            return false;
        default:
            return true;
    }
}

// ICMP is no proof: it ends only what has not begun, and only when it quotes our SYN (RFC 5927 section 4.1,
// RFC 5461 section 4); an established connection has its timers.
void Tcp::unreachable(SocketAddress local, SocketAddress remote, std::uint64_t quoted, Time now) {
    set_now(now);
    ++counters_.unreachables;
    const std::uint32_t slot = find(hash_of(remote, local), remote, local);
    if (slot == kNoBlock || event_room() < kMostPerSegment) return;
    Handle h = handle(ConnId{slot});
    if (h.c.state != State::kSynSent) return;
    if (quoted != kNoQuote && quoted != h.c.snd_una.value) {
        ++counters_.icmps_out_of_window;
        return;
    }
    ++counters_.attempt_fails;
    finish(h, CloseReason::kUnreachable);
}

}  // namespace millrace::tcp
