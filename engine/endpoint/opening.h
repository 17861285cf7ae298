#pragma once
// Part of endpoint.h: the opening handshake, both roles, and ordinary HTTP on the same port.

namespace millrace {

// Heads usually come whole in one buffer and are parsed where they lie. A cut one is collected in a block
// chain; its last buffer's bytes behind the head are then processed in that buffer.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_head_bytes(net::ConnId id, Slot& slot, std::span<std::byte> in) {
    while (slot.phase == Phase::kOpening && !in.empty()) {
        if (slot.chain == kNoChain) {
            const auto used = parse_head(id, slot, in);
            if (slot.phase == Phase::kFree || slot.phase == Phase::kEnding) return;
            if (!used) {
                if (!chains_.append(slot.chain, in)) {
                    ++counters_.memory_refusals;
                    return refuse(id, slot, 503, "no memory left for the request");
                }
                return;
            }
            in = in.subspan(*used);
            continue;
        }
        const std::size_t before = chains_.size(slot.chain);
        const auto fresh = in.first(std::min(in.size(), ChainPool::kBlockBytes - before));
        chains_.append(slot.chain, fresh);  // fits the chain's only block
        if (!worth_parsing(before, fresh)) return;
        const auto used = parse_head(id, slot, chains_.front(slot.chain));
        if (slot.phase == Phase::kFree || slot.phase == Phase::kEnding) return;
        if (!used) return;
        chains_.release(slot.chain);
        in = in.subspan(*used - before);  // a head never ends before the bytes that completed it
    }
    if (slot.phase == Phase::kOpen && !in.empty()) on_frames(id, slot, in);
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
            if (server)
                refuse(id, slot, parsed.http_status, parsed.why);
            else
                opening_failed(id, slot, parsed.why);
            return std::nullopt;
        case http::ParseStatus::kComplete:
            break;
    }
    if (!(server ? on_request(id, slot) : on_response(id, slot))) return std::nullopt;
    return server ? request_.head_bytes : response_.head_bytes;
}

// --- server ---

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::on_request(net::ConnId id, Slot& slot) {
    const ws::Judgement judgement = ws::judge(request_, config_.upgrade);
    if (judgement.verdict == ws::Verdict::kUpgrade) return upgrade(id, slot, judgement);
    if (judgement.verdict == ws::Verdict::kOrdinary) return answer_page(id, slot);
    ++counters_.handshake_failed;
    const bool keep_alive = http::keeps_alive(request_) && request_.body.framing == http::BodyFraming::kNone;
    const std::size_t length = ws::write_rejection(out_, judgement, date_.at(now_), keep_alive);
    return end_answer(id, slot, length != 0 && write_bytes(carrier_, id, out_bytes(length)), keep_alive);
}

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::upgrade(net::ConnId id, Slot& slot, ws::Judgement judgement) {
    bool found = false;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        found = ((std::get<I>(app_.routes).path == request_.path &&
                  (slot.handler = static_cast<std::uint8_t>(I), true)) ||
                 ...);
    }
    (std::index_sequence_for<Handlers...>{});
    if (!found) {
        refuse(id, slot, 404, "no WebSocket is served at this path");
        return false;
    }
    if (judgement.deflate) compression_.agree(slot.deflate, slot.role, *judgement.deflate);
    const std::size_t length = ws::write_switching_protocols(out_, judgement);
    if (length == 0 || !write_bytes(carrier_, id, out_bytes(length))) {
        opening_failed(id, slot, "no memory left for the response");
        return false;
    }
    opened(id, slot);
    return slot.phase != Phase::kFree;
}

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::answer_page(net::ConnId id, Slot& slot) {
    if (request_.body.framing != http::BodyFraming::kNone) {
        refuse(id, slot, 413, "request bodies are not taken here");
        return false;
    }
    http::ResponseHead head{.keep_alive = http::keeps_alive(request_)};
    const auto found = pages_.find(page_path());
    if (found == pages_.end()) {
        head.status = 404;
        return answer(id, slot, head, "Nothing is served at this path.\n");
    }
    const Page& page = *found->second;
    if (request_.method != "GET" && request_.method != "HEAD") {
        constexpr http::Field kAllow{"Allow", "GET, HEAD"};  // RFC 9110 section 15.5.6
        head.status = 405;
        head.extra = std::span(&kAllow, 1);
        return answer(id, slot, head, "Only GET and HEAD are answered here.\n");
    }
    if (!page.location.empty()) {
        const http::Field location{"Location", page.location};
        head.status = 308;
        head.extra = std::span(&location, 1);
        return answer(id, slot, head, "It is there.\n");
    }
    head.content_type = page.content_type;
    if (page.make) return answer(id, slot, head, page.make());
    const http::Field etag{"ETag", page.etag};
    head.extra = std::span(&etag, 1);
    if (http::names_etag(request_, page.etag)) head.status = 304;
    return answer(id, slot, head, *page.body);
}

template <net::Carrier C, class... Handlers>
std::string_view Endpoint<C, Handlers...>::page_path() {
    if (request_.path.find('%') == std::string_view::npos) return request_.path;
    // No target is longer than the block that out_ is as long as.
    return http::decode_path(request_.path, out_);
}

// Writes a response; the connection then awaits the next request, or ends. False when it ended.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::answer(net::ConnId id, Slot& slot, http::ResponseHead head,
                                      std::string_view body) {
    ++counters_.http_requests;
    if (head.content_type.empty()) head.content_type = "text/plain; charset=utf-8";
    head.content_length = body.size();
    head.minor_version = request_.minor_version;
    head.date = date_.at(now_);  // RFC 9110 section 6.6.1
    const std::size_t length = http::write_response(out_, head);
    const bool content = http::carries_content(request_.method, head.status) && !body.empty();
    const std::span<const std::byte> content_bytes =
        std::as_bytes(std::span(content ? body : std::string_view{}));
    // Both or neither: half an answer would be taken for a whole one by who counts on keep-alive.
    const bool written = length != 0 && carrier_.prepare(id, length + content_bytes.size());
    if (written) {
        write_prepared(carrier_, id, out_bytes(length));
        write_prepared(carrier_, id, content_bytes);
    }
    return end_answer(id, slot, written, head.keep_alive);
}

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::end_answer(net::ConnId id, Slot& slot, bool written, bool keep_alive) {
    if (!written) {
        opening_failed(id, slot, "no memory left for the response");
        return false;
    }
    if (keep_alive) {
        carrier_.set_timer(id, now_ + config_.handshake_timeout);
        return true;
    }
    end_tcp(id, slot);
    await_end(id, slot);
    return false;
}

// Answers what is not a request that can be taken, and ends the connection: what follows cannot be trusted
// to be a request's beginning (RFC 9112 section 11.2).
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::refuse(net::ConnId id, Slot& slot, int status, std::string_view why) {
    ++counters_.handshake_failed;
    chains_.release(slot.chain);
    request_.method = {};
    request_.minor_version = 1;
    std::string body(why);
    body += '\n';
    answer(id, slot, {.status = status, .keep_alive = false}, body);
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
    const net::ConnId id = carrier_.connect(address, now);
    if (id == net::kNoConn) return id;
    Slot& slot = this->slot(id);
    slot = Slot{};
    slot.phase = Phase::kConnecting;
    slot.role = ws::Role::kClient;
    slot.target = target;
    slot.handler = targets_[target].handler;
    ++slots_in_use_;
    highest_slot_ = std::max<std::size_t>(highest_slot_, net::index(id) + 1);
    carrier_.set_timer(id, now + config_.handshake_timeout);
    return id;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::connected(net::ConnId id, Slot& slot) {
    slot.phase = Phase::kOpening;
    for (std::size_t i = 0; i < slot.key_seed.size(); i += sizeof(ws::MaskKey)) {
        const ws::MaskKey random = keys_.next();
        std::memcpy(slot.key_seed.data() + i, &random, sizeof random);
    }
    const auto key = client_key_of(slot);
    const std::size_t length =
        ws::write_client_request(out_, client_request(slot, std::string_view(key.data(), key.size())));
    if (length == 0 || !write_bytes(carrier_, id, out_bytes(length)))
        opening_failed(id, slot, "no memory left for the request, or it is too long");
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

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::on_response(net::ConnId id, Slot& slot) {
    const auto key = client_key_of(slot);
    auto [wrong, deflate] =
        ws::check_response(response_, client_request(slot, std::string_view(key.data(), key.size())));
    if (wrong.empty() && deflate && !compression_.agree(slot.deflate, slot.role, *deflate))
        wrong = "no memory left for the server's compression";
    if (!wrong.empty()) {
        opening_failed(id, slot, wrong);
        return false;
    }
    opened(id, slot);
    return slot.phase != Phase::kFree;
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
    set_keep_alive(id);
    with_handler(slot.handler, [&]<class H>(H& handler) {
        if constexpr (state_size<H>() != 0) state<H>(id) = typename H::State{};
        Socket<H> socket(*this, id);
        if constexpr (requires { handler.on_open(socket); }) handler.on_open(socket);
    });
}

// The opening did not succeed, and no answer is owed: the connection ends at once.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::opening_failed(net::ConnId id, Slot& slot, std::string_view why) {
    ++counters_.handshake_failed;
    const bool client = slot.role == ws::Role::kClient;
    const std::uint8_t handler_index = slot.handler;
    free_slot(slot);
    carrier_.abort(id);
    if (!client) return;
    with_handler(handler_index, [&]<class H>(H& handler) {
        if constexpr (requires { handler.on_failed(id, why); }) handler.on_failed(id, why);
    });
}

}  // namespace millrace
