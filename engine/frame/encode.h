#pragma once
// RFC 6455 section 5.2: writing frame headers, with the shortest length form.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/frame/opcode.h"
#include "engine/mask/mask.h"

namespace millrace::ws {

inline constexpr std::size_t kMaxHeader = 14;

constexpr std::size_t header_size(std::uint64_t payload, bool masked) {
    return 2u + (payload < 126 ? 0u : payload < 65536 ? 2u : 8u) + (masked ? 4u : 0u);
}

// Writes header_size() bytes at `out` and returns how many. `rsv1` is for extensions (RFC 7692).
std::size_t encode_header(std::byte* out, Opcode opcode, bool fin, std::uint64_t payload,
                          std::optional<MaskKey> key, bool rsv1 = false);

}  // namespace millrace::ws
