#include "engine/frame/header.h"

#include <cstring>

#include "engine/frame/encode.h"

namespace millrace::ws {
namespace {

// What the first byte breaks, or null.
const char* first_byte_fault(std::uint8_t byte, bool deflate) {
    const unsigned opcode = byte & 0x0f;
    if (byte & 0x70) {
        if (!deflate || byte & 0x30) return "reserved bit set without an extension (RFC 6455 section 5.2)";
        if (opcode == 0 || opcode > 2)
            return "RSV1 on a frame that does not begin a message (RFC 7692 section 6.1)";
    }
    if ((opcode & 7) > 2) return "reserved opcode (RFC 6455 section 5.2)";
    if (opcode >= 8 && !(byte & 0x80)) return "fragmented control frame (RFC 6455 section 5.5)";
    return nullptr;
}

// What the second byte breaks, or null.
const char* second_byte_fault(std::uint8_t byte, Opcode opcode, Role role) {
    const bool masked = byte & 0x80;
    if (masked != (role == Role::kServer))
        return masked ? "masked frame from a server (RFC 6455 section 5.1)"
                      : "unmasked frame from a client (RFC 6455 section 5.1)";
    if (is_control(opcode) && (byte & 0x7f) > 125)
        return "control frame of more than 125 bytes (RFC 6455 section 5.5)";
    return nullptr;
}

// An extended payload length: big-endian.
std::uint64_t read_length(const std::byte* from, std::size_t size) {
    std::uint64_t length = 0;
    std::memcpy(&length, from, size);
    return __builtin_bswap64(length) >> (64 - 8 * size);
}

HeaderStatus decode(std::span<const std::byte> in, Role role, bool deflate, FrameHeader& header,
                    const char*& why) {
    const auto bad = [&why](const char* fault) {
        why = fault;
        return HeaderStatus::kBad;
    };

    header.size = 2;
    if (in.empty()) return HeaderStatus::kNeedMore;
    const auto first = std::to_integer<std::uint8_t>(in[0]);
    if (const char* fault = first_byte_fault(first, deflate)) return bad(fault);
    header.fin = first & 0x80;
    header.compressed = first & 0x40;
    header.opcode = static_cast<Opcode>(first & 0x0f);

    if (in.size() < 2) return HeaderStatus::kNeedMore;
    const auto second = std::to_integer<std::uint8_t>(in[1]);
    if (const char* fault = second_byte_fault(second, header.opcode, role)) return bad(fault);
    header.masked = second & 0x80;
    header.payload = second & 0x7f;
    const std::size_t extended = header.payload < 126 ? 0 : header.payload == 126 ? 2 : 8;
    header.size = static_cast<std::uint8_t>(2 + extended + (header.masked ? 4 : 0));

    if (in.size() < 2 + extended) return HeaderStatus::kNeedMore;
    if (extended != 0) {
        header.payload = extended == 2 ? read_length(&in[2], 2) : read_length(&in[2], 8);
        if (header.payload >> 63) return bad("64-bit length with its top bit set (RFC 6455 section 5.2)");
        if (header_size(header.payload, header.masked) != header.size)
            return bad("length not in its shortest form (RFC 6455 section 5.2)");
    }

    if (in.size() < header.size) return HeaderStatus::kNeedMore;
    if (header.masked) std::memcpy(&header.key, &in[2 + extended], sizeof header.key);
    return HeaderStatus::kComplete;
}

}  // namespace

HeaderResult decode_header(std::span<const std::byte> in, Role role, bool deflate) {
    HeaderResult result;
    result.status = decode(in, role, deflate, result.header, result.why);
    return result;
}

}  // namespace millrace::ws
