#include "netstack/tcp/options.h"

#include <algorithm>

namespace millrace::tcp {
namespace {

enum Kind : std::uint8_t {
    kEnd = 0,
    kNop = 1,
    kMss = 2,
    kWindowScale = 3,
    kSackPermitted = 4,
    kSackKind = 5,
    kTimestampsKind = 8,
    kUserTimeout = 28,
};

std::uint32_t read32(const std::uint8_t* at) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    return rte_be_to_cpu_32(word);
}

void write32(std::uint8_t* at, std::uint32_t value) {
    const std::uint32_t word = rte_cpu_to_be_32(value);
    std::memcpy(at, &word, sizeof word);
}

constexpr std::uint8_t kBlockBytes = 8;

}  // namespace

bool parse_any_options(std::span<const std::uint8_t> bytes, Options& options) {
    while (!bytes.empty() && bytes[0] != kEnd) {
        if (bytes[0] == kNop) {
            bytes = bytes.subspan(1);
            continue;
        }
        if (bytes.size() < 2 || bytes[1] < 2 || bytes[1] > bytes.size()) return false;
        const std::uint8_t length = bytes[1];
        const std::uint8_t* value = bytes.data() + 2;
        // A known kind with a length that is not its own is skipped like an unknown one.
        if (bytes[0] == kMss && length == 4) {
            options.mss = static_cast<std::uint16_t>(value[0] << 8 | value[1]);
        } else if (bytes[0] == kWindowScale && length == 3) {
            options.has_window_scale = true;
            options.window_scale = std::min(value[0], kMaxWindowScale);
        } else if (bytes[0] == kSackPermitted && length == 2) {
            options.sack_permitted = true;
        } else if (bytes[0] == kSackKind && length > 2 && length % kBlockBytes == 2) {
            options.sack_count = length / kBlockBytes;  // no more than four find room
            for (std::size_t i = 0; i < options.sack_count; ++i)
                options.sack[i] = {Seq{read32(value + i * kBlockBytes)},
                                   Seq{read32(value + i * kBlockBytes + 4)}};
        } else if (bytes[0] == kTimestampsKind && length == 10) {
            options.has_timestamps = true;
            options.ts_value = read32(value);
            options.ts_echo = read32(value + 4);
        } else if (bytes[0] == kUserTimeout && length == 4) {  // RFC 5482 section 2: minutes or seconds
            const std::uint32_t time = (value[0] & 0x7fu) << 8 | value[1];
            options.user_timeout = value[0] & 0x80 ? time * 60 : time;
        }
        bytes = bytes.subspan(length);
    }
    return true;
}

std::uint16_t write_sack(std::uint8_t* at, std::span<const SackBlock> blocks) {
    if (blocks.empty()) return 0;
    std::uint8_t* end = at;
    *end++ = kNop;
    *end++ = kNop;
    *end++ = kSackKind;
    *end++ = static_cast<std::uint8_t>(2 + blocks.size() * kBlockBytes);
    for (const SackBlock& block : blocks) {
        write32(end, block.from.value);
        write32(end + 4, block.to.value);
        end += kBlockBytes;
    }
    return static_cast<std::uint16_t>(end - at);
}

std::uint16_t write_syn_options(std::uint8_t* at, const Options& options) {
    std::uint8_t* end = at;
    if (options.mss != 0) {
        *end++ = kMss;
        *end++ = 4;
        *end++ = static_cast<std::uint8_t>(options.mss >> 8);
        *end++ = static_cast<std::uint8_t>(options.mss);
    }
    if (options.has_timestamps) {
        end += write_timestamps(end, options.ts_value, options.ts_echo);
        if (options.sack_permitted) {  // in the place of the two NOPs
            end[-12] = kSackPermitted;
            end[-11] = 2;
        }
    } else if (options.sack_permitted) {
        *end++ = kNop;
        *end++ = kNop;
        *end++ = kSackPermitted;
        *end++ = 2;
    }
    if (options.has_window_scale) {
        *end++ = kNop;
        *end++ = kWindowScale;
        *end++ = 3;
        *end++ = options.window_scale;
    }
    return static_cast<std::uint16_t>(end - at);
}

}  // namespace millrace::tcp
