// The bulk transfer's bytes: the receiver must tell any that are wrong or out of place, however segments are
// cut.

#include "bench/bulk/stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::bench {
namespace {

using Bytes = std::vector<std::byte>;

Bytes filled(const Stream& stream, std::size_t size, std::uint64_t position) {
    Bytes bytes(size);
    stream.fill(bytes, position);
    return bytes;
}

// Cut anywhere, the bytes are those of the whole.
TEST(Stream, BytesFollowFromTheirPositionAlone) {
    const Stream stream(7);
    const Bytes whole = filled(stream, 400, 0);
    for (std::size_t from = 0; from < 70; ++from)
        for (std::size_t size = 0; from + size <= 300; ++size) {
            const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(from);
            const Bytes part(begin, begin + static_cast<std::ptrdiff_t>(size));
            ASSERT_EQ(filled(stream, size, from), part) << size << " from " << from;
            ASSERT_TRUE(stream.matches(part, from));
        }
}

TEST(Stream, EveryChangedBitIsSeen) {
    const Stream stream(7);
    for (const std::size_t size : {1u, 8u, 64u, 65u, 203u}) {
        constexpr std::uint64_t kFrom = 1'000'003;
        Bytes bytes = filled(stream, size, kFrom);
        for (std::size_t bit = 0; bit < size * 8; ++bit) {
            const auto flip = static_cast<std::byte>(1u << bit % 8);
            bytes[bit / 8] ^= flip;
            ASSERT_FALSE(stream.matches(bytes, kFrom)) << size << " bytes, bit " << bit;
            bytes[bit / 8] ^= flip;
        }
    }
}

TEST(Stream, MovedBytesAndAnotherRunsBytesAreSeen) {
    const Stream stream(7), other(8);
    const Bytes bytes = filled(stream, 1448, 1'000'000);
    for (const std::int64_t moved : {-1448, -8, -1, 1, 8, 64, 1448, 1 << 20})
        EXPECT_FALSE(stream.matches(bytes, static_cast<std::uint64_t>(1'000'000 + moved))) << moved;
    EXPECT_FALSE(other.matches(bytes, 1'000'000));
}

}  // namespace
}  // namespace millrace::bench
