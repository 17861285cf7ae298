#pragma once
// The first bytes of a connection: do they speak TLS? Judged before anything of OpenSSL exists for it.

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace millrace::tls {

enum class FirstBytes : std::uint8_t {
    kIncomplete,
    kHello,  // a whole handshake record
    kHttp,   // somebody speaks HTTP here
    kNotTls,
};

FirstBytes judge_first_bytes(std::span<const std::byte> bytes);

// The beginning of a handshake record of TLS, or SSL 3.0 (RFC 8446 section 5.1).
bool begins_like_hello(std::span<const std::byte> bytes);

// For who speaks HTTP to a port that speaks TLS, and for who speaks TLS to one that does not: a fatal alert
// of handshake_failure (RFC 8446 section 6.2), which clients report.
extern const std::string_view kPlainHttpAnswer;
inline constexpr std::array<std::byte, 7> kHandshakeFailure{
    std::byte{21}, std::byte{3}, std::byte{1}, std::byte{0}, std::byte{2}, std::byte{2}, std::byte{40}};

}  // namespace millrace::tls
