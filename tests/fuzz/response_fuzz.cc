// The response parser and the client's half of the opening handshake.
//
// Input: one byte for the limits (bits 0, 1) and for what we have offered (4: two subprotocols, 8:
// compression, 16: with takeover, 32: in small windows), then what a server sends.

#include "engine/handshake/handshake.h"
#include "tests/fuzz/head_properties.h"

namespace {

using namespace millrace;
using fuzz::require;

http::Response response;

// What establishes a connection is an answer to what was asked.
void check_handshake(unsigned choice) {
    static const std::string subprotocols[] = {"chat", "millrace.v1"};
    ws::ClientRequest request{.host = "a", .key = "dGhlIHNhbXBsZSBub25jZQ=="};
    if (choice & 4) request.subprotocols = subprotocols;
    request.deflate = {.enabled = (choice & 8) != 0,
                       .takeover = (choice & 16) != 0,
                       .window_bits = static_cast<std::uint8_t>(choice & 32 ? 9 : 15)};
    const ws::ResponseVerdict verdict = ws::check_response(response, request);
    if (!verdict.why.empty()) return;
    require(response.status == 101 &&
                response.fields.get("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "a connection that is none");
    const auto subprotocol = response.fields.get("sec-websocket-protocol");
    require(!subprotocol || ((choice & 4) && (*subprotocol == "chat" || *subprotocol == "millrace.v1")),
            "a subprotocol that was not offered");
    require(verdict.deflate.has_value() == response.fields.get("sec-websocket-extensions").has_value(),
            "an extension that is not understood");
    if (!verdict.deflate) return;
    require(request.deflate.enabled, "compression that was not offered");
    require(request.deflate.takeover || !verdict.deflate->server_takeover, "a takeover that was not offered");
    require(verdict.deflate->server_bits <= request.deflate.window_bits &&
                verdict.deflate->client_bits <= request.deflate.window_bits,
            "a window larger than was offered");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const http::Limits limits = fuzz::limits_of(data[0]);
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const http::ParseResult result = http::parse_response(bytes, response, limits);
    require((result.status == http::ParseStatus::kBad) == (*result.why != '\0'), "a reason for each fault");
    if (result.complete()) {
        fuzz::check_taken(bytes, response.head_bytes, response.fields, limits);
        require(response.status >= 100 && response.status <= 599, "the status");
        check_handshake(data[0]);
    }
    fuzz::check_cuts(bytes, http::parse_response, limits, response);
    return 0;
}
