#include "netstack/base/checksum.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::net {
namespace {

// RFC 1071 section 4.1, in words of network order.
std::uint16_t by_the_rfc(std::span<const std::byte> bytes) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        sum += static_cast<std::uint64_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

std::vector<std::byte> noise(std::size_t n, std::uint32_t seed) {
    std::vector<std::byte> bytes(n);
    for (auto& b : bytes)
        b = static_cast<std::byte>((seed = seed * 1664525 + 1013904223) >> 24);
    return bytes;
}

TEST(Checksum, Rfc1071Example) {
    // Section 3: 00 01 f2 03 f4 f5 f6 f7 sum to ddf2.
    const std::uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    EXPECT_EQ(checksum_sum(example, sizeof example).folded(), big_endian16(0xddf2));
}

TEST(Checksum, EqualsTheScalarSumAtEveryLengthAndAlignment) {
    const auto bytes = noise(1700, 7);
    for (std::size_t length = 0; length <= 1600; ++length)
        for (std::size_t offset : {0, 1, 2, 3, 7, 13}) {
            const std::span part(bytes.data() + offset, length);
            ASSERT_EQ(checksum_sum(part).checksum(), big_endian16(by_the_rfc(part)))
                << length << '+' << offset;
        }
}

TEST(Checksum, CarriesAreNeverLost) {
    for (const std::size_t length : {2, 31, 32, 64, 1500, 9000, 65535}) {
        const std::vector<std::byte> ones(length, std::byte{0xff});
        EXPECT_EQ(checksum_sum(ones).checksum(), big_endian16(by_the_rfc(ones))) << length;
    }
}

TEST(Checksum, SumsOfPartsAddUpAtAnySplit) {
    const auto bytes = noise(301, 3);
    const std::span all(bytes);
    for (std::size_t split = 0; split <= all.size(); ++split) {
        ChecksumSum sum = checksum_sum(all.first(split));
        const ChecksumSum rest = checksum_sum(all.subspan(split));
        sum += split % 2 == 0 ? rest : rest.swapped();
        ASSERT_EQ(sum.checksum(), checksum_sum(all).checksum()) << split;
    }
}

TEST(Checksum, PseudoHeader) {
    // RFC 9293 section 3.1: source, destination, zero, protocol, length.
    const std::uint8_t pseudo[] = {10, 0, 0, 1, 192, 168, 255, 254, 0, 6, 0x12, 0x34};
    EXPECT_EQ(pseudo_header_sum(Ipv4{0x0a000001}, Ipv4{0xc0a8fffe}, 6, 0x1234).folded(),
              checksum_sum(pseudo, sizeof pseudo).folded());
}

}  // namespace
}  // namespace millrace::net
