// RFC 6455 section 5.2 and 5.3: many small frames at once are what they are one by one, on every SIMD target
// that this machine can run, and nothing outside them is touched.

#include "engine/frame/small_frames.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "engine/frame/encode.h"
#include "engine/mask/mask.h"
#include "tests/unit/mask/each_target.h"
#include "tests/unit/mask/guarded.h"

namespace millrace::ws {
namespace {

struct Sent {
    Opcode opcode;
    std::vector<std::byte> payload;
};

// On each target, received by a server and by a client.
class SmallFramesTest : public ::testing::TestWithParam<std::tuple<std::int64_t, Role>> {
  protected:
    // A frame of `size` random bytes, ASCII on demand, behind those before it.
    void add(Opcode opcode, std::size_t size, bool ascii) {
        Sent sent{opcode, std::vector<std::byte>(size)};
        for (std::byte& b : sent.payload)
            b = static_cast<std::byte>(random_() & (ascii ? 0x7F : 0xFF));
        const auto key = static_cast<MaskKey>(random_());
        const bool masked = receiver_ == Role::kServer;
        std::byte header[kMaxHeader];
        wire_.insert(
            wire_.end(), header,
            header + encode_header(header, opcode, true, size, masked ? std::optional(key) : std::nullopt));
        wire_.insert(wire_.end(), sent.payload.begin(), sent.payload.end());
        if (masked) apply_mask_scalar(std::span(wire_).last(size), key);
        sent_.push_back(std::move(sent));
    }
    void add_random(std::size_t frames, std::size_t most, bool ascii) {
        for (std::size_t i = 0; i < frames; ++i)
            add(random_() % 2 ? Opcode::kText : Opcode::kBinary, random_() % (most + 1), ascii);
    }
    void begin() {
        wire_.clear();
        sent_.clear();
    }

    // Decodes the frames where `place` is, batch by batch; what is behind the last one must stay as it is.
    void check(std::span<std::byte> place, std::size_t frames_bytes, std::size_t limit = 125) {
        std::copy(wire_.begin(), wire_.end(), place.begin());
        std::size_t next = 0;
        std::size_t at = 0;
        SmallMessages messages;
        while (const std::size_t used = messages.take(place.subspan(at), limit, receiver_)) {
            ASSERT_GE(messages.size(), 2u);
            std::size_t texts = 0, bytes = 0;
            bool ascii = true;
            for (std::size_t i = 0; i < messages.size(); ++i, ++next) {
                const auto payload = messages.payload(i);
                ASSERT_LT(next, sent_.size());
                ASSERT_EQ(payload.data(), place.data() + at + bytes + header());
                ASSERT_TRUE(std::equal(payload.begin(), payload.end(), sent_[next].payload.begin(),
                                       sent_[next].payload.end()))
                    << "message " << next;
                ASSERT_EQ(messages.opcode(i), sent_[next].opcode);
                ASSERT_TRUE(std::all_of(payload.data() - header(), payload.data(),
                                        [](std::byte b) { return b == std::byte{0}; }));
                texts += sent_[next].opcode == Opcode::kText;
                ascii &= std::all_of(payload.begin(), payload.end(),
                                     [](std::byte b) { return b < std::byte{0x80}; });
                bytes += header() + payload.size();
            }
            ASSERT_EQ(used, bytes);
            ASSERT_EQ(messages.texts(), texts);
            ASSERT_EQ(messages.all_ascii(), ascii);
            at += used;
        }
        ASSERT_LE(at, frames_bytes);
        // Too few to be worth it are left as they are; there is less than a vector of them, or one.
        if (sent_.size() - next > 1) {
            ASSERT_LT(frames_bytes - at, 64u);
        }
        ASSERT_TRUE(std::equal(place.begin() + static_cast<long>(at),
                               place.begin() + static_cast<long>(wire_.size()),
                               wire_.begin() + static_cast<long>(at)));
    }

    std::size_t header() const { return header_size(0, receiver_ == Role::kServer); }

    std::mt19937_64 random_{7};
    test::ForcedTarget target_{std::get<0>(GetParam())};
    Role receiver_ = std::get<1>(GetParam());
    std::vector<std::byte> wire_;
    std::vector<Sent> sent_;
    test::Guarded memory_{64 << 10};
};

TEST_P(SmallFramesTest, EverySizeBetweenGuardPages) {
    for (std::size_t size = 0; size <= 125; ++size)
        for (const std::size_t frames : {2, 3, 10, 70}) {
            begin();
            for (std::size_t i = 0; i < frames; ++i)
                add(Opcode::kBinary, size, i % 2);
            check(memory_.last(wire_.size()), wire_.size());
            check(memory_.first(wire_.size()), wire_.size());
        }
}

TEST_P(SmallFramesTest, RandomSizesAtEveryAlignment) {
    for (std::size_t alignment = 0; alignment < 64; ++alignment)
        for (int round = 0; round < 60; ++round) {
            begin();
            add_random(random_() % 150, round % 3 == 0 ? 125 : round % 3 == 1 ? 64 : 10, round % 2);
            check(memory_.all().subspan(alignment, wire_.size()), wire_.size());
        }
}

TEST_P(SmallFramesTest, CutAtEveryByte) {
    add_random(40, 20, false);
    const auto whole = wire_;
    std::size_t frames_bytes = 0;
    auto cut_frame = sent_.begin();
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        if (cut_frame != sent_.end() && cut == frames_bytes + header() + cut_frame->payload.size())
            frames_bytes = cut, ++cut_frame;
        wire_.assign(whole.begin(), whole.begin() + static_cast<long>(cut));
        check(memory_.last(cut), frames_bytes);
    }
}

// Whatever the next frame is that is no small whole message: the batch ends before it and it stays as it is.
TEST_P(SmallFramesTest, EveryOtherFrameEndsTheBatch) {
    std::size_t others = 0;
    for (unsigned first = 0; first < 256; ++first)
        for (const unsigned second : {0x80u, 0x85u, 0xFDu, 0xFEu, 0xFFu, 0x00u, 0x05u, 0x7Du, 0x7Eu, 0x7Fu}) {
            const unsigned size = second ^ (receiver_ == Role::kServer ? 0x80 : 0);
            if ((first == 0x81 || first == 0x82) && size <= 0x7D) continue;
            ++others;
            begin();
            add_random(12, 30, false);
            const std::size_t frames_bytes = wire_.size();
            wire_.push_back(static_cast<std::byte>(first));
            wire_.push_back(static_cast<std::byte>(second));
            for (int i = 0; i < 300; ++i)
                wire_.push_back(static_cast<std::byte>(random_()));
            check(memory_.last(wire_.size()), frames_bytes);
        }
    EXPECT_EQ(others, 256u * 10 - 2 * 3);
}

TEST_P(SmallFramesTest, NoPayloadBeyondTheLimit) {
    for (std::size_t limit = 0; limit <= 124; ++limit) {
        begin();
        for (int i = 0; i < 20; ++i)
            add(Opcode::kText, random_() % (limit + 1), true);
        const std::size_t frames_bytes = wire_.size();
        const std::size_t within = sent_.size();
        add(Opcode::kText, limit + 1, true);
        sent_.resize(within);
        check(memory_.last(wire_.size()), frames_bytes, limit);
    }
}

TEST_P(SmallFramesTest, OneNonAsciiByteAnywhereIsSeen) {
    begin();
    for (int i = 0; i < 12; ++i)
        add(Opcode::kText, static_cast<std::size_t>(i) * 7, true);
    const auto whole = wire_;
    std::size_t at = 0;
    for (Sent& sent : sent_) {
        at += header();
        for (std::size_t i = 0; i < sent.payload.size(); ++i) {
            wire_ = whole;
            wire_[at + i] ^= std::byte{0x80};
            sent.payload[i] ^= std::byte{0x80};
            check(memory_.last(wire_.size()), wire_.size());
            sent.payload[i] ^= std::byte{0x80};
        }
        at += sent.payload.size();
    }
}

std::string name_of(const ::testing::TestParamInfo<SmallFramesTest::ParamType>& info) {
    const auto [target, receiver] = info.param;
    return std::string(hwy::TargetName(target)) + (receiver == Role::kServer ? "Server" : "Client");
}
INSTANTIATE_TEST_SUITE_P(Targets, SmallFramesTest,
                         ::testing::Combine(test::targets(), ::testing::Values(Role::kServer, Role::kClient)),
                         name_of);

}  // namespace
}  // namespace millrace::ws
