#pragma once
// Part of tls_carrier.h: making one, and the first look at each event of the carrier below.

namespace millrace::tls {

template <net::Carrier C>
Expected<std::unique_ptr<TlsCarrier<C>>> TlsCarrier<C>::create(C& carrier, const TlsConfig& config) {
    auto slots = ReservedArray<Connection>::create(carrier.max_connections());
    if (!slots) return tl::unexpected(slots.error());
    auto inputs = ChainPool::create(config.handshake_memory);
    if (!inputs) return tl::unexpected(inputs.error());
    auto plaintexts = PlaintextPool::create(config.plaintext_buffers);
    if (!plaintexts) return tl::unexpected(plaintexts.error());
    ReservedArray<net::SocketAddress> peers;
    if (config.proxy_protocol) {
        auto named = ReservedArray<net::SocketAddress>::create(carrier.max_connections());
        if (!named) return tl::unexpected(named.error());
        peers = std::move(*named);
    }
    return std::unique_ptr<TlsCarrier>(new TlsCarrier(carrier, config, std::move(*slots), std::move(*inputs),
                                                      std::move(*plaintexts), std::move(peers)));
}

template <net::Carrier C>
TlsCarrier<C>::TlsCarrier(C& carrier, const TlsConfig& config, ReservedArray<Connection> slots,
                          ChainPool inputs, PlaintextPool plaintexts, ReservedArray<net::SocketAddress> peers)
    : carrier_(carrier),
      config_(config),
      slots_(std::move(slots)),
      inputs_(std::move(inputs)),
      plaintexts_(std::move(plaintexts)),
      peers_(std::move(peers)),
      stage_(kMostPlaintext) {
    events_.reserve(1024);
}

template <net::Carrier C>
TlsCarrier<C>::~TlsCarrier() {
    events_.clear();
    for (std::size_t i = 0; i < highest_; ++i)
        if (slots_[i].ssl) SSL_free(slots_[i].ssl);
}

template <net::Carrier C>
std::span<typename TlsCarrier<C>::Event> TlsCarrier<C>::poll(Time now) {
    now_ = now;
    events_.clear();
    seal();  // written outside the loop's turn: the room that was prepared for it does not outlive a poll
    polling_ = true;
    ended_.clear();
    if (!owed_.empty()) [[unlikely]]
        tell_owed();
    if (box_)
        if (auto fresh = box_->take()) {
            set_server_context(std::move(fresh));
            ++counters_.contexts_replaced;
        }
    if (server_) server_->tickets().turn(now);
    if (!to_receive_.empty()) [[unlikely]]
        receive_held_back();
    for (Below& event : carrier_.poll(now))
        translate(event);
    if (!to_begin_.empty() || !to_continue_.empty()) take_turns();
    polling_ = false;
    return events_;
}

template <net::Carrier C>
void TlsCarrier<C>::translate(Below& event) {
    Connection& c = slot(event.conn);
    if (event.kind == net::EventKind::kAccepted) {
        if (!secure_listeners_.empty() && secure_listener(carrier_.local(event.conn)))
            return await_hello(event.conn);
        c.state = State::kPlain;
    }
    if (c.state != State::kPlain) return translate_secure(event, c);
    emit(event.conn, event.kind, event.reason, Bytes(std::move(event.bytes)));
}

template <net::Carrier C>
void TlsCarrier<C>::translate_secure(Below& event, Connection& c) {
    switch (event.kind) {
        case net::EventKind::kReceived:
            if (c.state == State::kOpen) [[likely]]
                return receive(event.conn, c, event.bytes);
            if (c.state == State::kHello || c.state == State::kHandshake)
                collect(event.conn, c, event.bytes.bytes());
            return;
        case net::EventKind::kConnected:
            return await_turn(event.conn, c);
        case net::EventKind::kWritable:
            if (c.state == State::kOpen) emit(event.conn, event.kind);
            return;
        case net::EventKind::kPeerClosed:
            return on_peer_closed(event.conn, c);
        case net::EventKind::kClosed:
            return on_closed(event.conn, c, event.reason);
        case net::EventKind::kTimer:
            return on_timer(event.conn, c);
        case net::EventKind::kAccepted:
            return;  // translate() has dealt with it
    }
}

}  // namespace millrace::tls
