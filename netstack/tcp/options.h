#pragma once
// TCP options (RFC 9293 section 3.2, RFC 7323, RFC 2018).

#include <rte_byteorder.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "netstack/tcp/seq.h"

namespace millrace::tcp {

// Bytes from `from` up to and without `to`. Empty: none.
struct SackBlock {
    Seq from, to;

    bool empty() const { return from == to; }
    friend bool operator==(SackBlock, SackBlock) = default;
};

inline constexpr std::size_t kMostSackBlocks = 4;  // what 40 bytes of options take (RFC 2018 section 3)

// When the SYN names none (RFC 9293 section 3.7.1).
constexpr std::uint16_t default_mss(bool ipv6) {
    return ipv6 ? 1220 : 536;
}

struct Options {
    std::uint32_t ts_value = 0;
    std::uint32_t ts_echo = 0;
    std::uint32_t user_timeout = 0;  // seconds (RFC 5482); 0: not given
    std::uint16_t mss = 0;           // 0: not given
    std::uint8_t window_scale = 0;
    bool has_timestamps = false;
    bool has_window_scale = false;
    bool sack_permitted = false;
    std::uint8_t sack_count = 0;
    std::array<SackBlock, kMostSackBlocks> sack{};

    std::span<const SackBlock> sack_blocks() const { return {sack.data(), sack_count}; }
};

inline constexpr std::uint16_t kTimestampBytes = 12;  // with the two NOPs that align it (RFC 7323 appendix A)
inline constexpr std::uint16_t kMaxSynOptions = 4 + 4 + kTimestampBytes;
inline constexpr std::uint8_t kMaxWindowScale = 14;  // RFC 7323 section 2.3

// False when an option's length cannot be (RFC 9293 MUST-7).
bool parse_any_options(std::span<const std::uint8_t> bytes, Options& options);

inline bool parse_options(std::span<const std::uint8_t> bytes, Options& options) {
    if (bytes.empty()) return true;
    constexpr std::uint8_t kAligned[] = {1, 1, 8, 10};
    if (bytes.size() == kTimestampBytes && std::memcmp(bytes.data(), kAligned, sizeof kAligned) == 0) {
        std::uint32_t words[2];
        std::memcpy(words, bytes.data() + 4, sizeof words);
        options.ts_value = rte_be_to_cpu_32(words[0]);
        options.ts_echo = rte_be_to_cpu_32(words[1]);
        options.has_timestamps = true;
        return true;
    }
    return parse_any_options(bytes, options);
}

// Both return the bytes written.
inline std::uint16_t write_timestamps(std::uint8_t* at, std::uint32_t value, std::uint32_t echo) {
    const std::uint32_t words[3] = {rte_cpu_to_be_32(0x0101080a), rte_cpu_to_be_32(value),
                                    rte_cpu_to_be_32(echo)};
    std::memcpy(at, words, sizeof words);
    return sizeof words;
}
// Two NOPs align the blocks; nothing at all when there are none.
std::uint16_t write_sack(std::uint8_t* at, std::span<const SackBlock> blocks);
// Those of `options` that are set, in a SYN; a multiple of four bytes.
std::uint16_t write_syn_options(std::uint8_t* at, const Options& options);

}  // namespace millrace::tcp
