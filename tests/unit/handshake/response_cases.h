#pragma once
// RFC 6455 section 4.1 as a table: answers to a client that has sent kKey and offered the subprotocols "chat"
// and "superchat", and which of them establish a connection. tests/unit/handshake runs it on check_response()
// alone, tests/unit/conformance on whole endpoints.

#include <string>
#include <vector>

namespace millrace::ws::test {

inline constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr const char* kStatus = "HTTP/1.1 101 Switching Protocols\r\n";
inline constexpr const char* kUpgradeAnswered = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
inline constexpr const char* kAccept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

struct ResponseCase {
    const char* what;
    std::string head;
    bool established;
};

inline std::string answer_with(std::string_view fields) {
    return kStatus + std::string(fields) + "\r\n";
}

inline std::string full(std::string_view more) {
    return answer_with(std::string(kUpgradeAnswered) + kAccept + std::string(more));
}

inline const std::vector<ResponseCase> kResponseCases = {
    {"TheExample", full(""), true},
    {"OtherFieldsAndReason",
     "HTTP/1.1 101 WebSocket\r\nServer: x\r\n" + std::string(kUpgradeAnswered) + kAccept + "\r\n", true},
    {"AnyCase",
     answer_with("UPGRADE: WebSocket\r\nCONNECTION: keep-alive, UPGRADE\r\nsec-websocket-accept: "
                 "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
     true},
    {"AcceptWithSpace",
     answer_with(std::string(kUpgradeAnswered) + "Sec-WebSocket-Accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n"),
     true},
    {"Status200", "HTTP/1.1 200 OK\r\n" + std::string(kUpgradeAnswered) + kAccept + "\r\n", false},
    {"Status302", "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", false},
    {"Http10", "HTTP/1.0 101 Switching Protocols\r\n" + std::string(kUpgradeAnswered) + kAccept + "\r\n",
     false},
    {"NoUpgrade", answer_with("Connection: Upgrade\r\n" + std::string(kAccept)), false},
    {"OtherUpgrade", answer_with("Upgrade: h2c\r\nConnection: Upgrade\r\n" + std::string(kAccept)), false},
    {"UpgradeList", answer_with("Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n" + std::string(kAccept)),
     false},
    {"TwoUpgrades", full("Upgrade: websocket\r\n"), false},
    {"NoConnection", answer_with("Upgrade: websocket\r\n" + std::string(kAccept)), false},
    {"ConnectionClose", answer_with("Upgrade: websocket\r\nConnection: close\r\n" + std::string(kAccept)),
     false},
    {"NoAccept", answer_with(kUpgradeAnswered), false},
    {"EmptyAccept", answer_with(std::string(kUpgradeAnswered) + "Sec-WebSocket-Accept:\r\n"), false},
    {"OtherAccept",
     answer_with(std::string(kUpgradeAnswered) + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n"),
     false},
    {"AcceptInOtherCase",
     answer_with(std::string(kUpgradeAnswered) + "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
     false},
    {"AcceptTooLong",
     answer_with(std::string(kUpgradeAnswered) + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=x\r\n"),
     false},
    {"KeyEchoed",
     answer_with(std::string(kUpgradeAnswered) + "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
     false},
    {"TwoAccepts", full(kAccept), false},
    {"Extension", full("Sec-WebSocket-Extensions: permessage-deflate\r\n"), false},
    {"OfferedSubprotocol", full("Sec-WebSocket-Protocol: chat\r\n"), true},
    {"OtherOfferedSubprotocol", full("Sec-WebSocket-Protocol: superchat\r\n"), true},
    {"UnofferedSubprotocol", full("Sec-WebSocket-Protocol: soap\r\n"), false},
    {"SubprotocolInOtherCase", full("Sec-WebSocket-Protocol: Chat\r\n"), false},
    {"SubprotocolList", full("Sec-WebSocket-Protocol: chat, superchat\r\n"), false},
    {"EmptySubprotocol", full("Sec-WebSocket-Protocol:\r\n"), false},
    {"TwoSubprotocols", full("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"), false},
};

}  // namespace millrace::ws::test
