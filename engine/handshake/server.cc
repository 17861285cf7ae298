// RFC 6455 section 4.2: the server's half.

#include <algorithm>
#include <array>

#include "engine/handshake/base64.h"
#include "engine/handshake/handshake.h"
#include "engine/http/chars.h"
#include "engine/http/list.h"
#include "engine/http/name.h"
#include "engine/http/writer.h"

namespace millrace::ws {
namespace {

// The fields of one request that have to do with the handshake, gathered in one pass.
struct Offer {
    bool upgrade_websocket = false;   // Upgrade lists websocket
    bool connection_upgrade = false;  // Connection lists upgrade
    bool version_13 = false;
    bool bad_protocols = false;
    bool bad_extensions = false;
    int keys = 0;
    int origins = 0;
    std::string_view key;
    std::string_view origin;
    std::string_view subprotocol;  // the first offered that we speak
    std::optional<DeflateParameters> deflate;
};

bool lists(std::string_view value, std::string_view token) {
    if (http::equals_ignoring_case(value, token)) return true;  // nearly always
    http::ListReader list(value);
    for (std::string_view member; list.next(member);)
        if (http::equals_ignoring_case(member, token)) return true;
    return false;
}

std::string_view find_subprotocol(std::string_view name, const UpgradePolicy& policy) {
    const auto found = std::find(policy.subprotocols.begin(), policy.subprotocols.end(), name);
    return found == policy.subprotocols.end() ? std::string_view{} : std::string_view(*found);
}

// 1#token (section 4.3), over any number of lines.
void read_protocols(std::string_view value, const UpgradePolicy& policy, Offer& offer) {
    http::ListReader list(value);
    bool any = false;
    for (std::string_view member; list.next(member); any = true) {
        if (!http::is_token(member)) offer.bad_protocols = true;
        if (offer.subprotocol.empty()) offer.subprotocol = find_subprotocol(member, policy);
    }
    if (!any) offer.bad_protocols = true;
}

// Over any number of lines, which are one list (section 9.1).
void read_extensions(std::string_view value, const UpgradePolicy& policy, Offer& offer) {
    DeflateParameters parameters;
    const ExtensionVerdict verdict = accept_deflate_offer(value, policy.deflate, parameters);
    if (verdict == ExtensionVerdict::kMalformed) offer.bad_extensions = true;
    if (verdict == ExtensionVerdict::kAgreed && !offer.deflate) offer.deflate = parameters;
}

Offer read_offer(const http::Request& request, const UpgradePolicy& policy) {
    Offer offer;
    for (const auto& [name, value] : request.fields.all()) {
        if (http::is_name(name, "upgrade")) {
            offer.upgrade_websocket |= lists(value, "websocket");
        } else if (http::is_name(name, "connection")) {
            offer.connection_upgrade |= lists(value, "upgrade");
        } else if (http::is_name(name, "sec-websocket-key")) {
            offer.key = value;
            ++offer.keys;
        } else if (http::is_name(name, "sec-websocket-version")) {
            offer.version_13 |= lists(value, "13");
        } else if (http::is_name(name, "sec-websocket-protocol")) {
            read_protocols(value, policy, offer);
        } else if (http::is_name(name, "sec-websocket-extensions")) {
            read_extensions(value, policy, offer);
        } else if (http::is_name(name, "origin")) {
            offer.origin = value;
            ++offer.origins;
        }
    }
    return offer;
}

// host[:port] of a serialized origin, scheme "://" host [":" port]; empty for "null" and for what is none.
std::string_view origin_host(std::string_view origin) {
    const std::size_t scheme = origin.find("://");
    return scheme == origin.npos ? std::string_view{} : origin.substr(scheme + 3);
}

bool origin_may_connect(std::string_view origin, std::string_view host, const UpgradePolicy& policy) {
    if (policy.origins.empty()) return !host.empty() && http::equals_ignoring_case(origin_host(origin), host);
    return std::any_of(policy.origins.begin(), policy.origins.end(), [&](const std::string& allowed) {
        return allowed == "*" || http::equals_ignoring_case(allowed, origin);
    });
}

Judgement reject(int status, const char* why) {
    return {.verdict = Verdict::kReject, .status = status, .why = why};
}

}  // namespace

Judgement judge(const http::Request& request, const UpgradePolicy& policy) {
    const Offer offer = read_offer(request, policy);
    // A server ignores Upgrade in HTTP/1.0, and protocols that it does not know (RFC 9110 section 7.8).
    if (!offer.upgrade_websocket || request.minor_version == 0) return {};
    if (!offer.connection_upgrade)
        return reject(400,
                      "Upgrade: websocket without Connection: Upgrade; does a proxy in between drop it?");
    if (request.method != "GET") return reject(405, "a WebSocket is opened with GET (RFC 6455 section 4.1)");
    if (request.body.framing == http::BodyFraming::kChunked || request.body.length != 0)
        return reject(400, "content in a request that opens a WebSocket");
    if (!offer.version_13) return reject(426, "WebSocket version 13 is spoken here (RFC 6455 section 4.4)");
    if (offer.keys != 1 || !is_base64_of_16(offer.key))
        return reject(400, "Sec-WebSocket-Key is not one base64 value of 16 octets (RFC 6455 section 4.2.1)");
    if (offer.origins > 1) return reject(400, "several Origin");
    if (offer.origins == 1 && !origin_may_connect(offer.origin, request.host, policy))
        return reject(403, "pages of this Origin may not connect (RFC 6455 section 10.2)");
    if (offer.bad_protocols)
        return reject(400, "Sec-WebSocket-Protocol is not a list of tokens (RFC 6455 section 4.3)");
    if (offer.bad_extensions)
        return reject(400, "Sec-WebSocket-Extensions is not a list of extensions (RFC 6455 section 9.1)");
    return {.verdict = Verdict::kUpgrade,
            .status = 101,
            .key = offer.key,
            .subprotocol = offer.subprotocol,
            .deflate = offer.deflate};
}

std::size_t write_switching_protocols(std::span<char> out, const Judgement& judgement) {
    if (judgement.verdict != Verdict::kUpgrade) return 0;
    std::array<char, 28> accept;
    accept_key(judgement.key, accept);
    http::HeadWriter writer(out);
    writer.text(
        "HTTP/1.1 101 Switching Protocols\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        "Sec-WebSocket-Accept: ");
    writer.text({accept.data(), accept.size()});
    writer.text("\r\n");
    if (!judgement.subprotocol.empty()) writer.field("Sec-WebSocket-Protocol", judgement.subprotocol);
    if (judgement.deflate) write_deflate_response(writer, *judgement.deflate);
    return writer.finish();
}

std::size_t write_rejection(std::span<char> out, const Judgement& judgement, std::string_view date,
                            bool keep_alive) {
    const std::string_view why = judgement.why;
    http::HeadWriter writer(out);
    writer.status_line(judgement.status);
    if (!date.empty()) writer.field("Date", date);
    if (judgement.status == 405) writer.text("Allow: GET\r\n");
    if (judgement.status == 426) {
        writer.text("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
        writer.text(keep_alive ? "Connection: Upgrade\r\n" : "Connection: Upgrade, close\r\n");
    } else if (!keep_alive) {
        writer.text("Connection: close\r\n");
    }
    writer.text("Content-Type: text/plain; charset=utf-8\r\n");
    writer.field("Content-Length", why.size() + 1);
    const std::size_t head = writer.finish();
    if (head == 0 || out.size() - head < why.size() + 1) return 0;
    std::copy(why.begin(), why.end(), out.begin() + static_cast<std::ptrdiff_t>(head));
    out[head + why.size()] = '\n';
    return head + why.size() + 1;
}

}  // namespace millrace::ws
