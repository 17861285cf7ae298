// RFC 6455 section 5.2: the header parser, exhaustively over the first two bytes, against the section's
// sentences written out one by one.

#include "engine/frame/header.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "engine/frame/encode.h"

namespace millrace::ws {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
    std::vector<std::byte> bytes;
    for (unsigned value : values)
        bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

// Whether the first two bytes alone are allowed, by the text of sections 5.1, 5.2 and 5.5.
bool allowed(unsigned first, unsigned second, Role role) {
    const bool fin = first & 0x80;
    const unsigned opcode = first & 0x0F;
    if (first & 0x70) return false;                // "MUST be 0 unless an extension is negotiated"
    if (opcode >= 3 && opcode <= 7) return false;  // "reserved for further non-control frames"
    if (opcode >= 0xB) return false;               // "reserved for further control frames"
    if (opcode >= 8 && !fin) return false;         // "MUST NOT be fragmented"
    if (opcode >= 8 && (second & 0x7F) > 125)
        return false;  // "MUST have a payload length of 125 bytes or less"
    if (role == Role::kServer && !(second & 0x80)) return false;  // "a frame that is not masked"
    if (role == Role::kClient && (second & 0x80)) return false;   // "if it detects a masked frame"
    return true;
}

TEST(FrameHeader, EveryFirstTwoBytesInBothRoles) {
    for (const Role role : {Role::kServer, Role::kClient})
        for (unsigned first = 0; first < 256; ++first)
            for (unsigned second = 0; second < 256; ++second) {
                // Extended lengths 0x1234 and 0x1234567890 have their shortest forms; a key follows.
                auto in = bytes_of({first, second});
                std::uint64_t payload = second & 0x7F;
                if (payload == 126) {
                    for (unsigned b : {0x12, 0x34})
                        in.push_back(static_cast<std::byte>(b));
                    payload = 0x1234;
                } else if (payload == 127) {
                    for (unsigned b : {0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x90})
                        in.push_back(static_cast<std::byte>(b));
                    payload = 0x1234567890;
                }
                if (second & 0x80)
                    for (unsigned b : {0xAA, 0xBB, 0xCC, 0xDD})
                        in.push_back(static_cast<std::byte>(b));

                const auto [status, header, why] = decode_header(in, role);
                if (!allowed(first, second, role)) {
                    ASSERT_EQ(status, HeaderStatus::kBad) << first << ' ' << second;
                    ASSERT_NE(std::string_view(why), "");
                    continue;
                }
                ASSERT_EQ(status, HeaderStatus::kComplete) << first << ' ' << second;
                ASSERT_EQ(header.fin, (first & 0x80) != 0);
                ASSERT_EQ(static_cast<unsigned>(header.opcode), first & 0x0F);
                ASSERT_EQ(header.masked, role == Role::kServer);
                ASSERT_EQ(header.payload, payload);
                ASSERT_EQ(header.size, in.size());
                if (header.masked) {
                    ASSERT_EQ(header.key, 0xDDCCBBAAu);
                }
            }
}

// A prefix is never kComplete, is kBad only if the whole is, says how much it wants, and never looks past its
// end.
TEST(FrameHeader, EveryPrefixOfEveryHeader) {
    for (const Role role : {Role::kServer, Role::kClient})
        for (unsigned first = 0; first < 256; ++first)
            for (unsigned second = 0; second < 256; ++second) {
                auto in = bytes_of({first, second, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x90, 1, 2, 3, 4});
                if ((second & 0x7F) == 126) in[2] = std::byte{1};
                const HeaderResult whole = decode_header(in, role);
                for (std::size_t n = 0; n < whole.header.size; ++n) {
                    const std::vector<std::byte> exact(in.begin(), in.begin() + static_cast<long>(n));
                    const HeaderResult part = decode_header(exact, role);
                    if (whole.status == HeaderStatus::kComplete) {
                        ASSERT_EQ(part.status, HeaderStatus::kNeedMore);
                        ASSERT_GT(part.header.size, n);
                        ASSERT_LE(part.header.size, whole.header.size);
                    } else {
                        ASSERT_NE(part.status, HeaderStatus::kComplete);
                    }
                }
            }
}

TEST(FrameHeader, LengthsMustHaveTheirShortestForm) {
    const auto status = [](std::initializer_list<unsigned> values) {
        return decode_header(bytes_of(values), Role::kClient).status;
    };
    EXPECT_EQ(status({0x82, 126, 0, 0}), HeaderStatus::kBad);
    EXPECT_EQ(status({0x82, 126, 0, 125}), HeaderStatus::kBad);
    EXPECT_EQ(status({0x82, 126, 0, 126}), HeaderStatus::kComplete);
    EXPECT_EQ(status({0x82, 126, 0xFF, 0xFF}), HeaderStatus::kComplete);
    EXPECT_EQ(status({0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1}), HeaderStatus::kBad);
    EXPECT_EQ(status({0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}), HeaderStatus::kBad);
    EXPECT_EQ(status({0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}), HeaderStatus::kComplete);
}

TEST(FrameHeader, TheTopBitOfA64BitLengthMustBeClear) {
    auto in = bytes_of({0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0});
    EXPECT_EQ(decode_header(in, Role::kClient).status, HeaderStatus::kBad);
    in[2] = std::byte{0x7F};
    const auto result = decode_header(in, Role::kClient);
    EXPECT_EQ(result.status, HeaderStatus::kComplete);
    EXPECT_EQ(result.header.payload, 0x7F00000000010000u);
}

TEST(FrameHeader, AFaultInTheFirstByteIsSaidWithoutTheSecond) {
    for (unsigned first = 0; first < 256; ++first) {
        const auto status = decode_header(bytes_of({first}), Role::kServer).status;
        ASSERT_EQ(status, allowed(first, 0x80, Role::kServer) ? HeaderStatus::kNeedMore : HeaderStatus::kBad);
    }
}

TEST(EncodeHeader, DecodesToWhatWasEncoded) {
    std::mt19937_64 random(5);
    std::vector<std::uint64_t> lengths = {0,
                                          1,
                                          124,
                                          125,
                                          126,
                                          127,
                                          65534,
                                          65535,
                                          65536,
                                          65537,
                                          0xFFFFFFFF,
                                          0x100000000,
                                          1 << 20,
                                          (1ull << 62) + 3,
                                          (1ull << 63) - 1};
    for (int i = 0; i < 1000; ++i)
        lengths.push_back(random() >> (1 + random() % 63));
    for (const std::uint64_t length : lengths)
        for (const Opcode opcode : {Opcode::kContinuation, Opcode::kText, Opcode::kBinary, Opcode::kPing})
            for (const bool fin : {true, false})
                for (const bool masked : {true, false}) {
                    if (is_control(opcode) && (!fin || length > 125)) continue;
                    const auto key =
                        masked ? std::optional<MaskKey>(static_cast<MaskKey>(random())) : std::nullopt;
                    std::byte out[kMaxHeader];
                    const std::size_t size = encode_header(out, opcode, fin, length, key);
                    ASSERT_EQ(size, header_size(length, masked));
                    const auto [status, header, why] =
                        decode_header({out, size}, masked ? Role::kServer : Role::kClient);
                    ASSERT_EQ(status, HeaderStatus::kComplete) << why << ' ' << length;
                    ASSERT_EQ(header.opcode, opcode);
                    ASSERT_EQ(header.fin, fin);
                    ASSERT_EQ(header.payload, length);
                    ASSERT_EQ(header.size, size);
                    if (masked) {
                        ASSERT_EQ(header.key, *key);
                    }
                }
}

// Section 5.7's examples.
TEST(EncodeHeader, TheExamplesOfSection5_7) {
    const auto encoded = [](Opcode opcode, bool fin, std::uint64_t payload, std::optional<MaskKey> key = {},
                            bool rsv1 = false) {
        std::vector<std::byte> out(kMaxHeader);
        out.resize(encode_header(out.data(), opcode, fin, payload, key, rsv1));
        return out;
    };
    EXPECT_EQ(encoded(Opcode::kText, true, 5), bytes_of({0x81, 0x05}));
    EXPECT_EQ(encoded(Opcode::kText, true, 5, 0x3d21fa37), bytes_of({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d}));
    EXPECT_EQ(encoded(Opcode::kText, false, 3), bytes_of({0x01, 0x03}));
    EXPECT_EQ(encoded(Opcode::kContinuation, true, 2), bytes_of({0x80, 0x02}));
    EXPECT_EQ(encoded(Opcode::kPing, true, 5), bytes_of({0x89, 0x05}));
    EXPECT_EQ(encoded(Opcode::kBinary, true, 256), bytes_of({0x82, 0x7E, 0x01, 0x00}));
    EXPECT_EQ(encoded(Opcode::kBinary, true, 65536), bytes_of({0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0}));
    EXPECT_EQ(encoded(Opcode::kText, true, 5, {}, true), bytes_of({0xC1, 0x05}));  // RFC 7692 section 7.2.3
}

}  // namespace
}  // namespace millrace::ws
