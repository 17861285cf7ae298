#pragma once
// RFC 6455 section 5.2: reading a frame header, with every rule that a header can break by itself. What
// depends on the frames before it (continuations, the size of the message) is the session's.

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/frame/opcode.h"
#include "engine/mask/mask.h"

namespace millrace::ws {

struct FrameHeader {
    Opcode opcode{};
    bool fin = false;
    bool masked = false;
    bool compressed = false;  // RSV1, where permessage-deflate was agreed (RFC 7692 section 6)
    std::uint8_t size = 0;  // of the header in bytes; kNeedMore: of the whole header as far as that is known
    MaskKey key = 0;        // when masked
    std::uint64_t payload = 0;
};

enum class HeaderStatus : std::uint8_t { kNeedMore, kComplete, kBad };

struct HeaderResult {
    HeaderStatus status = HeaderStatus::kNeedMore;
    FrameHeader header;
    const char* why = "";  // kBad: a static sentence naming the rule
};

// Reads a header from the front of `in`, sent to an end in `role`: a server takes masked frames only, a
// client unmasked ones only (section 5.1). `deflate`: permessage-deflate was agreed, so that RSV1 may mark
// the first frame of a message (RFC 7692 section 6). Says kBad as soon as the bytes that are there break a
// rule.
HeaderResult decode_header(std::span<const std::byte> in, Role role, bool deflate = false);

}  // namespace millrace::ws
