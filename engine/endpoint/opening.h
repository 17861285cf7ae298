#pragma once
// Part of endpoint.h: the opening handshake, both roles.

namespace millrace {

// Heads usually come whole in one buffer and are parsed where they lie. A cut one is collected in a block
// chain; its last buffer's bytes behind the head are then processed in that buffer. What is left when there
// is no room for another answer is returned, to be held back.
template <net::Carrier C, class... Handlers>
std::span<std::byte> Endpoint<C, Handlers...>::on_head_bytes(net::ConnId id, Slot& slot,
                                                             std::span<std::byte> in) {
    while (slot.phase == Phase::kOpening && !in.empty()) {
        if (owes_answer(slot) || !has_room(id)) return in;
        if (slot.role == ws::Role::kServer && slot.http.proxy_due)
            on_proxy_header(id, slot, in);
        else if (slot.role == ws::Role::kServer && slot.http.in_body)
            on_content(id, slot, in);
        else
            on_head(id, slot, in);
    }
    if (slot.phase == Phase::kOpen && !in.empty()) on_frames(id, slot, in);
    return {};
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_head(net::ConnId id, Slot& slot, std::span<std::byte>& in) {
    const std::size_t before = chains_.size(slot.chain);
    const auto fresh = in.first(std::min(in.size(), ChainPool::kBlockBytes - before));
    const bool cut = before != 0;
    if (cut) {
        chains_.append(slot.chain, fresh);  // fits the chain's only block
        if (!worth_parsing(before, fresh)) return void(in = {});
    }
    const std::span<std::byte> head = cut ? chains_.front(slot.chain) : in;
    const auto size = parse_head(id, slot, head);
    if (slot.phase != Phase::kOpening) return;
    if (!size) {
        if (!cut) keep_request(id, slot, in);
        return void(in = {});
    }
    in = in.subspan(*size - before);  // a head never ends before the bytes that completed it
    if (slot.role == ws::Role::kClient)
        on_response(id, slot, head);
    else
        on_request(id, slot, head.first(*size), in);
    const bool kept = slot.phase == Phase::kOpening && slot.role == ws::Role::kServer &&
                      (slot.http.in_body || slot.http.answer_owed);
    if (cut && !kept) chains_.release(slot.chain);
}

// A peer may send its head byte by byte; parsing it anew for each would cost the square of its length. A head
// ends with a line, and what it is too long for it becomes in steps.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::worth_parsing(std::size_t before, std::span<const std::byte> fresh) const {
    constexpr std::size_t kStep = 1024;
    const std::size_t after = before + fresh.size();
    return std::memchr(fresh.data(), '\n', fresh.size()) != nullptr || before / kStep != after / kStep ||
           after >= std::min(config_.http.head_bytes, ChainPool::kBlockBytes);
}

// The length of the head at the beginning of `head` when it was whole and has been acted on.
template <net::Carrier C, class... Handlers>
std::optional<std::size_t> Endpoint<C, Handlers...>::parse_head(net::ConnId id, Slot& slot,
                                                                std::span<std::byte> head) {
    const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
    http::Limits limits = config_.http;
    limits.head_bytes = std::min(limits.head_bytes, ChainPool::kBlockBytes);
    const bool server = slot.role == ws::Role::kServer;
    const http::ParseResult parsed =
        server ? http::parse_request(text, request_, limits) : http::parse_response(text, response_, limits);
    switch (parsed.status) {
        case http::ParseStatus::kIncomplete:
            return std::nullopt;
        case http::ParseStatus::kBad:
            if (server && tls::begins_like_hello(head))
                refuse_hello(id, slot);
            else if (server)
                refuse(id, slot, parsed.http_status, parsed.why);
            else
                opening_failed(id, slot, parsed.why);
            return std::nullopt;
        case http::ParseStatus::kComplete:
            break;
    }
    return server ? request_.head_bytes : response_.head_bytes;
}

// --- server ---

// What stands in front of the first request when a balancer speaks for its clients.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_proxy_header(net::ConnId id, Slot& slot, std::span<std::byte>& in) {
    const std::size_t before = chains_.size(slot.chain);
    if (before != 0)
        chains_.append(slot.chain, in.first(std::min(in.size(), ChainPool::kBlockBytes - before)));
    const proxy::Header header = proxy::parse_header(before != 0 ? chains_.front(slot.chain) : in);
    switch (header.status) {
        case proxy::HeaderStatus::kIncomplete:
            if (before == 0 && !chains_.append(slot.chain, in))
                return opening_failed(id, slot, "no memory left for the PROXY header");
            return void(in = {});
        case proxy::HeaderStatus::kBad:
            note_refusal(id, 0, "no header of the PROXY protocol", nullptr);
            return opening_failed(id, slot, "no header of the PROXY protocol");
        case proxy::HeaderStatus::kProxied:
            peers_[net::index(id)] = header.source;
            break;
        case proxy::HeaderStatus::kLocal:
            break;
    }
    slot.http.proxy_due = false;
    chains_.release(slot.chain);
    in = in.subspan(header.size - before);  // a header never ends before the bytes that completed it
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_request(net::ConnId id, Slot& slot, std::span<std::byte> head,
                                          std::span<std::byte>& in) {
    const ws::Judgement judgement = ws::judge(request_, config_.upgrade);
    switch (judgement.verdict) {
        case ws::Verdict::kUpgrade:
            return upgrade(id, slot, judgement);
        case ws::Verdict::kOrdinary:
            return on_ordinary(id, slot, head, in);
        case ws::Verdict::kReject:
            return reject(id, slot, judgement);
    }
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::reject(net::ConnId id, Slot& slot, const ws::Judgement& judgement) {
    ++counters_.handshake_failed;
    note_refusal(id, judgement.status, judgement.why, &request_);
    const bool keep_alive = http::keeps_alive(request_) && !http::has_content(request_);
    const std::size_t length = ws::write_rejection(out_, judgement, date_.at(now_), keep_alive);
    if (length == 0 || !write_bytes(carrier_, id, out_bytes(length)))
        return opening_failed(id, slot, "no memory left for the response");
    await_request(id, slot, keep_alive);
}

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::upgrades_at(const App<Handlers...>& app, std::string_view path,
                                           std::uint8_t& handler) {
    const auto serves = [path](const auto& route) {
        if constexpr (requires { route.handler.serves(path); }) return route.handler.serves(path);
        return route.path == path;
    };
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return ((serves(std::get<I>(app.routes)) && (handler = static_cast<std::uint8_t>(I), true)) || ...);
    }
    (std::index_sequence_for<Handlers...>{});
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::upgrade(net::ConnId id, Slot& slot, ws::Judgement judgement) {
    if (!upgrades_at(app_, request_.path, slot.handler))
        return refuse(id, slot, 404, "no WebSocket is served at this path");
    if (const Access access = authorise(id, slot, judgement.subprotocol); !access.allowed())
        return deny(id, slot, access);
    // Not for earlier requests of the connection: a proxy sends those of many clients over one.
    if (peers_.data() != nullptr)
        peers_[net::index(id)] = proxy::client_address(request_, peer(id), config_.forwarded);
    if (judgement.deflate) compression_.agree(slot.deflate, slot.role, *judgement.deflate);
    const std::size_t length = ws::write_switching_protocols(out_, judgement);
    if (length == 0 || !write_bytes(carrier_, id, out_bytes(length)))
        return opening_failed(id, slot, "no memory left for the response");
    opened(id, slot);
}

// Somebody speaks TLS to a port that does not: an alert is what he understands.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::refuse_hello(net::ConnId id, Slot& slot) {
    ++counters_.tls_hellos;
    if (counters_.tls_hellos.value() == 1 && config_.notice)
        config_.notice(
            "somebody speaks TLS to a port that does not: its clients need ws://, or it a wss:// listener");
    chains_.release(slot.chain);
    write_bytes(carrier_, id, tls::kHandshakeFailure);
    end_tcp(id, slot);
    await_end(id, slot);
}

// The built-in tokens are asked first, then the handler.
template <net::Carrier C, class... Handlers>
Access Endpoint<C, Handlers...>::authorise(net::ConnId id, const Slot& slot, std::string_view subprotocol) {
    Access access = config_.tokens.judge(request_);
    with_handler(slot.handler, [&]<class H>(H& handler) {
        if constexpr (state_size<H>() != 0) {
            state<H>(id) = typename H::State{};
            if constexpr (requires { handler.authorise(request_, state<H>(id)); })
                if (access.allowed()) access = handler.authorise(std::as_const(request_), state<H>(id));
            if constexpr (requires { handler.authorise(request_, subprotocol, state<H>(id)); })
                if (access.allowed())
                    access = handler.authorise(std::as_const(request_), subprotocol, state<H>(id));
        }
        if constexpr (requires { handler.authorise(request_); })
            if (access.allowed()) access = handler.authorise(std::as_const(request_));
    });
    return access;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::deny(net::ConnId id, Slot& slot, const Access& access) {
    ++counters_.handshake_failed;
    note_refusal(id, access.status, access.why, &request_);
    const http::Field challenge{"WWW-Authenticate", access.challenge};
    http::ResponseHead head{.status = access.status, .keep_alive = http::keeps_alive(request_)};
    if (!access.challenge.empty()) head.extra = std::span(&challenge, 1);
    std::string body(access.why);
    body += '\n';
    if (!answer(id, slot, head, body)) opening_failed(id, slot, "no memory left for the response");
}

// `request` is null when there is none whose parts are known.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::note_refusal(net::ConnId id, int status, std::string_view why,
                                            const http::Request* request) {
    if (status == 401)
        ++counters_.refused_unauthorised;
    else if (status == 403)
        ++counters_.refused_forbidden;
    else if (status == 408)
        ++counters_.refused_late;
    else if (status == 413 || status == 414 || status == 431)
        ++counters_.refused_too_large;
    else
        ++counters_.refused_otherwise;
    if (refusals_ == nullptr) return;
    Refusal refusal;
    refusal.peer = peer(id);
    refusal.status = status;
    refusal.why.assign(why);
    if (request != nullptr) {
        refusal.peer = proxy::client_address(*request, refusal.peer, config_.forwarded);
        refusal.path.assign(request->path);
        refusal.origin.assign(request->fields.get("origin").value_or(std::string_view{}));
    }
    refusals_->add(std::move(refusal), now_);
}

// --- client ---

template <net::Carrier C, class... Handlers>
template <class Handler>
std::uint8_t Endpoint<C, Handlers...>::add_target(ClientTarget target) {
    Target& added =
        targets_.emplace_back(Target{std::move(target), {}, static_cast<std::uint8_t>(index_of<Handler>())});
    for (const auto& [name, value] : added.what.fields)
        added.fields.push_back({name, value});
    return static_cast<std::uint8_t>(targets_.size() - 1);
}

template <net::Carrier C, class... Handlers>
net::ConnId Endpoint<C, Handlers...>::connect(net::SocketAddress address, std::uint8_t target, Time now) {
    const net::ConnId id = open_connection(address, targets_[target].what, now);
    if (id == net::kNoConn) return id;
    Slot& slot = this->slot(id);
    slot = Slot{};
    slot.phase = Phase::kConnecting;
    slot.role = ws::Role::kClient;
    slot.target = target;
    slot.handler = targets_[target].handler;
    if (peers_.data() != nullptr) peers_[net::index(id)] = address;
    ++slots_in_use_;
    highest_slot_ = std::max<std::size_t>(highest_slot_, net::index(id) + 1);
    carrier_.set_timer(id, now + config_.handshake_timeout);
    return id;
}

template <net::Carrier C, class... Handlers>
net::ConnId Endpoint<C, Handlers...>::open_connection(net::SocketAddress address, const ClientTarget& target,
                                                      Time now) {
    if (!target.tls || !target.tunnel.authority.empty()) return carrier_.connect(address, now);
    if constexpr (requires { carrier_.connect_secure(address, *target.tls, now); })
        return carrier_.connect_secure(address, *target.tls, now);
    else
        return net::kNoConn;  // this carrier has no TLS
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::connected(net::ConnId id, Slot& slot) {
    slot.phase = Phase::kOpening;
    const Tunnel& tunnel = targets_[slot.target].what.tunnel;
    if (tunnel.authority.empty() || slot.tunnelling) return send_request(id, slot);
    slot.tunnelling = true;
    const std::size_t length = ws::write_connect_request(out_, tunnel.authority, tunnel.credentials);
    if (length == 0 || !write_bytes(carrier_, id, out_bytes(length)))
        opening_failed(id, slot, "no memory left for the request to the proxy, or it is malformed");
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::send_request(net::ConnId id, Slot& slot) {
    slot.tunnelling = false;
    for (std::size_t i = 0; i < slot.key_seed.size(); i += sizeof(ws::MaskKey)) {
        const ws::MaskKey random = keys_.next();
        std::memcpy(slot.key_seed.data() + i, &random, sizeof random);
    }
    const auto key = client_key_of(slot);
    const std::size_t length =
        ws::write_client_request(out_, client_request(slot, std::string_view(key.data(), key.size())));
    if (length == 0 || !write_bytes(carrier_, id, out_bytes(length)))
        opening_failed(id, slot, "no memory left for the request, or it is malformed or too long");
}

template <net::Carrier C, class... Handlers>
std::array<char, 24> Endpoint<C, Handlers...>::client_key_of(const Slot& slot) const {
    std::array<char, 24> key;
    ws::client_key(std::span<const std::byte, 16>(slot.key_seed), key);
    return key;
}

template <net::Carrier C, class... Handlers>
ws::ClientRequest Endpoint<C, Handlers...>::client_request(const Slot& slot, std::string_view key) {
    const Target& target = targets_[slot.target];
    return {.host = target.what.host,
            .target = target.what.path,
            .key = key,
            .origin = target.what.origin,
            .subprotocols = target.what.subprotocols,
            .extra = target.fields,
            .deflate = target.what.deflate};
}

// `received` begins with the head. Responses before the final one have no meaning here (RFC 9110
// section 15.2).
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_response(net::ConnId id, Slot& slot, std::span<const std::byte> received) {
    if (response_.status < 200 && response_.status != 101) return;
    if (slot.tunnelling) return on_tunnel_response(id, slot, received);
    const auto key = client_key_of(slot);
    auto [wrong, deflate] =
        ws::check_response(response_, client_request(slot, std::string_view(key.data(), key.size())));
    if (wrong.empty() && deflate && !compression_.agree(slot.deflate, slot.role, *deflate))
        wrong = "no memory left for the server's compression";
    if (!wrong.empty()) return opening_failed(id, slot, not_opened(wrong, received));
    opened(id, slot);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_tunnel_response(net::ConnId id, Slot& slot,
                                                  std::span<const std::byte> received) {
    const bool with_credentials = !targets_[slot.target].what.tunnel.credentials.empty();
    const std::string_view wrong = ws::check_connect_response(response_, with_credentials);
    if (wrong.empty() && !targets_[slot.target].what.tls) return send_request(id, slot);
    if (wrong.empty()) {
        // connected() follows once more, when TLS is established.
        if constexpr (requires { carrier_.secure(id, *targets_[slot.target].what.tls); })
            return carrier_.secure(id, *targets_[slot.target].what.tls);
        return opening_failed(id, slot, "this carrier has no TLS");
    }
    OpeningFailure failure = not_opened(wrong, received);
    failure.from_proxy = true;
    opening_failed(id, slot, failure);
}

template <net::Carrier C, class... Handlers>
OpeningFailure Endpoint<C, Handlers...>::not_opened(std::string_view why,
                                                    std::span<const std::byte> received) const {
    const std::string_view text(reinterpret_cast<const char*>(received.data()), received.size());
    return {
        .why = why, .connected = true, .response = &response_, .content = text.substr(response_.head_bytes)};
}

// --- both ---

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::opened(net::ConnId id, Slot& slot) {
    slot.phase = Phase::kOpen;
    std::construct_at(&slot.session);
    slot.session.open(slot.role, slot.deflate.agreed());
    slot.has_session = true;
    slot.heard_ms = slot.message_ms = now_ms_;
    ++counters_.opened;
    carrier_.cancel_timer(id);  // of the opening; it has none until something is under way
    with_handler(slot.handler, [&]<class H>(H& handler) {
        if constexpr (state_size<H>() != 0)  // a server's was begun for authorise()
            if (slot.role == ws::Role::kClient) state<H>(id) = typename H::State{};
        Socket<H> socket(*this, id);
        if constexpr (requires { handler.on_open(socket); }) handler.on_open(socket);
    });
}

// The opening did not succeed, and no answer is owed: the connection ends at once.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::opening_failed(net::ConnId id, Slot& slot, std::string_view why) {
    opening_failed(id, slot, OpeningFailure{.why = why, .connected = slot.phase == Phase::kOpening});
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::opening_failed(net::ConnId id, Slot& slot, const OpeningFailure& failure) {
    ++counters_.handshake_failed;
    const bool client = slot.role == ws::Role::kClient;
    const std::uint8_t handler = slot.handler;
    ChainId head = std::exchange(slot.chain, kNoChain);  // `failure` may point into it
    free_slot(slot);
    carrier_.abort(id);
    if (client) tell_failure(id, handler, failure);
    chains_.release(head);
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::tell_failure(net::ConnId id, std::uint8_t handler,
                                            const OpeningFailure& failure) {
    with_handler(handler, [&]<class H>(H& app) {
        if constexpr (requires { app.on_failed(id, failure); }) app.on_failed(id, failure);
    });
}

}  // namespace millrace
