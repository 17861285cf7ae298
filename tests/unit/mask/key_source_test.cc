// RFC 6455 section 10.3: masking keys come from a cryptographically strong source.

#include "engine/mask/key_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <vector>

namespace millrace::ws {
namespace {

template <class... Octets>
constexpr auto octets(Octets... values) {
    return std::array<std::byte, sizeof...(values)>{static_cast<std::byte>(values)...};
}

// NIST SP 800-38A, F.5.1 (CTR-AES128): its "output blocks" are the key stream.
TEST(KeySource, IsTheKeyStreamOfAes128InCounterMode) {
    const auto seed = octets(0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09,
                             0xcf, 0x4f, 0x3c, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9,
                             0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff);
    const auto stream = octets(0xec, 0x8c, 0xdf, 0x73, 0x98, 0x60, 0x7c, 0xb0, 0xf2, 0xd2, 0x16, 0x75, 0xea,
                               0x9e, 0xa1, 0xe4, 0x36, 0x2b, 0x7c, 0x3c, 0x67, 0x73, 0x51, 0x63, 0x18, 0xa0,
                               0x77, 0xd7, 0xfc, 0x50, 0x73, 0xae);
    auto source = KeySource::create(seed);
    ASSERT_TRUE(source) << source.error().message;
    for (std::size_t at = 0; at < stream.size(); at += 4) {
        MaskKey expected;
        std::memcpy(&expected, &stream[at], sizeof expected);
        EXPECT_EQ(source->next(), expected) << "key " << at / 4;
    }
}

std::vector<MaskKey> take(KeySource& source, std::size_t n) {
    std::vector<MaskKey> keys(n);
    std::generate(keys.begin(), keys.end(), [&source] { return source.next(); });
    return keys;
}

TEST(KeySource, ASeedReplaysAcrossBatches) {
    const std::array<std::byte, KeySource::kSeedBytes> seed{std::byte{7}};
    auto a = KeySource::create(seed);
    auto b = KeySource::create(seed);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(take(*a, 5000), take(*b, 5000));
}

TEST(KeySource, SourcesDifferAndKeysDoNotRepeat) {
    auto a = KeySource::create();
    auto b = KeySource::create();
    ASSERT_TRUE(a && b);
    const auto from_a = take(*a, 10000);
    const auto from_b = take(*b, 10000);
    EXPECT_NE(from_a, from_b);
    // 10,000 draws of 2^32: 0.012 pairs alike are expected, and 10 are as good as impossible.
    EXPECT_GT(std::set<MaskKey>(from_a.begin(), from_a.end()).size(), 9990u);
    // A batch never comes twice.
    EXPECT_FALSE(std::equal(from_a.begin(), from_a.begin() + 1024, from_a.begin() + 1024));
    double ones = 0;
    for (const MaskKey key : from_a)
        ones += std::popcount(key);
    EXPECT_NEAR(ones / 10000, 16, 0.3);  // ten standard deviations
}

TEST(KeySource, MovesWithItsPlaceInTheStream) {
    const std::array<std::byte, KeySource::kSeedBytes> seed{std::byte{9}};
    auto whole = KeySource::create(seed);
    auto first = KeySource::create(seed);
    ASSERT_TRUE(whole && first);
    const auto expected = take(*whole, 3000);
    auto got = take(*first, 1500);
    KeySource moved = std::move(*first);
    const auto rest = take(moved, 1500);
    got.insert(got.end(), rest.begin(), rest.end());
    EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace millrace::ws
