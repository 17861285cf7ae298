#include "engine/frame/encode.h"

#include <bit>
#include <cstring>

namespace millrace::ws {
namespace {

// Big-endian, as section 5.2 has it.
template <class Length>
std::byte* write_length(std::byte* out, Length length) {
    if constexpr (sizeof(Length) == 2)
        length = __builtin_bswap16(length);
    else
        length = __builtin_bswap64(length);
    std::memcpy(out, &length, sizeof length);
    return out + sizeof length;
}

}  // namespace

std::size_t encode_header(std::byte* out, Opcode opcode, bool fin, std::uint64_t payload,
                          std::optional<MaskKey> key, bool rsv1) {
    std::byte* at = out;
    *at++ = static_cast<std::byte>((fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | static_cast<unsigned>(opcode));
    const unsigned mask_bit = key ? 0x80 : 0;
    if (payload < 126) {
        *at++ = static_cast<std::byte>(mask_bit | payload);
    } else if (payload < 65536) {
        *at++ = static_cast<std::byte>(mask_bit | 126);
        at = write_length(at, static_cast<std::uint16_t>(payload));
    } else {
        *at++ = static_cast<std::byte>(mask_bit | 127);
        at = write_length(at, payload);
    }
    if (key) {
        std::memcpy(at, &*key, sizeof *key);
        at += sizeof *key;
    }
    return static_cast<std::size_t>(at - out);
}

}  // namespace millrace::ws
