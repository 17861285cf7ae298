#include "bench/traffic/pattern.h"

#include <algorithm>
#include <array>
#include <bit>

namespace millrace::bench {

static_assert(std::endian::native == std::endian::little, "a word's first byte is its lowest");

namespace {

std::uint64_t load(const std::byte* at) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

std::byte byte_of(std::uint64_t word, std::size_t offset) {
    return static_cast<std::byte>(word >> (8 * (offset % 8)) & 0xff);
}

}  // namespace

void Pattern::fill(std::span<std::byte> payload, std::uint32_t number, std::uint32_t sequence) const {
    const Words words = this->words(payload.size(), number, sequence);
    std::size_t at = 0;
    for (; at + 8 <= payload.size(); at += 8) {
        const std::uint64_t word = words[at / 8];
        std::memcpy(payload.data() + at, &word, sizeof word);
    }
    for (; at < payload.size(); ++at)
        payload[at] = byte_of(words[at / 8], at);
}

// `part` lies at `offset` in the message; parts may be cut at any byte.
bool Pattern::part_matches(const Words& words, std::span<const std::byte> part, std::size_t offset) {
    std::size_t at = 0;
    std::uint64_t different = 0;
    const auto compare_byte = [&] {
        different |= static_cast<std::uint64_t>(part[at] ^ byte_of(words[(offset + at) / 8], offset + at));
        ++at;
    };
    while (at < part.size() && (offset + at) % 8 != 0)
        compare_byte();
    for (; at + 8 <= part.size(); at += 8)
        different |= load(part.data() + at) ^ words[(offset + at) / 8];
    while (at < part.size())
        compare_byte();
    return different == 0;
}

bool Pattern::matches(const Message& message, std::uint32_t number, std::uint32_t sequence) const {
    const Words words = this->words(message.size(), number, sequence);
    std::size_t offset = 0;
    for (const auto part : message.parts()) {
        if (!part_matches(words, part, offset)) return false;
        offset += part.size();
    }
    return true;
}

std::optional<std::uint32_t> Pattern::number_in(const Message& message) {
    std::array<std::byte, kHead> head;
    std::size_t have = 0;
    for (const auto part : message.parts()) {
        const std::size_t n = std::min(part.size(), kHead - have);
        std::copy_n(part.begin(), n, head.begin() + static_cast<std::ptrdiff_t>(have));
        have += n;
        if (have == kHead) return static_cast<std::uint32_t>(load(head.data()) >> 32);
    }
    return std::nullopt;
}

}  // namespace millrace::bench
