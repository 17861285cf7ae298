#pragma once
// RFC 6455 section 5.2 and 7.4: opcodes and close codes by their registered numbers.

#include <cstdint>

namespace millrace::ws {

enum class Opcode : std::uint8_t {
    kContinuation = 0x0,
    kText = 0x1,
    kBinary = 0x2,
    kClose = 0x8,
    kPing = 0x9,
    kPong = 0xA,
};

constexpr bool is_control(Opcode op) {
    return (static_cast<std::uint8_t>(op) & 0x8) != 0;
}

enum class CloseCode : std::uint16_t {
    kNormal = 1000,
    kGoingAway = 1001,
    kProtocolError = 1002,
    kUnsupportedData = 1003,
    kNoStatus = 1005,  // never on the wire: the peer's Close frame had no code
    kAbnormal = 1006,  // never on the wire: the connection ended without a Close frame
    kInvalidPayload = 1007,
    kPolicyViolation = 1008,
    kMessageTooBig = 1009,
    kMandatoryExtension = 1010,
    kInternalError = 1011,
    kServiceRestart = 1012,
    kTryAgainLater = 1013,
};

// RFC 6455 section 7.4.2: whether a peer may put this number into a Close frame.
constexpr bool may_be_sent(std::uint16_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

enum class Role : std::uint8_t { kServer, kClient };

}  // namespace millrace::ws
