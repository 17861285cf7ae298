// Short ASCII is one look, long texts are for lookup.h; the edges of those, and what is short and not ASCII,
// run through an automaton whose states are bit offsets: the table's word for a byte holds the next state for
// each state, and one shift selects it. The table's load does not wait for the state before, so the chain is
// a shift a byte, without branches.

#include "engine/utf8/utf8.h"

#include <array>
#include <cstring>
#include <type_traits>

#include "engine/utf8/lookup.h"

namespace millrace::ws {
namespace {

// What the next byte must be, by RFC 3629 section 4.
enum State : std::uint8_t {
    kBoundary = 0,  // a character's first byte
    kTail1 = 6,     // one more of 80..BF
    kTail2 = 12,    // two more
    kTail3 = 18,    // three more
    kAfterE0 = 24,  // A0..BF, then kTail1: no overlong form of U+0800 and below
    kAfterEd = 30,  // 80..9F, then kTail1: no surrogate
    kAfterF0 = 36,  // 90..BF, then kTail2: no overlong form
    kAfterF4 = 42,  // 80..8F, then kTail2: nothing above U+10FFFF
    kInvalid = 48,  // for good
    kStateMask = 63,
};

constexpr State first_byte(unsigned byte) {
    if (byte < 0x80) return kBoundary;
    if (byte < 0xC2) return kInvalid;  // a tail byte, or C0 and C1, which only overlong forms need
    if (byte < 0xE0) return kTail1;
    if (byte == 0xE0) return kAfterE0;
    if (byte == 0xED) return kAfterEd;
    if (byte < 0xF0) return kTail2;
    if (byte == 0xF0) return kAfterF0;
    if (byte < 0xF4) return kTail3;
    if (byte == 0xF4) return kAfterF4;
    return kInvalid;
}

constexpr State after(State state, unsigned byte) {
    const auto tail = [byte](unsigned low, unsigned high, State then) {
        return byte >= low && byte <= high ? then : kInvalid;
    };
    switch (state) {
        case kBoundary:
            return first_byte(byte);
        case kTail1:
            return tail(0x80, 0xBF, kBoundary);
        case kTail2:
            return tail(0x80, 0xBF, kTail1);
        case kTail3:
            return tail(0x80, 0xBF, kTail2);
        case kAfterE0:
            return tail(0xA0, 0xBF, kTail1);
        case kAfterEd:
            return tail(0x80, 0x9F, kTail1);
        case kAfterF0:
            return tail(0x90, 0xBF, kTail2);
        case kAfterF4:
            return tail(0x80, 0x8F, kTail2);
        default:
            return kInvalid;
    }
}

constexpr std::array<std::uint64_t, 256> make_table() {
    std::array<std::uint64_t, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte)
        for (unsigned state = kBoundary; state <= kInvalid; state += 6)
            table[byte] |= std::uint64_t{after(static_cast<State>(state), byte)} << state;
    return table;
}

constexpr auto kTable = make_table();

template <class Word>
Word load(const std::byte* from) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

// A power of two bytes.
template <std::size_t kBytes>
bool is_ascii_block(const std::byte* bytes) {
    if constexpr (kBytes <= 8) {
        using Word = std::conditional_t<kBytes == 8, std::uint64_t, std::uint32_t>;
        return (load<Word>(bytes) & static_cast<Word>(0x8080'8080'8080'8080u)) == 0;
    } else {
        std::uint64_t all = 0;
        for (std::size_t i = 0; i < kBytes; i += 8)
            all |= load<std::uint64_t>(bytes + i);
        return (all & 0x8080'8080'8080'8080u) == 0;
    }
}

// kBytes to twice as many, as two blocks that may overlap.
template <std::size_t kBytes>
bool is_ascii_from_both_ends(std::span<const std::byte> bytes) {
    return is_ascii_block<kBytes>(bytes.data()) && is_ascii_block<kBytes>(&bytes.back() + 1 - kBytes);
}

bool is_ascii_up_to_64(std::span<const std::byte> bytes) {
    const std::size_t size = bytes.size();
    if (size >= 32) return is_ascii_from_both_ends<32>(bytes);
    if (size >= 16) return is_ascii_from_both_ends<16>(bytes);
    if (size >= 8) return is_ascii_from_both_ends<8>(bytes);
    if (size >= 4) return is_ascii_from_both_ends<4>(bytes);
    return size == 0 || (std::to_integer<int>(bytes[0] | bytes[size / 2] | bytes[size - 1]) & 0x80) == 0;
}

// How many bytes at the front are seen to be ASCII: all of them, or whole blocks, not many: what is longer is
// better off in wider vectors.
std::size_t ascii_prefix(std::span<const std::byte> bytes) {
    constexpr std::size_t kMost = 256;
    const std::size_t size = bytes.size();
    if (size <= 64) return is_ascii_up_to_64(bytes) ? size : 0;
    std::size_t at = 0;
    while (at < kMost && size - at > 64 && is_ascii_block<64>(&bytes[at]))
        at += 64;
    // The end of a text that is all ASCII so far takes no more than one look.
    return at != 0 && size - at <= 64 && is_ascii_block<64>(&bytes[size - 64]) ? size : at;
}

// How many of the bytes belong to whole characters, if they begin a valid text: a character at their end that
// may lack something is left out.
std::size_t before_last_character(std::span<const std::byte> bytes) {
    for (std::size_t back = 1; back <= 3; ++back) {
        const auto byte = std::to_integer<std::uint8_t>(bytes[bytes.size() - back]);
        if (byte < 0x80) break;
        if (byte >= 0xC0) return bytes.size() - back;
    }
    return bytes.size();
}

}  // namespace

bool Utf8Validator::feed_scalar(std::span<const std::byte> bytes) {
    std::uint64_t state = state_;
    for (const std::byte byte : bytes)
        state = kTable[std::to_integer<std::uint8_t>(byte)] >> state & kStateMask;
    state_ = static_cast<std::uint8_t>(state);
    return state != kInvalid;
}

bool Utf8Validator::feed(std::span<const std::byte> bytes) {
    const std::size_t seen = state_ == kBoundary ? ascii_prefix(bytes) : 0;
    if (seen == bytes.size()) return state_ != kInvalid;
    bytes = bytes.subspan(seen);
    if (bytes.size() < 8 + kLookupLeast) return feed_scalar(bytes);
    if (seen == 0) {
        // To the end of the first character behind the bytes that the lookup reads before its own.
        std::size_t at = kLookupBefore;
        if (!feed_scalar(bytes.first(at))) return false;
        while (state_ != kBoundary)
            if (!feed_scalar(bytes.subspan(at++, 1))) return false;
        bytes = bytes.subspan(at);
    }
    if (!utf8_by_lookup(bytes)) {
        state_ = kInvalid;
        return false;
    }
    return feed_scalar(bytes.subspan(before_last_character(bytes)));
}

}  // namespace millrace::ws
