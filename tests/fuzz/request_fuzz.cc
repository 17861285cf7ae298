// The request parser and the server's half of the opening handshake: a request that opens a WebSocket gets an
// answer which our own client accepts.
//
// Input: one byte for the limits (bits 0, 1) and for what we are willing to compress (4: not at all, 8: with
// takeover, 16: in small windows), then what a client sends.

#include <span>

#include "engine/handshake/handshake.h"
#include "engine/http/exchange.h"
#include "tests/fuzz/head_properties.h"

namespace {

using namespace millrace;
using fuzz::require;

http::Request request;
http::Response response;

void check_switch(const ws::Judgement& judgement) {
    char out[512];
    const std::size_t size = ws::write_switching_protocols(out, judgement);
    require(size > 0, "no room for an answer");
    require(http::parse_response({out, size}, response, {}).complete(), "our answer is malformed");
    const std::string subprotocols[] = {"chat", "millrace.v1"};
    ws::DeflatePolicy offered{.enabled = judgement.deflate.has_value(), .takeover = true};
    if (judgement.deflate) offered.window_bits = std::max<std::uint8_t>(judgement.deflate->client_bits, 9);
    const auto verdict = ws::check_response(
        response, {.host = "a", .key = judgement.key, .subprotocols = subprotocols, .deflate = offered});
    // A window that our client would not have named may be too small for its offer.
    require(
        verdict.why.empty() || (judgement.deflate && judgement.deflate->server_bits > offered.window_bits),
        "our answer is refused by our client");
}

void check_handshake(unsigned choice) {
    static ws::UpgradePolicy policy{.origins = {}, .subprotocols = {"millrace.v1", "chat"}};
    policy.deflate = {.enabled = !(choice & 4),
                      .takeover = (choice & 8) != 0,
                      .window_bits = static_cast<std::uint8_t>(choice & 16 ? 9 : 15)};
    const ws::Judgement judgement = ws::judge(request, policy);
    if (judgement.verdict == ws::Verdict::kUpgrade) check_switch(judgement);
    if (judgement.verdict == ws::Verdict::kReject) {
        char out[512];
        const std::size_t size = ws::write_rejection(out, judgement, {}, http::keeps_alive(request));
        require(http::parse_response({out, size}, response, {}).complete(), "our refusal is malformed");
        require(response.status == judgement.status && judgement.status >= 400, "our refusal's status");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const http::Limits limits = fuzz::limits_of(data[0]);
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const http::ParseResult result = http::parse_request(bytes, request, limits);
    const bool bad = result.status == http::ParseStatus::kBad;
    require(bad == (result.http_status >= 400) && bad == (*result.why != '\0'),
            "a status and a reason for each fault");
    if (result.complete()) {
        fuzz::check_taken(bytes, request.head_bytes, request.fields, limits);
        require(http::is_token(request.method) && request.target.size() <= limits.target_bytes,
                "the request line");
        require(request.minor_version == 0 || request.fields.count("host") == 1, "Host");
        require(!request.fields.get("content-length") || !request.fields.get("transfer-encoding"),
                "two framings");
        check_handshake(data[0]);
    }
    fuzz::check_cuts(bytes, http::parse_request, limits, request);
    return 0;
}
