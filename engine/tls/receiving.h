#pragma once
// Part of tls_carrier.h: records become plaintext.

namespace millrace::tls {

// Each buffer's plaintext is at most two events: of the record that began in earlier bytes, in a buffer of
// the pool; of those that lie in this one whole, in place.
template <net::Carrier C>
void TlsCarrier<C>::receive(net::ConnId id, Connection& c, typename C::Bytes& bytes) {
    if (staged_for_ == id) seal();  // what OpenSSL may have to answer goes behind it
    if (c.state != State::kOpen || c.peer_closed) return;
    const std::span<std::byte> in = bytes.bytes();
    if (c.held_back) [[unlikely]]
        return hold_back(id, c, in);
    working_on_ = id;
    wire_.in = in;
    if (!c.records.between_records()) {
        const bool may_end = c.records.may_end_within(in.size());
        if (may_end && plaintexts_.used_up()) [[unlikely]]
            return hold_back(id, c, in);
        if (!(may_end ? receive_into_pool(id, c) : swallow(id, c))) return;
        c.records.advance(in.first(in.size() - wire_.in.size()));
    }
    receive_in_place(id, c, bytes);
}

// What OpenSSL answered to read(). False when the connection is over.
template <net::Carrier C>
bool TlsCarrier<C>::took(net::ConnId id, Connection& c, Outcome outcome) {
    switch (outcome) {
        case Outcome::kDone:
        case Outcome::kMore:
            return true;
        case Outcome::kCloseNotify:
            c.peer_closed = true;
            emit(id, net::EventKind::kPeerClosed);
            return false;
        case Outcome::kNoMemory:
            end(id, c, net::CloseReason::kNoMemory, "no memory left for what TLS has to answer");
            return false;
        case Outcome::kFailed:
            fail(id, c, tls::failure(c.ssl));
            return false;
    }
    return false;
}

// Bytes that do not end a record: OpenSSL keeps them until the rest has come.
template <net::Carrier C>
bool TlsCarrier<C>::swallow(net::ConnId id, Connection& c) {
    std::byte none;
    std::size_t n = 0;
    return took(id, c, tls::read(c.ssl, std::span(&none, 1), n));
}

// One record's plaintext, if it is whole by now, as an event of its own.
template <net::Carrier C>
bool TlsCarrier<C>::receive_into_pool(net::ConnId id, Connection& c) {
    const PlaintextPool::Id buffer = plaintexts_.take();
    std::size_t n = 0;
    const Outcome outcome = tls::read(c.ssl, plaintexts_.bytes(buffer), n);
    Bytes plain(plaintexts_, buffer, n);
    if (n != 0) emit(id, net::EventKind::kReceived, net::CloseReason::kNone, std::move(plain));
    return took(id, c, outcome);
}

// A record's plaintext is shorter than the record, and OpenSSL has read all of that before it writes: so the
// plaintexts of records that are all there are written over them, one behind the other.
template <net::Carrier C>
void TlsCarrier<C>::receive_in_place(net::ConnId id, Connection& c, typename C::Bytes& bytes) {
    const std::span<std::byte> in = bytes.bytes();
    c.records.advance(wire_.in);  // before they are written over; OpenSSL takes all of them
    std::size_t written = 0;
    Outcome outcome = Outcome::kDone;
    while (outcome == Outcome::kDone && (!wire_.in.empty() || SSL_pending(c.ssl) != 0)) {
        const std::size_t free = in.size() - wire_.in.size() - written + whole_record(wire_.in);
        std::size_t n = 0;
        outcome = tls::read(c.ssl, in.subspan(written, std::max<std::size_t>(free, 1)), n);
        written += n;
    }
    if (written != 0)
        emit(id, net::EventKind::kReceived, net::CloseReason::kNone,
             Bytes(std::move(bytes), in.first(written)));
    took(id, c, outcome);
}

// What came with the handshake's last bytes, or was held back, and lies where it was collected: as many
// records as fit into each buffer. False when no buffer is left for what the wire still has.
template <net::Carrier C>
bool TlsCarrier<C>::receive_collected(net::ConnId id, Connection& c) {
    const auto due = [&] {
        return c.state == State::kOpen && !c.peer_closed && (!wire_.in.empty() || SSL_pending(c.ssl) != 0);
    };
    working_on_ = id;
    const std::span<const std::byte> all = wire_.in;
    while (due() && !plaintexts_.used_up()) {
        const PlaintextPool::Id buffer = plaintexts_.take();
        std::size_t filled = 0;
        Outcome outcome = Outcome::kDone;
        while (outcome == Outcome::kDone && filled < kMostPlaintext && due()) {
            std::size_t n = 0;
            outcome = tls::read(c.ssl, plaintexts_.bytes(buffer).subspan(filled), n);
            filled += n;
        }
        Bytes plain(plaintexts_, buffer, filled);
        if (filled != 0) emit(id, net::EventKind::kReceived, net::CloseReason::kNone, std::move(plain));
        if (!took(id, c, outcome)) break;
    }
    c.records.advance(all.first(all.size() - wire_.in.size()));
    return !due();
}

// Behind what is held back already, if anything is.
template <net::Carrier C>
void TlsCarrier<C>::receive_chain(net::ConnId id, Connection& c, ChainId& chain) {
    while (chain != kNoChain && c.state == State::kOpen && !c.peer_closed) {
        ChainId block = inputs_.take_front(chain);
        wire_.in = inputs_.front(block);
        if (c.held_back || !receive_collected(id, c)) hold_back(id, c, wire_.in);
        inputs_.release(block);
    }
}

// The buffers for plaintext are used up until the next poll: ciphertext waits for them (named copy: it would
// pin the carrier's buffers, which others receive into), and no more of it is read.
template <net::Carrier C>
void TlsCarrier<C>::hold_back(net::ConnId id, Connection& c, std::span<const std::byte> bytes) {
    if (!inputs_.append(c.input, bytes)) {
        ++counters_.plaintext_refused;
        return end(id, c, net::CloseReason::kNoMemory, "no memory left for what was received");
    }
    if (c.held_back) return;
    c.held_back = true;
    ++counters_.plaintext_put_off;
    carrier_.pause(id);
    if (!c.paused) to_receive_.push_back(net::index(id));
}

// The poll before has given its buffers back.
template <net::Carrier C>
void TlsCarrier<C>::receive_held_back() {
    while (!to_receive_.empty() && !plaintexts_.used_up()) {
        const std::uint32_t i = to_receive_.pop_front();
        const net::ConnId id{i};
        Connection& c = slots_[i];
        c.held_back = false;
        ChainId chain = std::exchange(c.input, kNoChain);
        wire_.in = {};  // what OpenSSL has read already
        if (!receive_collected(id, c)) hold_back(id, c, {});
        receive_chain(id, c, chain);
        inputs_.release(chain);
        if (c.held_back || c.state != State::kOpen) continue;
        carrier_.resume(id);
        if (c.fin_held) on_peer_closed(id, c);
    }
}

template <net::Carrier C>
void TlsCarrier<C>::pause(net::ConnId id) {
    Connection& c = slot(id);
    if (c.state != State::kPlain) c.paused = true;
    if (c.held_back) return to_receive_.remove(net::index(id));
    carrier_.pause(id);
}

template <net::Carrier C>
void TlsCarrier<C>::resume(net::ConnId id) {
    Connection& c = slot(id);
    if (c.state != State::kPlain) c.paused = false;
    if (c.held_back) return to_receive_.push_back(net::index(id));
    carrier_.resume(id);
}

}  // namespace millrace::tls
