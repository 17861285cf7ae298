// RFC 6455 section 4.1: the client's half.

#include <algorithm>
#include <array>

#include "engine/handshake/base64.h"
#include "engine/handshake/handshake.h"
#include "engine/http/chars.h"
#include "engine/http/writer.h"

namespace millrace::ws {
namespace {

bool is_target(std::string_view target) {
    return target.starts_with('/') && std::all_of(target.begin(), target.end(), http::is_target_char);
}

void write_subprotocols(http::HeadWriter& writer, std::span<const std::string> subprotocols) {
    if (subprotocols.empty()) return;
    writer.text("Sec-WebSocket-Protocol: ");
    for (std::size_t i = 0; i < subprotocols.size(); ++i) {
        if (!http::is_token(subprotocols[i])) writer.fail();
        if (i > 0) writer.text(", ");
        writer.text(subprotocols[i]);
    }
    writer.text("\r\n");
}

std::string_view check_accept(const http::Fields& fields, std::string_view key) {
    if (fields.count("sec-websocket-accept") != 1) return "not exactly one Sec-WebSocket-Accept";
    if (!is_base64_of_16(key)) return "our own Sec-WebSocket-Key is malformed";
    std::array<char, 28> expected;
    accept_key(key, expected);
    if (*fields.get("sec-websocket-accept") != std::string_view(expected.data(), expected.size()))
        return "Sec-WebSocket-Accept does not belong to our key: the answer is not to this request";
    return {};
}

std::string_view check_subprotocol(const http::Fields& fields, std::span<const std::string> offered) {
    const std::size_t lines = fields.count("sec-websocket-protocol");
    if (lines == 0) return {};
    if (lines > 1) return "several Sec-WebSocket-Protocol";
    const std::string_view chosen = *fields.get("sec-websocket-protocol");
    if (std::find(offered.begin(), offered.end(), chosen) == offered.end())
        return "the server chose a subprotocol that was not offered";
    return {};
}

// Section 9.1 and RFC 7692 section 7.1: what is not an answer to our offer fails the connection.
std::string_view check_extensions(const http::Fields& fields, const DeflatePolicy& offered,
                                  std::optional<DeflateParameters>& agreed) {
    const std::size_t lines = fields.count("sec-websocket-extensions");
    if (lines == 0) return {};
    if (lines > 1 || !offered.enabled) return "the server chose an extension that was not offered";
    DeflateParameters parameters;
    switch (check_deflate_response(*fields.get("sec-websocket-extensions"), offered, parameters)) {
        case ExtensionVerdict::kAgreed:
            agreed = parameters;
            return {};
        case ExtensionVerdict::kMalformed:
            return "Sec-WebSocket-Extensions is not a list of extensions";
        case ExtensionVerdict::kNone:
        case ExtensionVerdict::kRefused:
            break;
    }
    return "the server's permessage-deflate is none that was offered";
}

}  // namespace

std::size_t write_client_request(std::span<char> out, const ClientRequest& request) {
    http::HeadWriter writer(out);
    if (!is_target(request.target) || request.host.empty() || !is_base64_of_16(request.key)) writer.fail();
    writer.text("GET ");
    writer.text(request.target);
    writer.text(" HTTP/1.1\r\n");
    writer.field("Host", request.host);
    writer.text("Upgrade: websocket\r\nConnection: Upgrade\r\n");
    writer.field("Sec-WebSocket-Key", request.key);
    writer.text("Sec-WebSocket-Version: 13\r\n");
    if (!request.origin.empty()) writer.field("Origin", request.origin);
    write_subprotocols(writer, request.subprotocols);
    if (request.deflate.enabled) write_deflate_offer(writer, request.deflate);
    for (const http::Field& field : request.extra)
        writer.field(field.name, field.value);
    return writer.finish();
}

void client_key(std::span<const std::byte, 16> random, std::span<char, 24> out) {
    base64_encode(random, out);
}

ResponseVerdict check_response(const http::Response& response, const ClientRequest& request) {
    const http::Fields& fields = response.fields;
    if (response.status != 101) return {"the server did not switch protocols: its status is not 101", {}};
    if (response.minor_version == 0) return {"101 in HTTP/1.0, which cannot switch protocols", {}};
    if (fields.count("upgrade") != 1 || !http::equals_ignoring_case(*fields.get("upgrade"), "websocket"))
        return {"Upgrade is not websocket", {}};
    if (!fields.has_token("connection", "upgrade")) return {"Connection does not list Upgrade", {}};
    ResponseVerdict verdict{check_accept(fields, request.key), {}};
    if (verdict.why.empty()) verdict.why = check_subprotocol(fields, request.subprotocols);
    if (verdict.why.empty()) verdict.why = check_extensions(fields, request.deflate, verdict.deflate);
    return verdict;
}

}  // namespace millrace::ws
