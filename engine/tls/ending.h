#pragma once
// Part of tls_carrier.h: close_notify both ways (RFC 8446 section 6.1), alerts, what ended without them.

namespace millrace::tls {

template <net::Carrier C>
void TlsCarrier<C>::close(net::ConnId id) {
    Connection& c = slot(id);
    if (c.state == State::kPlain) return carrier_.close(id);
    if (c.state == State::kConnecting || c.state == State::kHello || c.state == State::kHandshake)
        return abort(id);  // nothing was sent that could end in order
    if (staged_for_ == id) seal();
    if (c.state != State::kOpen || c.closing) return;
    working_on_ = id;
    if (!tls::send_close_notify(c.ssl)) ++counters_.close_notify_unsent;
    c.closing = true;
    carrier_.close(id);
}

template <net::Carrier C>
void TlsCarrier<C>::abort(net::ConnId id) {
    Connection& c = slot(id);
    if (c.state != State::kPlain) {
        drop_staged(id);
        release(id, c);
        c.close_owed = false;
        c.state = State::kGone;
    }
    carrier_.abort(id);
}

// OpenSSL did not go on: it has written an alert, unless the peer sent one.
template <net::Carrier C>
void TlsCarrier<C>::fail(net::ConnId id, Connection& c, std::string why) {
    ++(c.state == State::kOpen ? counters_.failed : counters_.handshakes_failed);
    const bool known = c.client || c.state == State::kOpen;
    drop_staged(id);
    release(id, c);
    linger(id, c);
    if (known) tell(id, c, net::CloseReason::kTlsFailed, std::move(why));
}

// It cannot go on, and nothing can be said to the peer.
template <net::Carrier C>
void TlsCarrier<C>::end(net::ConnId id, Connection& c, net::CloseReason reason, std::string why) {
    const bool known = c.client || c.state == State::kOpen;
    drop_staged(id);
    release(id, c);
    c.state = State::kGone;
    carrier_.abort(id);
    if (known) tell(id, c, reason, std::move(why));
}

template <net::Carrier C>
void TlsCarrier<C>::tell(net::ConnId id, Connection& c, net::CloseReason reason, std::string why) {
    if (polling_) {
        emit(id, net::EventKind::kClosed, reason);
        ended_.push_back({id, reason, std::move(why)});
        return;
    }
    c.close_owed = true;
    owed_.push_back({id, reason, std::move(why)});
}

template <net::Carrier C>
void TlsCarrier<C>::tell_owed() {
    for (Ended& ended : owed_) {
        Connection& c = slot(ended.id);
        if (!c.close_owed) continue;  // the engine has aborted it since
        c.close_owed = false;
        tell(ended.id, c, ended.reason, std::move(ended.why));
    }
    owed_.clear();
}

template <net::Carrier C>
std::string_view TlsCarrier<C>::why(net::ConnId id) const {
    for (const Ended& ended : ended_)
        if (ended.id == id) return ended.why;
    return {};
}

// Until the peer has taken what was said last; then it goes, or is made to.
template <net::Carrier C>
void TlsCarrier<C>::linger(net::ConnId id, Connection& c) {
    c.state = State::kLingering;
    carrier_.close(id);
    carrier_.set_timer(id, now_ + config_.linger);
}

template <net::Carrier C>
void TlsCarrier<C>::on_peer_closed(net::ConnId id, Connection& c) {
    switch (c.state) {
        case State::kOpen:
            if (c.peer_closed) return;  // close_notify has said it
            if (c.held_back) {
                c.fin_held = true;
                return;
            }
            c.peer_closed = true;
            if (c.closing) return emit(id, net::EventKind::kPeerClosed);
            // Whether all has arrived that was sent cannot be known.
            ++counters_.truncated;
            return emit(id, net::EventKind::kPeerClosed, net::CloseReason::kTruncated);
        case State::kHandshake:
            if (to_continue_.contains(net::index(id))) {
                c.peer_closed = true;  // what it sent before may say why: go_on() comes here again
                return;
            }
            [[fallthrough]];
        case State::kConnecting:
        case State::kHello:
            ++counters_.handshakes_failed;
            return end(id, c, net::CloseReason::kTlsFailed,
                       "the peer ended the connection during the TLS handshake");
        case State::kPlain:
        case State::kLingering:
        case State::kGone:
            return;
    }
}

template <net::Carrier C>
void TlsCarrier<C>::on_closed(net::ConnId id, Connection& c, net::CloseReason reason) {
    const bool before_open = c.state == State::kHello || c.state == State::kHandshake;
    if (before_open) ++counters_.handshakes_failed;
    const bool known =
        c.state == State::kOpen || (c.client && (before_open || c.state == State::kConnecting));
    drop_staged(id);
    release(id, c);
    c.state = State::kGone;
    if (known) emit(id, net::EventKind::kClosed, reason);
}

template <net::Carrier C>
void TlsCarrier<C>::on_timer(net::ConnId id, Connection& c) {
    if (c.state == State::kLingering) {
        c.state = State::kGone;
        return carrier_.abort(id);
    }
    if (c.state == State::kGone) return;
    if (c.state == State::kOpen || c.client) return emit(id, net::EventKind::kTimer);
    ++counters_.handshakes_timed_out;
    release(id, c);
    linger(id, c);
}

// What it held, whichever state it was in.
template <net::Carrier C>
void TlsCarrier<C>::release(net::ConnId id, Connection& c) {
    if (c.state == State::kHello) to_begin_.remove(net::index(id));
    if (c.state == State::kHandshake) {
        to_continue_.remove(net::index(id));
        --handshaking_;
    }
    if (c.held_back) to_receive_.remove(net::index(id));
    c.held_back = false;
    if (c.ssl) SSL_free(std::exchange(c.ssl, nullptr));
    inputs_.release(c.input);
}

}  // namespace millrace::tls
