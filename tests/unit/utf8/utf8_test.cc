// RFC 3629 and RFC 6455 section 8.1: the validator says no at the first byte that cannot be right, wherever
// the input is cut. The oracle is written from RFC 3629's grammar, one character at a time, and is itself
// held against simdjson.

#include "engine/utf8/utf8.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/mask/each_target.h"
#include "tests/unit/mask/guarded.h"

namespace millrace::ws {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}

struct Range {
    unsigned low, high;
};

// RFC 3629 section 4, UTF8-octets: each line is one form of a character.
const std::vector<std::vector<Range>> kForms = {
    {{0x00, 0x7F}},
    {{0xC2, 0xDF}, {0x80, 0xBF}},
    {{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}},
    {{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}},
    {{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}},
};

struct Verdict {
    std::size_t valid;  // bytes that begin some valid text
    bool complete;      // all of them, and the text may end there
};

Verdict oracle(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t furthest = 0;
        std::size_t whole = 0;
        for (const auto& form : kForms) {
            std::size_t i = 0;
            while (i < form.size() && at + i < text.size()) {
                const unsigned byte = static_cast<unsigned char>(text[at + i]);
                if (byte < form[i].low || byte > form[i].high) break;
                ++i;
            }
            furthest = std::max(furthest, i);
            if (i == form.size()) whole = i;
        }
        if (whole == 0) return {at + furthest, false};
        at += whole;
    }
    return {at, true};
}

// In one piece, and at exactly which byte it says no when fed one at a time.
void check(std::string_view text) {
    const Verdict expected = oracle(text);
    Utf8Validator whole;
    ASSERT_EQ(whole.feed(as_bytes(text)), expected.valid == text.size());
    ASSERT_EQ(is_utf8(as_bytes(text)), expected.complete);
    Utf8Validator single;
    for (std::size_t i = 0; i < text.size(); ++i)
        ASSERT_EQ(single.feed(as_bytes(text.substr(i, 1))), i < expected.valid) << "byte " << i;
    ASSERT_EQ(single.complete(), expected.complete);
}

// Cut into three at every pair of places.
void check_every_cut(std::string_view text) {
    const Verdict expected = oracle(text);
    for (std::size_t a = 0; a <= text.size(); ++a)
        for (std::size_t b = a; b <= text.size(); ++b) {
            Utf8Validator validator;
            ASSERT_EQ(validator.feed(as_bytes(text.substr(0, a))), a <= expected.valid);
            ASSERT_EQ(validator.feed(as_bytes(text.substr(a, b - a))), b <= expected.valid);
            ASSERT_EQ(validator.feed(as_bytes(text.substr(b))), text.size() <= expected.valid);
            ASSERT_EQ(validator.complete(), expected.complete);
        }
}

// RFC 3629 section 3, with no thought of what is allowed.
std::string encode(std::uint32_t point) {
    const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
    const auto tail = [&](int shift) { return byte(0x80 | ((point >> shift) & 0x3F)); };
    if (point < 0x80) return {byte(point)};
    if (point < 0x800) return {byte(0xC0 | point >> 6), tail(0)};
    if (point < 0x10000) return {byte(0xE0 | point >> 12), tail(6), tail(0)};
    return {byte(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, EveryCodePoint) {
    for (std::uint32_t point = 0; point < 0x200000; ++point) {
        const bool scalar_value = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
        const std::string text = encode(point);
        ASSERT_EQ(is_utf8(as_bytes(text)), scalar_value) << std::hex << point;
        ASSERT_EQ(oracle(text).complete, scalar_value) << std::hex << point;
    }
}

TEST(Utf8, EveryPairOfBytes) {
    for (unsigned first = 0; first < 256; ++first)
        for (unsigned second = 0; second < 256; ++second)
            check(std::string{static_cast<char>(first), static_cast<char>(second)});
}

// The bytes at which RFC 3629's ranges begin and end: every sequence of four of them.
TEST(Utf8, EveryFourBytesAtTheEdgesOfTheRanges) {
    const std::vector<unsigned> edges = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                         0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
                                         0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
    std::string text(4, '\0');
    for (unsigned a : edges)
        for (unsigned b : edges)
            for (unsigned c : edges)
                for (unsigned d : edges) {
                    text = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                            static_cast<char>(d)};
                    const Verdict expected = oracle(text);
                    Utf8Validator validator;
                    ASSERT_EQ(validator.feed(as_bytes(text)), expected.valid == 4)
                        << std::hex << a << b << c << d;
                    ASSERT_EQ(validator.feed({}) && validator.complete(), expected.complete);
                    ASSERT_EQ(expected.complete, simdjson::validate_utf8(text.data(), text.size()));
                }
}

// The sequences that conformance suites try (among them RFC 3629 section 10's and Kuhn's), each alone and
// between long stretches of ASCII, at every cut.
TEST(Utf8, KnownSequencesAtEveryCut) {
    const std::vector<std::string> sequences = {
        "",
        "Hello",
        "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5",  // Greek, valid
        "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80"
        "edited",  // a surrogate inside
        "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!",
        "\xF0\x9F\x98\x80\xF0\x9F\x98\x81",  // emoji
        "\xEF\xBB\xBF",                      // byte order mark: a character like any other
        "\xEF\xBF\xBE",                      // U+FFFE: a noncharacter, but a scalar value
        "\xEF\xBF\xBF",
        "\xF4\x8F\xBF\xBF",  // U+10FFFF
        "\xF4\x90\x80\x80",  // above it
        "\xF7\xBF\xBF\xBF",
        "\xF8\x88\x80\x80\x80",
        "\xFB\xBF\xBF\xBF\xBF",
        "\xFC\x84\x80\x80\x80\x80",
        "\xFD\xBF\xBF\xBF\xBF\xBF",
        "\x80",
        "\xBF",
        "\x80\xBF\x80",
        "\xFE",
        "\xFF",
        "\xFE\xFE\xFF\xFF",
        "\xC0\xAF",
        "\xE0\x80\xAF",
        "\xF0\x80\x80\xAF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xF0\x8F\xBF\xBF",
        "\xED\xA0\x80",
        "\xED\xAF\xBF",
        "\xED\xB0\x80",
        "\xED\xBF\xBF",
        "\xED\xA0\x80\xED\xB0\x80",
        "\xED\x9F\xBF",
        "\xEE\x80\x80",  // around the surrogates
        "\xC3",
        "\xE2\x82",
        "\xF0\x9F",
        "\xF0\x9F\x98",  // cut short
        "\xC3 ",
        "\xE2\x82 ",
        "\xF0\x9F\x98 ",
        "\xE2\x82\xAC\xE2\x82",
        "\xCE\xBA\xE1",
    };
    const std::string ascii(20, 'x');
    for (const std::string& sequence : sequences) {
        check(sequence);
        check(ascii + sequence + ascii);
        check_every_cut(sequence + "tail");
        check_every_cut(ascii + sequence + "tail");
    }
}

std::string random_text(std::mt19937_64& random, std::size_t characters, unsigned ascii_percent) {
    std::string text;
    for (std::size_t i = 0; i < characters; ++i) {
        std::uint32_t point = static_cast<std::uint32_t>(random() % 0x80);
        if (random() % 100 >= ascii_percent) {
            constexpr std::uint32_t kBelow[] = {0x800, 0x10000, 0x110000};
            do
                point = static_cast<std::uint32_t>(random() % kBelow[random() % 3]);
            while (point >= 0xD800 && point <= 0xDFFF);
        }
        text += encode(point);
    }
    return text;
}

TEST(Utf8, RandomTextsWithAndWithoutOneDamagedByteEqualSimdjson) {
    std::mt19937_64 random(8);
    std::size_t refused = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text = random_text(random, random() % 200, static_cast<unsigned>(random() % 101));
        ASSERT_TRUE(is_utf8(as_bytes(text)));
        if (!text.empty()) text[random() % text.size()] = static_cast<char>(random());
        const bool valid = simdjson::validate_utf8(text.data(), text.size());
        refused += !valid;
        ASSERT_EQ(is_utf8(as_bytes(text)), valid);
        if (round % 20 == 0) check(text);
        // In random pieces.
        Utf8Validator validator;
        bool so_far = true;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = std::min<std::size_t>(random() % 90, text.size() - at);
            so_far = validator.feed(as_bytes(text).subspan(at, size));
            at += size;
        }
        ASSERT_EQ(so_far && validator.complete(), valid);
    }
    EXPECT_GT(refused, 1000u);
}

TEST(Utf8, TheAsciiPathSeesANonAsciiByteAnywhereAndReadsNothingOutside) {
    test::Guarded memory(300);
    for (std::size_t size = 0; size <= 300; ++size) {
        for (const auto bytes : {memory.last(size), memory.first(size)}) {
            std::fill(bytes.begin(), bytes.end(), std::byte{'a'});
            ASSERT_TRUE(is_utf8(bytes));
            for (std::size_t at = 0; at < size; ++at) {
                bytes[at] = std::byte{0x80};
                ASSERT_FALSE(is_utf8(bytes)) << at << " of " << size;
                bytes[at] = std::byte{'a'};
            }
        }
    }
}

// What is long enough goes through the vectors of this machine.
class Utf8Targets : public test::EachTarget {
  protected:
    static bool scalar(std::span<const std::byte> bytes) {
        Utf8Validator validator;
        return validator.feed_scalar(bytes) && validator.complete();
    }
};

// Four bytes at the edges of RFC 3629's ranges, in turn at every place of a text that is ASCII or is not.
TEST_P(Utf8Targets, EdgesOfTheRangesAtEveryPlaceOfALongText) {
    const std::vector<unsigned> edges = {0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF,
                                         0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF};
    std::string long_text;
    for (int i = 0; i < 50; ++i)
        long_text += encode(i % 3 == 0 ? 0x1F600u : i % 3 == 1 ? 0x20ACu : 'a');
    test::Guarded memory(200);
    std::size_t place = 0, valid = 0;
    for (const std::string& around : {std::string(150, 'x'), long_text})
        for (unsigned a : edges)
            for (unsigned b : edges)
                for (unsigned c : edges)
                    for (unsigned d : edges) {
                        const std::size_t size = 24 + place % (around.size() - 24);
                        const std::size_t at = place++ % (size - 4);
                        const auto bytes = memory.last(size);
                        std::memcpy(bytes.data(), around.data(), size);
                        const unsigned char sequence[] = {
                            static_cast<unsigned char>(a), static_cast<unsigned char>(b),
                            static_cast<unsigned char>(c), static_cast<unsigned char>(d)};
                        std::memcpy(&bytes[at], sequence, sizeof sequence);
                        const bool expected = scalar(bytes);
                        valid += expected;
                        ASSERT_EQ(is_utf8(bytes), expected) << std::hex << a << b << c << d << " at " << at;
                    }
    EXPECT_GT(valid, 1000u);
}

TEST_P(Utf8Targets, EveryLengthAndCutOfTextsUpToTheGuardPagesEqualsTheScalarAutomaton) {
    std::mt19937_64 random(9);
    test::Guarded memory(4200);
    std::size_t refused = 0;
    for (std::size_t length = 0; length <= 4200; length += 1 + (length > 300) * random() % 16) {
        std::string text;
        while (text.size() < length)
            text += random_text(random, 40, length % 4 == 0 ? 95 : 30);
        text.resize(length);
        if (length > 0 && length % 3 == 0) text[random() % length] = static_cast<char>(random());
        for (const auto bytes : {memory.last(length), memory.first(length)}) {
            std::memcpy(bytes.data(), text.data(), length);
            const bool expected = scalar(bytes);
            refused += !expected;
            ASSERT_EQ(is_utf8(bytes), expected) << length;
            Utf8Validator pieces, slow;
            for (std::size_t at = 0; at < length;) {
                const auto piece = bytes.subspan(at, std::min<std::size_t>(1 + random() % 200, length - at));
                ASSERT_EQ(pieces.feed(piece), slow.feed_scalar(piece)) << length << " at " << at;
                ASSERT_EQ(pieces.complete(), slow.complete()) << length << " at " << at;
                at += piece.size();
            }
        }
    }
    EXPECT_GT(refused, 100u);
}

INSTANTIATE_TEST_SUITE_P(Targets, Utf8Targets, test::targets(), test::name_of_target);

TEST(Utf8, AfterAFaultItStaysFaultyUntilReset) {
    Utf8Validator validator;
    EXPECT_FALSE(validator.feed(as_bytes("\xFF")));
    EXPECT_FALSE(validator.feed(as_bytes("fine")));
    EXPECT_FALSE(validator.complete());
    validator.reset();
    EXPECT_TRUE(validator.feed(as_bytes("fine")));
    EXPECT_TRUE(validator.complete());
}

}  // namespace
}  // namespace millrace::ws
