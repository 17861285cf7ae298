#pragma once
// RFC 6455 section 5.2: writing frames, with the shortest length form. Inline, since a call would cost as
// much as a small frame's copy.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "engine/frame/opcode.h"
#include "engine/mask/mask.h"

namespace millrace::ws {

inline constexpr std::size_t kMaxHeader = 14;

constexpr std::size_t header_size(std::uint64_t payload, bool masked) {
    return 2u + (payload < 126 ? 0u : payload < 65536 ? 2u : 8u) + (masked ? 4u : 0u);
}

// Writes header_size() bytes at `out` and returns how many. `rsv1` is for extensions (RFC 7692).
inline std::size_t encode_header(std::byte* out, Opcode opcode, bool fin, std::uint64_t payload,
                                 std::optional<MaskKey> key, bool rsv1 = false) {
    const unsigned first = (fin ? 0x80u : 0u) | (rsv1 ? 0x40u : 0u) | static_cast<unsigned>(opcode);
    const unsigned mask_bit = key ? 0x80 : 0;
    std::byte* at = out;
    const auto write = [&at](const auto octets) {
        std::memcpy(at, &octets, sizeof octets);
        at += sizeof octets;
    };
    const auto write_first_two = [&](unsigned second) {
        write(static_cast<std::uint16_t>(first | (mask_bit | second) << 8));
    };
    if (payload < 126) [[likely]] {
        write_first_two(static_cast<unsigned>(payload));
    } else if (payload < 65536) {
        write_first_two(126);
        write(__builtin_bswap16(static_cast<std::uint16_t>(payload)));
    } else {
        write_first_two(127);
        write(__builtin_bswap64(payload));
    }
    if (key) write(*key);
    return static_cast<std::size_t>(at - out);
}

// Writes a whole message as one frame, header_size() + payload.size() bytes at `out`, masked on the way where
// there is a key, and returns how many: where the next frame begins.
inline std::size_t encode_frame(std::byte* out, Opcode opcode, std::span<const std::byte> payload,
                                std::optional<MaskKey> key, bool rsv1 = false) {
    const std::size_t header = encode_header(out, opcode, true, payload.size(), key, rsv1);
    if (key)
        copy_masked(payload, out + header, *key);
    else if (!payload.empty())
        std::memcpy(out + header, payload.data(), payload.size());
    return header + payload.size();
}

}  // namespace millrace::ws
