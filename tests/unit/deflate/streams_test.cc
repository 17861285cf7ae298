// RFC 7692 section 7.2: messages through a deflater and an inflater, and the RFC's own examples.

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/deflate/deflater.h"
#include "engine/deflate/inflater.h"

namespace millrace::ws {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}
Bytes bytes_of(std::initializer_list<unsigned> octets) {
    Bytes bytes;
    for (const unsigned octet : octets)
        bytes.push_back(static_cast<std::byte>(octet));
    return bytes;
}

// Streams live in pages that are zero at first.
template <class Stream>
struct Made {
    Made() : pool(*StreamPool<Stream>::create(1)), index(pool.take()) {}
    Stream* operator->() { return &pool[index]; }
    StreamPool<Stream> pool;
    typename StreamPool<Stream>::Index index;
};

// A whole message in pieces of `piece` bytes, inflated into rooms of `room` bytes; nothing when it is
// corrupt.
std::optional<Bytes> inflate(Inflater& inflater, const Bytes& message, std::size_t piece = SIZE_MAX,
                             std::size_t room = 16384) {
    Bytes out;
    const auto until_taken = [&](auto step) {
        for (;;) {
            Bytes place(room);
            std::span<std::byte> rest(place);
            const InflateStatus status = step(rest);
            out.insert(out.end(), place.begin(), place.end() - static_cast<std::ptrdiff_t>(rest.size()));
            if (status != InflateStatus::kMore) return status == InflateStatus::kTaken;
        }
    };
    std::span<const std::byte> left(message);
    while (!left.empty()) {
        std::span<const std::byte> in = left.first(std::min(piece, left.size()));
        left = left.subspan(in.size());
        if (!until_taken([&](auto& rest) { return inflater.take(in, rest); })) return {};
    }
    if (!until_taken([&](auto& rest) { return inflater.end(rest); })) return {};
    return out;
}

Bytes deflate(Deflater& deflater, Bytes message, std::size_t part = SIZE_MAX) {
    std::vector<std::span<std::byte>> parts;
    for (std::span<std::byte> left(message); !left.empty();) {
        parts.push_back(left.first(std::min(part, left.size())));
        left = left.subspan(parts.back().size());
    }
    Bytes out(message.size());
    out.resize(deflater.compress(parts, message.size(), out));
    return out;
}

std::string repetitive(std::mt19937& random, std::size_t size) {
    std::string text;
    while (text.size() < size)
        text += R"({"price":)" + std::to_string(random() % 1000) + R"(,"side":"bid"})";
    text.resize(size);
    return text;
}

TEST(Inflater, Rfc7692_7_2_3_Examples) {
    Made<Inflater> inflater;
    const auto message = [&](std::initializer_list<unsigned> octets) {
        inflater->begin(15);
        return inflate(*inflater.operator->(), bytes_of(octets));
    };
    const auto hello = bytes_of("Hello");
    EXPECT_EQ(message({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}), hello);                          // 7.2.3.1
    EXPECT_EQ(message({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00}), hello);  // 7.2.3.3
    EXPECT_EQ(message({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}), hello);                    // 7.2.3.4
    EXPECT_EQ(message({0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00}),
              hello);                     // 7.2.3.5
    EXPECT_EQ(message({0x00}), Bytes{});  // 7.2.3.6
}

TEST(Inflater, Rfc7692_7_2_3_2_TheWindowIsKeptBetweenMessages) {
    Made<Inflater> inflater;
    inflater->begin(15);
    const auto first = bytes_of({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
    const auto second = bytes_of({0xf2, 0x00, 0x11, 0x00, 0x00});
    EXPECT_EQ(inflate(*inflater.operator->(), first), bytes_of("Hello"));
    EXPECT_EQ(inflate(*inflater.operator->(), second), bytes_of("Hello"));
    // Without takeover the second refers to what never was.
    inflater->begin(15);
    EXPECT_EQ(inflate(*inflater.operator->(), second), std::nullopt);
}

TEST(Inflater, Rfc7692_7_2_3_4_AFinalBlockKeepsTheWindowToo) {
    Made<Inflater> inflater;
    inflater->begin(15);
    const auto final_block = bytes_of({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00});
    EXPECT_EQ(inflate(*inflater.operator->(), final_block), bytes_of("Hello"));
    EXPECT_EQ(inflate(*inflater.operator->(), bytes_of({0xf2, 0x00, 0x11, 0x00, 0x00})), bytes_of("Hello"));
}

TEST(Inflater, Rfc7692_7_2_2_RefusesWhatIsNotAWholeMessage) {
    Made<Inflater> inflater;
    const Bytes whole = bytes_of({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
    for (std::size_t size = 1; size < whole.size(); ++size) {
        inflater->begin(15);
        EXPECT_EQ(
            inflate(*inflater.operator->(), Bytes(whole.begin(), whole.begin() + static_cast<int>(size))),
            std::nullopt)
            << size << " octets";
    }
    for (const auto& bad :
         {bytes_of({0xff, 0xff, 0xff}), bytes_of({0x07}), bytes_of({0x00, 0x05, 0x00, 0x00, 0x00}),
          bytes_of({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})}) {
        inflater->begin(15);
        EXPECT_EQ(inflate(*inflater.operator->(), bad), std::nullopt);
    }
}

TEST(Inflater, TakesAMessageOfNoOctetsForAnEmptyOne) {
    Made<Inflater> inflater;
    inflater->begin(15);
    EXPECT_EQ(inflate(*inflater.operator->(), {}), Bytes{});
    EXPECT_EQ(inflate(*inflater.operator->(), bytes_of({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})),
              bytes_of("Hello"));
}

TEST(Inflater, YieldsTheSameForAnyPiecesAndRooms) {
    std::mt19937 random(7);
    Made<Deflater> deflater;
    Made<Inflater> inflater;
    const Bytes message = bytes_of(repetitive(random, 3000) + std::string(2000, 'x'));
    deflater->begin({});
    const Bytes compressed = deflate(*deflater.operator->(), message);
    ASSERT_FALSE(compressed.empty());
    for (const std::size_t piece : {1, 2, 3, 7, 64, 5000})
        for (const std::size_t room : {1, 2, 5, 100, 257, 5000, 5001}) {
            inflater->begin(15);
            EXPECT_EQ(inflate(*inflater.operator->(), compressed, piece, room), message)
                << piece << ", " << room;
        }
}

// Section 7.1.2: what is compressed for a window inflates with no more.
TEST(Deflater, Rfc7692_7_1_2_KeepsWithinItsWindow) {
    std::mt19937 random(11);
    for (std::uint8_t bits = 8; bits <= 15; ++bits)
        for (const std::uint8_t memory : {4, 8})
            for (const bool takeover : {false, true}) {
                Made<Deflater> deflater;
                Made<Inflater> inflater;
                deflater->begin({bits, memory});
                inflater->begin(bits);
                for (int message = 0; message < 40; ++message) {
                    const Bytes plain = bytes_of(repetitive(random, 1 + random() % 60'000));
                    if (!takeover) deflater->begin({bits, memory}), inflater->begin(bits);
                    const Bytes compressed = deflate(*deflater.operator->(), plain, 1 + random() % 3000);
                    if (compressed.empty()) {
                        deflater->begin({bits, memory});
                        continue;
                    }
                    ASSERT_LT(compressed.size(), plain.size());
                    ASSERT_EQ(inflate(*inflater.operator->(), compressed), plain)
                        << int{bits} << " bits, message " << message;
                }
            }
}

// Streams are pooled: each serves connections with any window, in its one place.
TEST(Streams, ServeEveryWindowInTurn) {
    std::mt19937 random(19);
    Made<Deflater> deflater;
    Made<Inflater> inflater;
    for (int turn = 0; turn < 100; ++turn) {
        const auto bits = static_cast<std::uint8_t>(8 + random() % 8);
        deflater->begin({bits, 8});
        inflater->begin(bits);
        for (int message = 0; message < 2; ++message) {
            const Bytes plain = bytes_of(repetitive(random, 50'000));
            ASSERT_EQ(inflate(*inflater.operator->(), deflate(*deflater.operator->(), plain), 1448), plain)
                << "turn " << turn << ", " << int{bits} << " bits";
        }
    }
}

TEST(Deflater, SaysWhatDoesNotShrink) {
    std::mt19937 random(13);
    Made<Deflater> deflater;
    for (const std::size_t size : {1, 2, 10, 100, 1000, 20'000}) {
        Bytes noise(size);
        for (std::byte& octet : noise)
            octet = static_cast<std::byte>(random());
        deflater->begin({});
        EXPECT_TRUE(deflate(*deflater.operator->(), noise).empty()) << size;
    }
    deflater->begin({});
    EXPECT_FALSE(deflate(*deflater.operator->(), bytes_of(std::string(100, 'a'))).empty());
}

TEST(Deflater, TakeoverMakesTheSecondOfTwoAlikeSmaller) {
    std::mt19937 random(17);
    Made<Deflater> deflater;
    deflater->begin({});
    const Bytes message = bytes_of(repetitive(random, 400));
    const std::size_t first = deflate(*deflater.operator->(), message).size();
    const std::size_t second = deflate(*deflater.operator->(), message).size();
    EXPECT_LT(second * 5, first);
}

}  // namespace
}  // namespace millrace::ws
