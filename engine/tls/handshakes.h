#pragma once
// Part of tls_carrier.h: from TCP's being established to TLS's.

namespace millrace::tls {

template <net::Carrier C>
Expected<void> TlsCarrier<C>::listen_secure(net::SocketAddress address) {
    if (auto listening = carrier_.listen(address); !listening) return listening;
    if constexpr (requires { carrier_.listening_on(); }) address = carrier_.listening_on();
    secure_listeners_.push_back(address);
    return {};
}

template <net::Carrier C>
bool TlsCarrier<C>::secure_listener(const net::SocketAddress& local) const {
    return std::any_of(secure_listeners_.begin(), secure_listeners_.end(), [&](const auto& listener) {
        const bool any = listener.ip.is_unspecified() && listener.ip.is_v4() == local.ip.is_v4();
        return listener.port == local.port && (any || listener.ip == local.ip);
    });
}

template <net::Carrier C>
net::ConnId TlsCarrier<C>::connect(net::SocketAddress address, Time now) {
    const net::ConnId id = carrier_.connect(address, now);
    if (id != net::kNoConn) slot(id).state = State::kPlain;
    return id;
}

template <net::Carrier C>
net::ConnId TlsCarrier<C>::connect_secure(net::SocketAddress address, ClientContext& client, Time now) {
    const net::ConnId id = carrier_.connect(address, now);
    if (id == net::kNoConn) return id;
    Connection& c = fresh(id);
    c.client = &client;
    c.state = State::kConnecting;
    return id;
}

template <net::Carrier C>
void TlsCarrier<C>::secure(net::ConnId id, ClientContext& client) {
    Connection& c = fresh(id);
    c.client = &client;
    await_turn(id, c);
}

template <net::Carrier C>
Connection& TlsCarrier<C>::fresh(net::ConnId id) {
    highest_ = std::max<std::size_t>(highest_, net::index(id) + 1);
    return slot(id) = Connection{};
}

template <net::Carrier C>
void TlsCarrier<C>::await_hello(net::ConnId id) {
    Connection& c = fresh(id);
    c.state = State::kHello;
    c.since_ms = static_cast<std::uint32_t>(now_.time_since_epoch() / 1ms);
    c.proxy_due = config_.proxy_protocol;
    if (peers_.data() != nullptr) peers_[net::index(id)] = {};
    carrier_.set_timer(id, now_ + config_.handshake_timeout);
}

template <net::Carrier C>
void TlsCarrier<C>::await_turn(net::ConnId id, Connection& c) {
    c.state = State::kHello;
    to_begin_.push_back(net::index(id));
}

// Named copy: kept where they arrived, the bytes of many who wait for their turn would pin the buffers that
// all connections of the shard receive into.
template <net::Carrier C>
void TlsCarrier<C>::collect(net::ConnId id, Connection& c, std::span<const std::byte> bytes) {
    constexpr std::size_t kMost = 128u << 10;  // a client's chain of certificates, many times over
    if (inputs_.size(c.input) + bytes.size() > kMost || !inputs_.append(c.input, bytes)) {
        ++counters_.handshakes_refused;
        return end(id, c, net::CloseReason::kNoMemory, "no memory left for the TLS handshake");
    }
    if (c.state == State::kHandshake)
        to_continue_.push_back(net::index(id));
    else if (!to_begin_.contains(net::index(id)))
        judge(id, c);
}

// A client's first bytes, before anything of OpenSSL exists for it.
template <net::Carrier C>
void TlsCarrier<C>::judge(net::ConnId id, Connection& c) {
    if (c.proxy_due && !past_proxy_header(id, c)) return;
    switch (judge_first_bytes(inputs_.front(c.input))) {
        case FirstBytes::kIncomplete:
            return;
        case FirstBytes::kHello:
            to_begin_.push_back(net::index(id));
            return;
        case FirstBytes::kHttp:
            ++counters_.http_on_tls;
            return answer_plainly(id, c, std::as_bytes(std::span(kPlainHttpAnswer)));
        case FirstBytes::kNotTls:
            ++counters_.not_tls;
            return answer_plainly(id, c, kHandshakeFailure);
    }
}

// What a balancer says in front of the client's hello. False when that has yet to come, or never will.
template <net::Carrier C>
bool TlsCarrier<C>::past_proxy_header(net::ConnId id, Connection& c) {
    const proxy::Header header = proxy::parse_header(inputs_.front(c.input));
    if (header.status == proxy::HeaderStatus::kIncomplete) return false;
    if (header.status == proxy::HeaderStatus::kBad) {
        ++counters_.proxy_refused;
        end(id, c, net::CloseReason::kTlsFailed, "no header of the PROXY protocol");
        return false;
    }
    if (header.status == proxy::HeaderStatus::kProxied) peers_[net::index(id)] = header.source;
    c.proxy_due = false;
    ChainId block = inputs_.take_front(c.input);
    const auto rest = inputs_.front(block).subspan(header.size);
    if (!rest.empty())
        inputs_.put_back(c.input, block, rest);
    else
        inputs_.release(block);
    return c.input != kNoChain;
}

template <net::Carrier C>
Duration TlsCarrier<C>::handshake_took(net::ConnId id) const {
    const Connection& c = slots_[net::index(id)];
    if (c.state == State::kPlain) return {};
    return Duration(1ms) * static_cast<std::uint32_t>(now_.time_since_epoch() / 1ms - c.since_ms);
}

template <net::Carrier C>
void TlsCarrier<C>::answer_plainly(net::ConnId id, Connection& c, std::span<const std::byte> answer) {
    write_bytes(carrier_, id, answer);
    release(id, c);
    linger(id, c);
}

// Those who have begun first: what they hold is let go of soonest that way.
template <net::Carrier C>
void TlsCarrier<C>::take_turns() {
    for (unsigned n = 0; n < config_.continued_per_poll && !to_continue_.empty(); ++n) {
        const std::uint32_t i = to_continue_.pop_front();
        go_on(net::ConnId{i}, slots_[i]);
    }
    for (unsigned n = 0; n < config_.begun_per_poll && !to_begin_.empty(); ++n) {
        if (handshaking_ == config_.max_handshakes) break;
        const std::uint32_t i = to_begin_.pop_front();
        begin(net::ConnId{i}, slots_[i]);
    }
    if (!to_begin_.empty() || !to_continue_.empty()) ++counters_.handshakes_put_off;
}

template <net::Carrier C>
void TlsCarrier<C>::begin(net::ConnId id, Connection& c) {
    c.state = State::kHandshake;
    ++handshaking_;
    c.ssl = c.client ? c.client->open() : server_ ? server_->open() : nullptr;
    if (!c.ssl || !wire_.attach(c.ssl)) {
        ++counters_.handshakes_refused;
        return end(id, c, net::CloseReason::kNoMemory, "OpenSSL has no memory for the TLS handshake");
    }
    go_on(id, c);
}

template <net::Carrier C>
void TlsCarrier<C>::go_on(net::ConnId id, Connection& c) {
    working_on_ = id;
    const bool ended = c.peer_closed;
    c.peer_closed = false;
    Outcome outcome;
    ChainId more = std::exchange(c.input, kNoChain);
    ChainId block = kNoChain;
    do {
        inputs_.release(block);
        if (more != kNoChain) block = inputs_.take_front(more);
        wire_.in = block == kNoChain ? std::span<std::byte>{} : inputs_.front(block);
        outcome = tls::handshake(c.ssl);
    } while (outcome == Outcome::kMore && more != kNoChain);
    if (outcome == Outcome::kDone)
        established(id, c, more);
    else if (outcome == Outcome::kNoMemory) {
        ++counters_.handshakes_refused;
        end(id, c, net::CloseReason::kNoMemory, "no memory left for the TLS handshake");
    } else if (outcome != Outcome::kMore) {
        fail(id, c, tls::failure(c.ssl));
    }
    inputs_.release(block);
    inputs_.release(more);
    if (ended && (c.state == State::kHandshake || c.state == State::kOpen)) on_peer_closed(id, c);
}

// `more`: behind what the wire holds, the peer's first bytes under its new keys.
template <net::Carrier C>
void TlsCarrier<C>::established(net::ConnId id, Connection& c, ChainId& more) {
    if (c.client)
        if (const auto lacking = ClientContext::shortcoming(c.ssl); !lacking.empty())
            return fail(id, c, std::string(lacking));
    c.state = State::kOpen;
    --handshaking_;
    ++counters_.handshakes;
    if (SSL_session_reused(c.ssl)) ++counters_.resumed;
    if (!c.client) carrier_.cancel_timer(id);
    emit(id, c.client ? net::EventKind::kConnected : net::EventKind::kAccepted);
    if (!receive_collected(id, c)) hold_back(id, c, wire_.in);
    receive_chain(id, c, more);
}

}  // namespace millrace::tls
