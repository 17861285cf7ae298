#pragma once
// The peer's half of an opening handshake.

#include <array>
#include <string>
#include <string_view>

#include "engine/handshake/handshake.h"

namespace millrace::conformance {

inline constexpr std::string_view kExampleKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 section 1.3
inline constexpr std::string_view kExampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

inline std::string upgrade_request(std::string_view fields = "") {
    return "GET /echo HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: " +
           std::string(kExampleKey) + "\r\nSec-WebSocket-Version: 13\r\n" + std::string(fields) + "\r\n";
}

// The value of the first line of that name, written as it is here; empty when there is none.
inline std::string field_of(std::string_view head, std::string_view name) {
    const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == head.npos) return {};
    const std::size_t from = at + name.size() + 4;
    return std::string(head.substr(from, head.find("\r\n", from) - from));
}

inline std::string accept_of(std::string_view request) {
    std::array<char, 28> accept;
    ws::accept_key(field_of(request, "Sec-WebSocket-Key"), accept);
    return {accept.data(), accept.size()};
}

inline std::string upgrade_response(std::string_view request, std::string_view fields = "") {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           accept_of(request) + "\r\n" + std::string(fields) + "\r\n";
}

inline int status_of(std::string_view response) {
    return response.starts_with("HTTP/1.1 ") && response.size() > 12
               ? std::stoi(std::string(response.substr(9, 3)))
               : 0;
}

}  // namespace millrace::conformance
