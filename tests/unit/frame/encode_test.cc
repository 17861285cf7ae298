// RFC 6455 sections 5.2 and 5.3: frames written one behind the other are read back one by one, on every SIMD
// target that this machine can run, and nothing outside the buffer is touched.

#include "engine/frame/encode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "engine/frame/header.h"
#include "engine/mask/mask.h"
#include "tests/unit/mask/each_target.h"
#include "tests/unit/mask/guarded.h"

namespace millrace::ws {
namespace {

class EncodeFrameTest : public test::EachTarget {
  protected:
    // Both buffers end at pages that fault.
    void check(const std::vector<std::size_t>& sizes, bool masked) {
        std::size_t most = 0, total = 0;
        for (const std::size_t size : sizes) {
            most = std::max(most, size);
            total += header_size(size, masked) + size;
        }
        test::Guarded source(most), buffer(total);
        for (std::byte& b : source.all())
            b = static_cast<std::byte>(random_());
        const std::span<std::byte> out = buffer.last(total);
        std::byte* at = out.data();
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const auto key = masked ? std::optional(static_cast<MaskKey>(random_())) : std::nullopt;
            at += encode_frame(at, i % 2 ? Opcode::kText : Opcode::kBinary, source.last(sizes[i]), key);
        }
        ASSERT_EQ(at, out.data() + total);

        std::span<std::byte> rest = out;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const auto [status, header, why] = decode_header(rest, masked ? Role::kServer : Role::kClient);
            ASSERT_EQ(status, HeaderStatus::kComplete) << why;
            ASSERT_TRUE(header.fin);
            ASSERT_EQ(header.opcode, i % 2 ? Opcode::kText : Opcode::kBinary);
            ASSERT_EQ(header.payload, sizes[i]);
            const auto payload = rest.subspan(header.size, sizes[i]);
            if (masked) apply_mask_scalar(payload, header.key);
            ASSERT_TRUE(std::equal(payload.begin(), payload.end(), source.last(sizes[i]).begin()))
                << sizes[i] << " bytes";
            rest = rest.subspan(header.size + sizes[i]);
        }
    }

    std::mt19937_64 random_{11};
};

TEST_P(EncodeFrameTest, EverySizeAlone) {
    for (const bool masked : {false, true}) {
        for (std::size_t size = 0; size <= 600; ++size)
            check({size}, masked);
        for (const std::size_t size : {4200, 65535, 65536, 65537})
            check({size}, masked);
    }
}

TEST_P(EncodeFrameTest, ManyInOneBuffer) {
    for (const bool masked : {false, true})
        for (int round = 0; round < 200; ++round) {
            std::vector<std::size_t> sizes(1 + random_() % 64);
            for (std::size_t& size : sizes)
                size = random_() % (round % 4 == 0 ? 1500 : 130);
            check(sizes, masked);
        }
}

INSTANTIATE_TEST_SUITE_P(Targets, EncodeFrameTest, test::targets(), test::name_of_target);

}  // namespace
}  // namespace millrace::ws
