// RFC 6455 section 5.3: the vector forms of masking equal the scalar one bit for bit, at every length,
// alignment and phase, on every SIMD target that this machine can run, and touch nothing outside.

#include "engine/mask/mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/mask/each_target.h"
#include "tests/unit/mask/guarded.h"

namespace millrace::ws {
namespace {

constexpr std::size_t kMaxLength = 4200;
constexpr std::size_t kMaxAlignment = 64;

class MaskTest : public test::EachTarget {
  protected:
    MaskTest() {
        for (std::byte& b : pattern_)
            b = static_cast<std::byte>(random_());
    }

    MaskKey random_key() { return static_cast<MaskKey>(random_()); }

    std::vector<std::byte> masked_pattern(MaskKey key, std::size_t phase) const {
        std::vector<std::byte> masked = pattern_;
        apply_mask_scalar(masked, key, phase);
        return masked;
    }

    // Masks `bytes`, filled from the pattern, and compares with the oracle.
    void check_in_place(std::span<std::byte> bytes, std::size_t phase) {
        const MaskKey key = random_key();
        std::copy_n(pattern_.begin(), bytes.size(), bytes.begin());
        std::copy_n(pattern_.begin(), bytes.size(), expected_.begin());
        apply_mask(bytes, key, phase);
        apply_mask_scalar(std::span(expected_).first(bytes.size()), key, phase);
        ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), expected_.begin()))
            << bytes.size() << " bytes, phase " << phase;
    }

    void check_copy(std::span<std::byte> in, std::span<std::byte> out, std::size_t phase) {
        const MaskKey key = random_key();
        std::copy_n(pattern_.begin(), in.size(), in.begin());
        std::copy_n(pattern_.begin(), in.size(), expected_.begin());
        copy_masked(in, out.data(), key, phase);
        apply_mask_scalar(std::span(expected_).first(in.size()), key, phase);
        ASSERT_TRUE(std::equal(in.begin(), in.end(), pattern_.begin())) << "the source has changed";
        ASSERT_TRUE(std::equal(out.begin(), out.end(), expected_.begin()))
            << in.size() << " bytes, phase " << phase;
    }

    std::mt19937_64 random_{20260101};
    std::vector<std::byte> pattern_{std::vector<std::byte>(kMaxLength)};
    std::vector<std::byte> expected_{std::vector<std::byte>(kMaxLength)};
    test::Guarded memory_{kMaxLength + kMaxAlignment};
    test::Guarded other_{kMaxLength + kMaxAlignment};
};

TEST_P(MaskTest, EveryLengthUpToTheGuardPages) {
    for (std::size_t length = 0; length <= kMaxLength; ++length) {
        check_in_place(memory_.last(length), length % 4);
        check_in_place(memory_.first(length), (length / 4) % 4);
    }
}

TEST_P(MaskTest, EveryLengthCopiedBetweenGuardPages) {
    for (std::size_t length = 0; length <= kMaxLength; ++length) {
        check_copy(memory_.last(length), other_.first(length), length % 4);
        check_copy(memory_.first(length), other_.last(length), (length / 4) % 4);
    }
}

// A million each. What a length gives is the beginning of what the longest one does: the oracle is asked once
// a phase.
TEST_P(MaskTest, EveryLengthAtEveryAlignmentAndPhase) {
    for (std::size_t phase = 0; phase < 4; ++phase) {
        const MaskKey key = random_key();
        const auto masked = masked_pattern(key, phase);
        for (std::size_t alignment = 0; alignment < kMaxAlignment; ++alignment)
            for (std::size_t length = 0; length <= kMaxLength; ++length) {
                const auto bytes = memory_.all().subspan(alignment, length);
                std::memcpy(bytes.data(), pattern_.data(), length);
                apply_mask(bytes, key, phase);
                ASSERT_EQ(std::memcmp(bytes.data(), masked.data(), length), 0)
                    << length << " bytes at " << alignment << ", phase " << phase;
            }
    }
}

TEST_P(MaskTest, EveryLengthCopiedAtEveryAlignmentAndPhase) {
    for (std::size_t phase = 0; phase < 4; ++phase) {
        const MaskKey key = random_key();
        const auto masked = masked_pattern(key, phase);
        for (std::size_t alignment = 0; alignment < kMaxAlignment; ++alignment) {
            const auto source = memory_.all().subspan(alignment, kMaxLength);
            std::memcpy(source.data(), pattern_.data(), kMaxLength);
            for (std::size_t length = 0; length <= kMaxLength; ++length) {
                const auto to = other_.all().subspan((alignment * 7 + length) % kMaxAlignment, length);
                copy_masked(source.first(length), to.data(), key, phase);
                ASSERT_EQ(std::memcmp(to.data(), masked.data(), length), 0)
                    << length << " bytes from " << alignment << ", phase " << phase;
            }
            ASSERT_EQ(std::memcmp(source.data(), pattern_.data(), kMaxLength), 0) << "the source has changed";
        }
    }
}

TEST_P(MaskTest, NeighboursKeepTheirBytes) {
    for (std::size_t length = 0; length <= 600; ++length)
        for (std::size_t alignment : {1, 7, 33}) {
            const auto all = memory_.all();
            std::fill(all.begin(), all.end(), std::byte{0xA5});
            check_in_place(all.subspan(alignment, length), length % 4);
            const auto untouched = [](std::byte b) { return b == std::byte{0xA5}; };
            ASSERT_TRUE(std::all_of(all.begin(), all.begin() + static_cast<long>(alignment), untouched));
            ASSERT_TRUE(
                std::all_of(all.begin() + static_cast<long>(alignment + length), all.end(), untouched));
        }
}

TEST_P(MaskTest, PiecesContinueTheKeyWhereverCut) {
    std::vector<std::byte> whole(1000);
    for (int round = 0; round < 300; ++round) {
        const MaskKey key = random_key();
        std::copy_n(pattern_.begin(), whole.size(), whole.begin());
        std::vector<std::byte> cut(whole);
        apply_mask_scalar(whole, key);
        for (std::size_t at = 0; at < cut.size();) {
            const std::size_t size = std::min<std::size_t>(random_() % 300, cut.size() - at);
            apply_mask(std::span(cut).subspan(at, size), key, at);
            at += size;
        }
        ASSERT_EQ(whole, cut);
    }
}

INSTANTIATE_TEST_SUITE_P(Targets, MaskTest, test::targets(), test::name_of_target);

// Section 5.7, "a single-frame masked text message": 37 fa 21 3d, 7f 9f 4d 51 58 is "Hello".
TEST(Mask, TheExampleOfSection5_7) {
    const unsigned char key_octets[] = {0x37, 0xfa, 0x21, 0x3d};
    MaskKey key;
    std::memcpy(&key, key_octets, sizeof key);
    unsigned char masked[] = {0x7f, 0x9f, 0x4d, 0x51, 0x58};
    apply_mask(std::as_writable_bytes(std::span(masked)), key);
    EXPECT_EQ(std::string(std::begin(masked), std::end(masked)), "Hello");
}

// Never "ASCII" where a byte is not; and always where all are, at the lengths that are looked at.
TEST(Mask, AsciiIsSeenWhileUnmasking) {
    std::mt19937_64 random(3);
    for (std::size_t length = 0; length <= 200; ++length) {
        const auto key = static_cast<MaskKey>(random());
        std::vector<std::byte> ascii(length);
        for (std::byte& b : ascii)
            b = static_cast<std::byte>(random() & 0x7F);
        auto bytes = ascii;
        apply_mask_scalar(bytes, key);
        EXPECT_EQ(apply_mask_seeing_ascii(bytes, key), length <= 64) << length;
        ASSERT_EQ(bytes, ascii);
        for (std::size_t at = 0; at < length; ++at) {
            ascii[at] ^= std::byte{0x80};
            bytes = ascii;
            apply_mask_scalar(bytes, key);
            ASSERT_FALSE(apply_mask_seeing_ascii(bytes, key)) << at << " of " << length;
            ASSERT_EQ(bytes, ascii);
            ascii[at] ^= std::byte{0x80};
        }
    }
}

TEST(Mask, TwiceIsOnce) {
    std::vector<std::byte> bytes(777, std::byte{0x42});
    const auto before = bytes;
    apply_mask(bytes, 0xdeadbeef, 3);
    EXPECT_NE(bytes, before);
    apply_mask(bytes, 0xdeadbeef, 3);
    EXPECT_EQ(bytes, before);
}

}  // namespace
}  // namespace millrace::ws
