#pragma once
// Part of endpoint.h: ordinary HTTP on the port (RFC 9110, RFC 9112): requests that open no WebSocket.

namespace millrace {

// Content is read past within a limit before the answer, so that the connection goes on; nothing here takes
// one. `head` is what request_ was parsed from, `in` what came behind it.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_ordinary(net::ConnId id, Slot& slot, std::span<std::byte> head,
                                           std::span<std::byte>& in) {
    const http::Expectation expectation = http::expectation(request_);
    if (expectation == http::Expectation::kUnknown)
        return refuse(id, slot, 417, "nothing but 100-continue can be expected (RFC 9110 section 10.1.1)");
    if (!http::has_content(request_)) {
        if (!answer_page(id, slot)) keep_request(id, slot, head);
        return;
    }
    const bool awaited = in.empty() && expectation == http::Expectation::kContinue;
    http::BodyStatus status = slot.http.body.begin(request_.body, config_.http.body_bytes);
    if (status == http::BodyStatus::kMore) status = slot.http.body.skip(in);
    switch (status) {
        case http::BodyStatus::kDone:
            if (!answer_page(id, slot)) keep_request(id, slot, head);
            return;
        case http::BodyStatus::kBad:
            return refuse(id, slot, 400, "chunks that are none (RFC 9112 section 7.1)");
        case http::BodyStatus::kTooLong:
            return refuse(id, slot, 413, "more content than is read here");
        case http::BodyStatus::kMore:
            break;
    }
    slot.http.in_body = true;
    keep_request(id, slot, head);
    if (slot.phase != Phase::kOpening || !awaited) return;
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!write_bytes(carrier_, id, std::as_bytes(std::span(kContinue))))
        opening_failed(id, slot, "no memory left for the response");
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_content(net::ConnId id, Slot& slot, std::span<std::byte>& in) {
    switch (slot.http.body.skip(in)) {
        case http::BodyStatus::kMore:
            return;
        case http::BodyStatus::kBad:
            return refuse(id, slot, 400, "chunks that are none (RFC 9112 section 7.1)");
        case http::BodyStatus::kTooLong:
            return refuse(id, slot, 413, "more content than is read here");
        case http::BodyStatus::kDone:
            slot.http.in_body = false;
            return answer_kept(id, slot);
    }
}

// A head, or its beginning, that is needed again: it is kept in the slot's chain, if it is not there yet. The
// rest of the request must come before the time that begins now, unless the connection's first one runs.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::keep_request(net::ConnId id, Slot& slot, std::span<const std::byte> head) {
    if (slot.phase != Phase::kOpening) return;
    if (slot.chain == kNoChain && !chains_.append(slot.chain, head)) {
        ++counters_.memory_refusals;
        if (slot.role == ws::Role::kClient)
            return opening_failed(id, slot, "no memory left for the response");
        return refuse(id, slot, 503, "no memory left for the request");
    }
    if (slot.role == ws::Role::kClient || slot.http.answer_owed) return;
    if (slot.http.answered) carrier_.set_timer(id, now_ + config_.handshake_timeout);
    slot.http.answered = false;
}

// The answer to the request in the slot's chain.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::answer_kept(net::ConnId id, Slot& slot) {
    const auto head = chains_.front(slot.chain);
    http::parse_request({reinterpret_cast<const char*>(head.data()), head.size()}, request_, config_.http);
    if (answer_page(id, slot)) chains_.release(slot.chain);
}

template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::owes_answer(const Slot& slot) const {
    return slot.phase == Phase::kOpening && slot.role == ws::Role::kServer && slot.http.answer_owed;
}

// False when the answer is owed: its request must be kept.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::answer_page(net::ConnId id, Slot& slot) {
    const auto found = pages_.find(page_path());
    const bool reads = request_.method == "GET" || request_.method == "HEAD";
    if (found == pages_.end() || !reads) return answer_without_page(id, slot);
    const Page& page = *found->second;
    if (page.guarded)
        if (const Access access = config_.tokens.judge(request_); !access.allowed()) {
            deny(id, slot, access);
            return true;
        }
    http::ResponseHead head{.keep_alive = http::keeps_alive(request_)};
    if (!page.location.empty()) {
        const http::Field location{"Location", page.location};
        head.status = 308;
        head.extra = std::span(&location, 1);
        return answer(id, slot, head, "It is there.\n");
    }
    head.content_type = page.content_type;
    if (page.make) return answer(id, slot, head, page.make(now_));
    const http::Field etag{"ETag", page.etag};
    head.extra = std::span(&etag, 1);
    if (http::names_etag(request_, page.etag)) head.status = 304;
    return answer(id, slot, head, *page.body);
}

// What neither GET nor HEAD of a page asks for.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::answer_without_page(net::ConnId id, Slot& slot) {
    constexpr http::Field kAllow{"Allow", "GET, HEAD, OPTIONS"};  // RFC 9110 section 10.2.1
    constexpr std::array kUpgrade{http::Field{"Upgrade", "websocket"}, http::Field{"Connection", "Upgrade"},
                                  http::Field{"Sec-WebSocket-Version", "13"}};
    http::ResponseHead head{.keep_alive = http::keeps_alive(request_)};
    if (!http::is_known_method(request_.method)) {  // RFC 9110 section 9.1; CONNECT is for proxies
        head.status = 501;
        return answer(id, slot, head, "This method is not known here.\n");
    }
    const bool page = request_.path == "*" || pages_.contains(page_path());
    std::uint8_t handler = 0;
    if (!page && upgrades_at(app_, request_.path, handler)) {
        head.status = 426;  // RFC 9110 section 15.5.22
        head.extra = kUpgrade;
        return answer(id, slot, head, "A WebSocket is served at this path.\n");
    }
    if (!page) {
        head.status = 404;
        return answer(id, slot, head, "Nothing is served at this path.\n");
    }
    head.extra = std::span(&kAllow, 1);
    head.status = request_.method == "OPTIONS" ? 204 : 405;  // RFC 9110 sections 9.3.7, 15.5.6
    return answer(id, slot, head, "Only GET and HEAD are answered here.\n");
}

template <net::Carrier C, class... Handlers>
std::string_view Endpoint<C, Handlers...>::page_path() {
    if (request_.path.find('%') == std::string_view::npos) return request_.path;
    // No target is longer than the block that out_ is as long as.
    return http::decode_path(request_.path, out_);
}

// Writes a response; the connection then awaits the next request, or ends. False when there is no room for it
// yet: then nothing was written, and the answer is owed.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::answer(net::ConnId id, Slot& slot, http::ResponseHead head,
                                      std::string_view body) {
    if (head.content_type.empty()) head.content_type = "text/plain; charset=utf-8";
    head.content_length = body.size();
    head.minor_version = request_.minor_version;
    head.date = date_.at(now_);  // RFC 9110 section 6.6.1
    const std::size_t length = http::write_response(out_, head);
    const bool content = http::carries_content(request_.method, head.status) && !body.empty();
    const std::span<const std::byte> content_bytes =
        std::as_bytes(std::span(content ? body : std::string_view{}));
    if (length == 0) {  // a field that would break out of its line
        opening_failed(id, slot, "a malformed answer");
        return true;
    }
    // Both or neither: half an answer would be taken for a whole one by who counts on keep-alive.
    if (!carrier_.prepare(id, length + content_bytes.size())) {
        if (!slot.http.answer_owed) carrier_.pause(id);
        slot.http.answer_owed = true;
        wait_for_room(id, slot);
        return false;
    }
    ++counters_.http_requests;
    write_prepared(carrier_, id, out_bytes(length));
    write_prepared(carrier_, id, content_bytes);
    await_request(id, slot, head.keep_alive);
    return true;
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::await_request(net::ConnId id, Slot& slot, bool keep_alive) {
    if (!keep_alive) {
        end_tcp(id, slot);
        return await_end(id, slot);
    }
    slot.http = HttpState{.answered = true};
    slot.progress = UINT32_MAX;
    carrier_.set_timer(id, now_ + config_.handshake_timeout);
}

// Answers what is not a request that can be taken, and ends the connection: what follows cannot be trusted
// to be a request's beginning (RFC 9112 section 11.2).
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::refuse(net::ConnId id, Slot& slot, int status, std::string_view why) {
    ++counters_.handshake_failed;
    note_refusal(id, status, why, nullptr);
    request_.method = {};
    request_.minor_version = 1;
    std::string body(why);
    body += '\n';
    if (!answer(id, slot, {.status = status, .keep_alive = false}, body))
        opening_failed(id, slot, "no memory left for the response");
}

}  // namespace millrace
