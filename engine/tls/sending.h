#pragma once
// Part of tls_carrier.h: what is written becomes records. Plaintext is staged for one connection at a time,
// so that messages written one after the other share a record; the stage is sealed when it is full, when
// another connection wants it, and by flush(). The carrier's room for the sealed bytes is prepared before a
// byte is staged: what prepare() has promised holds.

namespace millrace::tls {

namespace detail {
// Bytes on the wire of `n` bytes of plaintext, at most; a KeyUpdate of ours may go before them.
inline std::size_t sealed_size(std::size_t n) {
    const std::size_t records = (n + kMostPlaintext - 1) / kMostPlaintext;
    return n + (records + 2) * kRecordOverhead;
}
}  // namespace detail

template <net::Carrier C>
bool TlsCarrier<C>::prepare(net::ConnId id, std::size_t n) {
    const Connection& c = slot(id);
    if (c.state == State::kPlain) return carrier_.prepare(id, n);
    if (c.state != State::kOpen || c.closing) return false;
    if (staged_for_ != id) {
        seal();
        staged_for_ = id;
    }
    return carrier_.prepare(id, detail::sealed_size(staged_ + n));
}

template <net::Carrier C>
std::span<std::byte> TlsCarrier<C>::room(net::ConnId id) {
    if (slot(id).state == State::kPlain) return carrier_.room(id);
    return std::span(stage_).subspan(staged_);
}

template <net::Carrier C>
void TlsCarrier<C>::commit(net::ConnId id, std::size_t n) {
    const Connection& c = slot(id);
    if (c.state == State::kPlain) return carrier_.commit(id, n);
    if (c.state != State::kOpen) return;  // it failed with the record before: the writer hears so next
    staged_ += n;
    if (staged_ == kMostPlaintext) seal();
}

template <net::Carrier C>
bool TlsCarrier<C>::append(net::ConnId id, const Shared& shared) {
    if (slot(id).state == State::kPlain) return carrier_.append(id, shared);
    std::size_t size = 0;
    carrier_.visit_shared(shared, [&](std::span<const std::byte> part) { size += part.size(); });
    if (!prepare(id, size)) return false;
    carrier_.visit_shared(shared, [&](std::span<const std::byte> part) { write_prepared(*this, id, part); });
    return true;
}

template <net::Carrier C>
void TlsCarrier<C>::flush(Time now) {
    now_ = now;
    seal();
    staged_for_ = net::kNoConn;
    // A carrier that may sleep in poll() must not while handshakes wait for their turn.
    if constexpr (requires { carrier_.wake(); })
        if (!to_begin_.empty() || !to_continue_.empty()) carrier_.wake();
    carrier_.flush(now);
}

template <net::Carrier C>
void TlsCarrier<C>::seal() {
    if (staged_ == 0) return;
    const net::ConnId id = staged_for_;
    Connection& c = slot(id);
    working_on_ = id;
    room_is_there_ = true;
    const bool written = tls::write(c.ssl, std::span(stage_).first(std::exchange(staged_, 0)));
    room_is_there_ = false;
    ++counters_.records_sent;
    if (!written) fail(id, c, tls::failure(c.ssl));
}

template <net::Carrier C>
void TlsCarrier<C>::drop_staged(net::ConnId id) {
    if (staged_for_ != id) return;
    staged_ = 0;
    staged_for_ = net::kNoConn;
}

// OpenSSL's sealed records and handshake messages go into the segment that leaves. Named copy: OpenSSL seals
// in a buffer of its own.
template <net::Carrier C>
bool TlsCarrier<C>::write_below(void* self, std::span<const std::byte> out) {
    auto& tls = *static_cast<TlsCarrier*>(self);
    C& carrier = tls.carrier_;
    const net::ConnId id = tls.working_on_;
    if (!tls.room_is_there_ && !carrier.prepare(id, out.size())) return false;
    while (!out.empty()) {
        const std::span<std::byte> room = carrier.room(id);
        if (room.empty()) {
            if (!carrier.prepare(id, out.size())) return false;
            continue;
        }
        const std::size_t part = std::min(room.size(), out.size());
        std::memcpy(room.data(), out.data(), part);
        carrier.commit(id, part);
        out = out.subspan(part);
    }
    return true;
}

}  // namespace millrace::tls
