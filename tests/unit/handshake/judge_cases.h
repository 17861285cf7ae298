#pragma once
// RFC 6455 section 4.2.1 and RFC 9110 section 7.8 as a table of header lines, each for a server that speaks
// the subprotocol "chat" and takes pages of its own host. tests/unit/handshake runs it on judge() alone,
// tests/unit/conformance on whole endpoints.

#include <string>
#include <vector>

namespace millrace::ws::test {

struct JudgeCase {
    const char* rule;
    std::string fields;
    int status;  // 101: upgrade; 0: an ordinary request
    const char* request_line = "GET /echo HTTP/1.1";
};

inline constexpr int kOrdinary = 0;

inline constexpr const char* kUpgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
inline constexpr const char* kKeyLine = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
inline constexpr const char* kVersion = "Sec-WebSocket-Version: 13\r\n";

inline std::string upgraded_by(std::string_view upgrade) {
    return std::string(upgrade) + kKeyLine + kVersion;
}

inline std::string with_key(std::string_view key) {
    return kUpgrade + std::string(key) + kVersion;
}

inline std::string with_version(std::string_view version) {
    return std::string(kUpgrade) + kKeyLine + std::string(version);
}

inline std::string with(std::string_view fields) {
    return std::string(kUpgrade) + kKeyLine + kVersion + std::string(fields);
}

inline const std::vector<JudgeCase> kJudgeCases = {
    // Upgrade and Connection are lists, in any case, over any number of lines
    {"Rfc9110_7_8", upgraded_by("Upgrade: websocket\r\nConnection: Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("upgrade: WebSocket\r\nconnection: UPGRADE\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: websocket\r\nConnection: keep-alive\r\nConnection: upgrade\r\n"),
     101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: example/1, websocket, foo/2\r\nConnection: Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: example/1,websocket\r\nConnection: Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: example/1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: , websocket\t,\r\nConnection: ,upgrade,\r\n"), 101},
    {"Rfc9110_7_8", upgraded_by("Upgrade: h2c\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Upgrade: example/1, foo/2\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Upgrade: websocket/13\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Upgrade: websockets\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Upgrade:\r\nConnection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by("Connection: Upgrade\r\n"), kOrdinary},
    {"Rfc9110_7_8", upgraded_by(""), kOrdinary},
    {"Rfc9110_7_8", "", kOrdinary},
    {"Rfc9110_7_8", upgraded_by(kUpgrade), kOrdinary, "GET /echo HTTP/1.0"},
    {"Rfc6455_4_2_1_4", upgraded_by("Upgrade: websocket\r\n"), 400},
    {"Rfc6455_4_2_1_4", upgraded_by("Upgrade: websocket\r\nConnection: close\r\n"), 400},
    {"Rfc6455_4_2_1_4", upgraded_by("Upgrade: websocket\r\nConnection: upgraded\r\n"), 400},

    // Request line
    {"Rfc6455_4_2_1_1", with(""), 101, "GET /a/b?c=d HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with(""), 101, "GET ws://server.example.com/echo HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with(""), 405, "POST /echo HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with(""), 405, "HEAD /echo HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with(""), 405, "get /echo HTTP/1.1"},
    {"Rfc6455_4_2_1_1", with("Content-Length: 0\r\n"), 101},
    {"Rfc6455_4_2_1_1", with("Content-Length: 5\r\n"), 400},
    {"Rfc6455_4_2_1_1", with("Transfer-Encoding: chunked\r\n"), 400},

    // Sec-WebSocket-Key
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key:   dGhlIHNhbXBsZSBub25jZQ==  \r\n"), 101},
    {"Rfc6455_4_2_1_5", with_key("SEC-WEBSOCKET-KEY: ++//AAAAAAAAAAAAAAAAAA==\r\n"), 101},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAz==\r\n"), 101},
    {"Rfc6455_4_2_1_5", with_key(""), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key:\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== x\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhlIHNh XBsZSBub25jZQ==\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhl-HNhbXBsZSBub25jZQ==\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: dGhl=HNhbXBsZSBub25jZQ==\r\n"), 400},
    {"Rfc6455_4_2_1_5", with_key(std::string(kKeyLine) + kKeyLine), 400},
    {"Rfc6455_4_2_1_5", with_key("Sec-WebSocket-Key: " + std::string(4000, 'A') + "==\r\n"), 400},

    // Sec-WebSocket-Version
    {"Rfc6455_4_4", with_version(""), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version:\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 8\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 14\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 013\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 130\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 13;q=1\r\n"), 426},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 8, 13\r\n"), 101},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 25\r\nSec-WebSocket-Version: 13, 8\r\n"), 101},
    {"Rfc6455_4_4", with_version("Sec-WebSocket-Version: 8\r\nSec-WebSocket-Version: 7\r\n"), 426},

    // Sec-WebSocket-Protocol
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: chat\r\n"), 101},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: unknown, other\r\n"), 101},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: a,,b\r\n"), 101},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol:\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: ,\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: chat room\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: \"chat\"\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: chat, a/b\r\n"), 400},
    {"Rfc6455_4_3", with("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: x=1\r\n"), 400},

    // Extensions that we do not speak are left out of the answer
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"), 101},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: x-a, x-b; y=\"z\"\r\n"), 101},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: x-a; y=\"z, z\"\r\n"), 400},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: permessage-deflate; =1\r\n"), 400},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: x-a;\r\n"), 400},
    {"Rfc6455_9_1", with("Sec-WebSocket-Extensions: x a\r\n"), 400},

    // Origin, with the default policy
    {"Rfc6455_10_2", with("Origin: http://server.example.com\r\n"), 101},
    {"Rfc6455_10_2", with("Origin: https://SERVER.example.COM\r\n"), 101},
    {"Rfc6455_10_2", with("Origin: http://example.com\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com:81\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com.evil.org\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://evil.org/server.example.com\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com@evil.org\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com/\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: server.example.com\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: null\r\n"), 403},
    {"Rfc6455_10_2", with("Origin:\r\n"), 403},
    {"Rfc6455_10_2", with("Origin: http://server.example.com\r\nOrigin: http://server.example.com\r\n"), 400},
};

// The whole request.
inline std::string request_text(std::string_view line, std::string_view fields) {
    return std::string(line) + "\r\nHost: server.example.com\r\n" + std::string(fields) + "\r\n";
}

}  // namespace millrace::ws::test
