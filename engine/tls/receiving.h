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
    working_on_ = id;
    wire_.in = in;
    if (!c.records.between_records()) {
        const bool may_end = c.records.may_end_within(in.size());
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
    if (buffer == PlaintextPool::kNone) {
        ++counters_.plaintext_refused;
        end(id, c, net::CloseReason::kNoMemory, "no memory left for what was received");
        return false;
    }
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

// What came with the handshake's last bytes, and lies where it was collected.
template <net::Carrier C>
void TlsCarrier<C>::receive_collected(net::ConnId id, Connection& c) {
    c.records.advance(wire_.in);
    while (c.state == State::kOpen && !wire_.in.empty())
        if (!receive_into_pool(id, c)) return;
}

}  // namespace millrace::tls
