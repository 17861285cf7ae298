#pragma once
// Part of endpoint.h: making an endpoint, and the first look at each event.

namespace millrace {

template <net::Carrier C, class... Handlers>
Expected<std::unique_ptr<Endpoint<C, Handlers...>>> Endpoint<C, Handlers...>::create(
    C& carrier, const EndpointConfig& config, App<Handlers...> app) {
    auto slots = ReservedArray<Slot>::create(carrier.max_connections());
    if (!slots) return tl::unexpected(slots.error());
    auto chains = ChainPool::create(config.message_memory);
    if (!chains) return tl::unexpected(chains.error());
    auto carries = ws::CarryPool::create(config.max_carries);
    if (!carries) return tl::unexpected(carries.error());
    auto keys = ws::KeySource::create();
    if (!keys) return tl::unexpected(keys.error());
    auto compression = ws::Compression::create(config.deflate_memory, config.max_message);
    if (!compression) return tl::unexpected(compression.error());
    std::unique_ptr<Endpoint> endpoint(new Endpoint(carrier, config, std::move(app), std::move(*slots),
                                                    std::move(*chains), std::move(*carries), std::move(*keys),
                                                    std::move(*compression)));
    const std::array<std::size_t, sizeof...(Handlers)> sizes{state_size<Handlers>()...};
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (sizes[i] == 0) continue;
        auto states = ReservedArray<std::byte>::create(carrier.max_connections() * sizes[i]);
        if (!states) return tl::unexpected(states.error());
        endpoint->states_[i] = std::move(*states);
    }
    if (config.proxy_protocol || !config.forwarded.trusted.empty()) {
        auto peers = ReservedArray<net::SocketAddress>::create(carrier.max_connections());
        if (!peers) return tl::unexpected(peers.error());
        endpoint->peers_ = std::move(*peers);
    }
    if (auto started = endpoint->start_handlers(); !started) return tl::unexpected(started.error());
    return endpoint;
}

template <net::Carrier C, class... Handlers>
Endpoint<C, Handlers...>::Endpoint(C& carrier, const EndpointConfig& config, App<Handlers...> app,
                                   ReservedArray<Slot> slots, ChainPool chains, ws::CarryPool carries,
                                   ws::KeySource keys, ws::Compression compression)
    : carrier_(carrier),
      config_(config),
      app_(std::move(app)),
      slots_(std::move(slots)),
      chains_(std::move(chains)),
      carries_(std::move(carries)),
      session_shared_{static_cast<std::uint32_t>(std::min<std::uint64_t>(config.max_message, UINT32_MAX)),
                      carries_},
      keys_(std::move(keys)),
      compression_(std::move(compression)),
      sweep_period_(sweep_period()) {
    parts_.reserve(config.max_message / ChainPool::kBlockBytes + 2);
    out_.resize(ChainPool::kBlockBytes);
    waiting_.reserve(1024);
    for (const Page& page : app_.pages)
        pages_.emplace(page.path, &page);
}

template <net::Carrier C, class... Handlers>
Endpoint<C, Handlers...>::~Endpoint() = default;

template <net::Carrier C, class... Handlers>
template <class Handler>
constexpr std::size_t Endpoint<C, Handlers...>::index_of() {
    constexpr std::array<bool, sizeof...(Handlers)> same{std::is_same_v<Handler, Handlers>...};
    for (std::size_t i = 0; i < same.size(); ++i)
        if (same[i]) return i;
    return same.size();
}

template <net::Carrier C, class... Handlers>
template <class Handler>
constexpr std::size_t Endpoint<C, Handlers...>::state_size() {
    if constexpr (requires { typename Handler::State; }) {
        static_assert(std::is_trivially_copyable_v<typename Handler::State>, "begins as zero bytes");
        return sizeof(typename Handler::State);
    } else {
        return 0;
    }
}

template <net::Carrier C, class... Handlers>
template <class Handler>
typename Handler::State& Endpoint<C, Handlers...>::state(net::ConnId id) {
    return reinterpret_cast<typename Handler::State*>(states_[index_of<Handler>()].data())[net::index(id)];
}

template <net::Carrier C, class... Handlers>
template <class Handler>
Handler& Endpoint<C, Handlers...>::handler() {
    return std::get<Route<Handler>>(app_.routes).handler;
}

template <net::Carrier C, class... Handlers>
template <class Call>
void Endpoint<C, Handlers...>::with_handler(std::uint8_t index, Call&& call) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (void)((I == index && (call(std::get<I>(app_.routes).handler), true)) || ...);
    }
    (std::index_sequence_for<Handlers...>{});
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::handle(std::span<Event> events, Time now) {
    constexpr std::size_t kAhead = 8;  // slots fetched before they are touched
    now_ = now;
    now_ms_ = static_cast<std::uint32_t>(now.time_since_epoch() / 1ms);
    for (std::size_t i = 0; i < std::min(kAhead, events.size()); ++i)
        prefetch_own(events[i].conn);
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (i + kAhead < events.size()) prefetch_own(events[i + kAhead].conn);
        handle_one(events[i]);
    }
}

// A slot may lie in two lines. Of the states the first handler's: most applications have no other.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::prefetch_own(net::ConnId id) const {
    const auto* slot = reinterpret_cast<const std::byte*>(slots_.data() + net::index(id));
    __builtin_prefetch(slot, 1);
    __builtin_prefetch(slot + sizeof(Slot) - 1, 1);
    constexpr std::size_t kState = std::array{state_size<Handlers>()..., std::size_t{0}}[0];
    if constexpr (kState != 0) __builtin_prefetch(states_[0].data() + net::index(id) * kState, 1);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::prefetch(net::ConnId id) const {
    prefetch_own(id);
    if constexpr (requires { carrier_.prefetch(id); }) carrier_.prefetch(id);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::handle_one(Event& event) {
    if (event.kind == net::EventKind::kAccepted) return accepted(event.conn);
    Slot& slot = this->slot(event.conn);
    if (slot.phase == Phase::kFree) return;  // aborted earlier in this batch
    switch (event.kind) {
        case net::EventKind::kReceived:
            return received(event.conn, slot, event.bytes);
        case net::EventKind::kConnected:
            return connected(event.conn, slot);
        case net::EventKind::kWritable:
            if (slot.waiting) serve_waiting_one(event.conn, slot);
            return;
        case net::EventKind::kPeerClosed:
            return on_peer_closed(event.conn, slot, event.reason);
        case net::EventKind::kClosed:
            return on_closed(event.conn, slot, event.reason);
        case net::EventKind::kTimer:
            return on_timer(event.conn, slot);
        case net::EventKind::kAccepted:
            return;
    }
}

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::secured(net::ConnId id) const {
    if constexpr (requires { carrier_.secured(id); }) return carrier_.secured(id);
    return false;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::accepted(net::ConnId id) {
    Slot& slot = this->slot(id);
    slot = Slot{};
    slot.phase = Phase::kOpening;
    slot.role = ws::Role::kServer;
    std::construct_at(&slot.http);
    slot.http.proxy_due = config_.proxy_protocol && !secured(id);
    slot.progress = UINT32_MAX;
    if (peers_.data() != nullptr) peers_[net::index(id)] = carrier_.peer(id);
    ++slots_in_use_;
    highest_slot_ = std::max<std::size_t>(highest_slot_, net::index(id) + 1);
    if (draining_) return abort(id);
    // One limit for all that comes before the opening, TLS's handshake included.
    Duration spent{};
    if constexpr (requires { carrier_.handshake_took(id); }) spent = carrier_.handshake_took(id);
    carrier_.set_timer(id, now_ + config_.handshake_timeout - std::min(spent, config_.handshake_timeout));
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::tick(Time now) {
    now_ = now;
    if (!waiting_.empty()) serve_waiting();
    poll_handlers();
    sweep();
    if (draining_) drain_some();
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::poll_handlers() {
    const auto turn = [this](auto& handler) {
        if constexpr (requires { handler.on_poll(*this, now_); }) handler.on_poll(*this, now_);
    };
    std::apply([&](auto&... routes) { (turn(routes.handler), ...); }, app_.routes);
}

template <net::Carrier C, class... Handlers>
Expected<void> Endpoint<C, Handlers...>::start_handlers() {
    Expected<void> started;
    const auto start = [&](auto& handler) {
        if constexpr (requires { handler.on_shard(*this); })
            if (started) started = handler.on_shard(*this);
    };
    std::apply([&](auto&... routes) { (start(routes.handler), ...); }, app_.routes);
    return started;
}

template <net::Carrier C, class... Handlers>
constexpr std::size_t Endpoint<C, Handlers...>::idle_bytes() {
    return C::idle_bytes() + sizeof(Slot) + std::max({state_size<Handlers>()...});
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::populate(std::size_t connections) {
    carrier_.populate(connections);
    slots_.populate(connections);
    // With several handlers nobody knows which of them the connections will have.
    if constexpr (sizeof...(Handlers) == 1) states_[0].populate(connections * state_size<Handlers...>());
}

template <net::Carrier C, class... Handlers>
std::size_t Endpoint<C, Handlers...>::memory_in_use() const {
    std::size_t bytes = slots_.resident_bytes() + peers_.resident_bytes() + chains_.memory_in_use() +
                        carries_.memory_in_use() + compression_.memory_in_use() +
                        waiting_.capacity() * sizeof(net::ConnId);
    for (const auto& states : states_)
        bytes += states.resident_bytes();
    const auto add = [&bytes](const auto& handler) {
        if constexpr (requires { handler.memory_in_use(); }) bytes += handler.memory_in_use();
    };
    std::apply([&](const auto&... routes) { (add(routes.handler), ...); }, app_.routes);
    return bytes;
}

}  // namespace millrace
