// What a load says, and whether an echo says the same.

#include "bench/traffic/content.h"

#include <gtest/gtest.h>

#include <set>

namespace millrace::bench {
namespace {

struct Received {
    std::vector<std::byte> bytes;
    std::vector<std::span<std::byte>> parts;

    // In one part, or cut in two.
    Received(std::span<const std::byte> of, std::size_t cut) : bytes(of.begin(), of.end()) {
        const std::span<std::byte> all(bytes);
        parts = {all.first(cut), all.subspan(cut)};
    }
    Message message(ws::Opcode opcode) const { return {opcode, parts}; }
};

TEST(Content, AnEchoIsKnownHoweverItIsCut) {
    Content content({.sizes = {64, 64}});
    for (std::size_t cut = 0; cut <= 64; ++cut) {
        const Received echo(content.make(7, 3), cut);
        EXPECT_TRUE(content.matches(echo.message(ws::Opcode::kBinary), 7, 3));
        EXPECT_FALSE(content.matches(echo.message(ws::Opcode::kText), 7, 3));
        EXPECT_FALSE(content.matches(echo.message(ws::Opcode::kBinary), 7, 4));
        EXPECT_FALSE(content.matches(echo.message(ws::Opcode::kBinary), 8, 3));
    }
}

TEST(Content, AChangedByteIsSeen) {
    for (const ContentOptions& options :
         {ContentOptions{.sizes = {41, 41}}, ContentOptions{.text = "a text of one's own"}}) {
        Content content(options);
        const auto made = content.make(0, 0);
        for (std::size_t i = 0; i < made.size(); ++i) {
            Received echo(content.make(0, 0), 5);
            echo.bytes[i] ^= std::byte{1};
            EXPECT_FALSE(content.matches(echo.message(content.opcode()), 0, 0)) << i;
        }
    }
}

TEST(Content, ATextIsWhatIsSent) {
    Content text({.text = "h\xc3\xa9"}), binary({.text = "x", .binary = true});
    EXPECT_EQ(text.opcode(), ws::Opcode::kText);
    EXPECT_EQ(text.make(5, 9).size(), 3u);
    EXPECT_EQ(binary.opcode(), ws::Opcode::kBinary);
    const Received longer(std::as_bytes(std::span("h\xc3\xa9!", 4)), 1);
    EXPECT_FALSE(text.matches(longer.message(ws::Opcode::kText), 0, 0));
}

TEST(Content, SizesAreDrawnFromTheWholeRange) {
    Content content({.sizes = {2, 9}}), other({.sizes = {2, 9}, .seed = 2});
    std::set<std::size_t> seen;
    bool differs = false;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const std::size_t size = content.make(i % 10, i).size();
        seen.insert(size);
        EXPECT_EQ(content.make(i % 10, i).size(), size);
        differs |= other.make(i % 10, i).size() != size;
    }
    EXPECT_EQ(seen, (std::set<std::size_t>{2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_TRUE(differs);
}

TEST(Content, Sizes) {
    EXPECT_EQ(parse_sizes("32B")->least, 32u);
    EXPECT_EQ(parse_sizes("32B")->most, 32u);
    EXPECT_EQ(parse_sizes("2-125")->least, 2u);
    EXPECT_EQ(parse_sizes("64B-4KiB")->most, 4096u);
    EXPECT_FALSE(parse_sizes("9-2"));
    EXPECT_FALSE(parse_sizes("-"));
    EXPECT_FALSE(parse_sizes("many"));
}

}  // namespace
}  // namespace millrace::bench
