#include "engine/handshake/base64.h"

#include <array>
#include <cstdint>

namespace millrace::ws {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<bool, 256> kIsDigit = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view(kAlphabet))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

std::uint32_t octet(std::byte b) {
    return std::to_integer<std::uint32_t>(b);
}

char digit(std::uint32_t bits) {
    return kAlphabet[bits & 63];
}

template <std::size_t kIn, std::size_t kOut>
void encode(std::span<const std::byte, kIn> in, std::span<char, kOut> out) {
    static_assert(kOut == (kIn + 2) / 3 * 4);
    std::size_t at = 0;
    for (std::size_t i = 0; i + 3 <= kIn; i += 3) {
        const std::uint32_t group = octet(in[i]) << 16 | octet(in[i + 1]) << 8 | octet(in[i + 2]);
        for (int shift = 18; shift >= 0; shift -= 6)
            out[at++] = digit(group >> shift);
    }
    constexpr std::size_t kLeft = kIn % 3;
    if constexpr (kLeft != 0) {
        std::uint32_t group = octet(in[kIn - kLeft]) << 16;
        if constexpr (kLeft == 2) group |= octet(in[kIn - 1]) << 8;
        out[at++] = digit(group >> 18);
        out[at++] = digit(group >> 12);
        out[at++] = kLeft == 2 ? digit(group >> 6) : '=';
        out[at++] = '=';
    }
}

}  // namespace

void base64_encode(std::span<const std::byte, 16> in, std::span<char, 24> out) {
    encode(in, out);
}

void base64_encode(std::span<const std::byte, 20> in, std::span<char, 28> out) {
    encode(in, out);
}

bool is_base64_of_16(std::string_view text) {
    if (text.size() != 24 || !text.ends_with("==")) return false;
    // The last digit's unused bits may be anything: a decoder need not look at them (RFC 4648 section 3.5),
    // and there are clients that take 22 digits at random.
    bool good = true;
    for (const char c : text.substr(0, 22))
        good &= kIsDigit[static_cast<unsigned char>(c)];
    return good;
}

}  // namespace millrace::ws
