#include "engine/proxy/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

namespace millrace::proxy {
namespace {

constexpr Header kIncomplete{HeaderStatus::kIncomplete, 0, {}};
constexpr Header kBad{HeaderStatus::kBad, 0, {}};

std::uint64_t big_endian(std::span<const std::byte> bytes) {
    std::uint64_t value = 0;
    for (const std::byte byte : bytes)
        value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
}

// --- version 1: one line of text (section 2.1) ---

constexpr std::string_view kTextBegin = "PROXY ";
constexpr std::size_t kLongestLine = 107;  // with its CRLF

// The next word of `line`, which is advanced past one space; nullopt when there is none.
std::optional<std::string_view> next_word(std::string_view& line) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, space);
    line.remove_prefix(std::min(space + 1, line.size()));
    if (word.empty()) return std::nullopt;
    return word;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool plain = text == "0" || !text.starts_with('0');
    if (error != std::errc{} || end != text.data() + text.size() || !plain) return std::nullopt;
    return port;
}

std::optional<net::IpAddress> parse_ip_of(std::string_view text, bool v4) {
    const auto ip = net::parse_ip(text);
    if (!ip || (text.find(':') == text.npos) != v4) return std::nullopt;
    return *ip;
}

// What stands between "PROXY " and the CRLF.
Header parse_line(std::string_view line, std::size_t size) {
    const auto family = next_word(line);
    if (family == "UNKNOWN") return {HeaderStatus::kLocal, size, {}};
    if (family != "TCP4" && family != "TCP6") return kBad;
    const bool v4 = family == "TCP4";
    std::array<std::string_view, 4> words;  // source, destination, and their ports
    for (auto& word : words) {
        const auto next = next_word(line);
        if (!next) return kBad;
        word = *next;
    }
    const auto source = parse_ip_of(words[0], v4);
    const auto port = parse_port(words[2]);
    const bool good = line.empty() && source && parse_ip_of(words[1], v4) && port && parse_port(words[3]);
    return good ? Header{HeaderStatus::kProxied, size, {*source, *port}} : kBad;
}

Header parse_text(std::string_view text) {
    const std::size_t known = std::min(text.size(), kTextBegin.size());
    if (text.substr(0, known) != kTextBegin.substr(0, known)) return kBad;
    const std::string_view most = text.substr(0, kLongestLine);
    const std::size_t end = most.find('\r');
    if (end == most.npos || end + 1 == most.size()) return most.size() < kLongestLine ? kIncomplete : kBad;
    if (most[end + 1] != '\n' || end < kTextBegin.size()) return kBad;
    const std::string_view line = most.substr(kTextBegin.size(), end - kTextBegin.size());
    if (line.ends_with(' ')) return kBad;
    return parse_line(line, end + 2);
}

// --- version 2: binary (section 2.2) ---

constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kFixed = 16;

// CRC-32C (RFC 3720 appendix B.4), bit by bit: once a connection, over few bytes.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
        crc ^= std::to_integer<std::uint32_t>(byte);
        for (int bit = 0; bit < 8; ++bit)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    }
    return crc;
}

// TLVs fill the header to its end; where one of them is the checksum, it is right (section 2.2.4).
bool extras_are_good(std::span<const std::byte> header, std::size_t at) {
    constexpr auto kCrc32c = std::byte{0x03};
    constexpr std::array<std::byte, 4> kZeros{};
    while (at < header.size()) {
        if (header.size() - at < 3) return false;
        const std::size_t length = big_endian(header.subspan(at + 1, 2));
        if (header.size() - at - 3 < length) return false;
        if (header[at] == kCrc32c) {
            if (length != 4) return false;
            std::uint32_t crc = crc32c(0xffffffff, header.first(at + 3));
            crc = crc32c(crc, kZeros);
            crc = ~crc32c(crc, header.subspan(at + 7));
            if (crc != big_endian(header.subspan(at + 3, 4))) return false;
        }
        at += 3 + length;
    }
    return true;
}

Header parse_binary(std::span<const std::byte> bytes) {
    if (bytes.size() > kSignature.size()) {
        const auto version_command = std::to_integer<unsigned>(bytes[12]);
        if (version_command != 0x20 && version_command != 0x21) return kBad;  // LOCAL, PROXY
    }
    if (bytes.size() < kFixed) return kIncomplete;
    const bool local = bytes[12] == std::byte{0x20};
    const auto family = std::to_integer<unsigned>(bytes[13]) >> 4;
    const auto transport = std::to_integer<unsigned>(bytes[13]) & 0x0f;
    const std::size_t size = kFixed + big_endian(bytes.subspan(14, 2));
    if (size > kMostHeader || (!local && (family > 3 || transport > 2))) return kBad;
    if (bytes.size() < size) return kIncomplete;
    const auto header = bytes.first(size);
    if (local) return {HeaderStatus::kLocal, size, {}};

    constexpr std::array<std::size_t, 4> kAddressBytes{0, 12, 36, 216};  // unspecified, IPv4, IPv6, Unix
    const std::size_t addresses = kAddressBytes[family];
    if (size < kFixed + addresses || !extras_are_good(header, kFixed + addresses)) return kBad;
    const bool stream = transport == 1;
    if (stream && family == 1) {
        const net::Ipv4 ip{static_cast<std::uint32_t>(big_endian(header.subspan(kFixed, 4)))};
        const auto port = static_cast<std::uint16_t>(big_endian(header.subspan(kFixed + 8, 2)));
        return {HeaderStatus::kProxied, size, {ip, port}};
    }
    if (stream && family == 2) {
        const net::IpAddress ip{big_endian(header.subspan(kFixed, 8)),
                                big_endian(header.subspan(kFixed + 8, 8))};
        const auto port = static_cast<std::uint16_t>(big_endian(header.subspan(kFixed + 32, 2)));
        return {HeaderStatus::kProxied, size, {ip, port}};
    }
    return {HeaderStatus::kLocal, size, {}};  // no address of the kind that we could name
}

}  // namespace

Header parse_header(std::span<const std::byte> bytes) {
    if (bytes.empty()) return kIncomplete;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text[0] != kSignature[0]) return parse_text(text);
    const std::size_t known = std::min(text.size(), kSignature.size());
    return text.substr(0, known) == kSignature.substr(0, known) ? parse_binary(bytes) : kBad;
}

}  // namespace millrace::proxy
