// The lab's payloads: both ends must tell a wrong byte, message or connection, however the payload is cut.

#include "bench/traffic/pattern.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace millrace::bench {
namespace {

using Bytes = std::vector<std::byte>;
using PartList = std::vector<std::span<std::byte>>;

Bytes payload(const Pattern& pattern, std::size_t size, std::uint32_t number, std::uint32_t sequence) {
    Bytes bytes(size);
    pattern.fill(bytes, number, sequence);
    return bytes;
}

bool matches(const Pattern& pattern, Bytes& bytes, std::uint32_t number, std::uint32_t sequence) {
    const PartList parts{std::span(bytes)};
    return pattern.matches(Message(ws::Opcode::kBinary, parts), number, sequence);
}

TEST(Pattern, MatchesWhatItFilled) {
    const Pattern pattern(7);
    for (std::size_t size = 0; size < 200; ++size) {
        Bytes bytes = payload(pattern, size, 12, 34);
        EXPECT_TRUE(matches(pattern, bytes, 12, 34)) << size;
    }
}

TEST(Pattern, TellsEveryChangedBit) {
    const Pattern pattern(7);
    for (const std::size_t size : {1u, 7u, 8u, 9u, 32u, 61u}) {
        Bytes bytes = payload(pattern, size, 12, 34);
        for (std::size_t bit = 0; bit < size * 8; ++bit) {
            const auto flip = static_cast<std::byte>(1u << bit % 8);
            bytes[bit / 8] ^= flip;
            EXPECT_FALSE(matches(pattern, bytes, 12, 34)) << size << " bytes, bit " << bit;
            bytes[bit / 8] ^= flip;
        }
    }
}

TEST(Pattern, TellsTheWrongMessageConnectionAndRun) {
    const Pattern pattern(7), other_run(8);
    for (const std::size_t size : {8u, 32u, 1000u}) {
        Bytes bytes = payload(pattern, size, 12, 34);
        EXPECT_FALSE(matches(pattern, bytes, 12, 35));
        EXPECT_FALSE(matches(pattern, bytes, 13, 34));
        EXPECT_EQ(matches(other_run, bytes, 12, 34), size == 8);  // 8 bytes are the two numbers alone
    }
    // Too short for the connection's number: the sequence still shows.
    Bytes bytes = payload(pattern, 4, 12, 34);
    EXPECT_TRUE(matches(pattern, bytes, 99, 34));
    EXPECT_FALSE(matches(pattern, bytes, 12, 35));
}

TEST(Pattern, IsFoundAgainInAnyCut) {
    const Pattern pattern(7);
    std::mt19937 random(3);
    for (int round = 0; round < 500; ++round) {
        Bytes bytes = payload(pattern, random() % 300, 5, 6);
        PartList parts;
        for (std::span<std::byte> rest(bytes); !rest.empty();) {
            const std::size_t n = std::min<std::size_t>(rest.size(), random() % 20);  // empty parts, too
            parts.push_back(rest.first(n));
            rest = rest.subspan(n);
        }
        const Message message(ws::Opcode::kBinary, parts);
        ASSERT_TRUE(pattern.matches(message, 5, 6));
        EXPECT_EQ(Pattern::number_in(message),
                  bytes.size() < 8 ? std::nullopt : std::optional<std::uint32_t>(5));
        if (bytes.empty()) continue;
        bytes[random() % bytes.size()] ^= std::byte{0x10};
        ASSERT_FALSE(pattern.matches(message, 5, 6));
    }
}

}  // namespace
}  // namespace millrace::bench
