#pragma once
// base64 (RFC 4648 section 4) of the two sizes that the opening handshake knows.

#include <cstddef>
#include <span>
#include <string_view>

namespace millrace::ws {

void base64_encode(std::span<const std::byte, 16> in, std::span<char, 24> out);
void base64_encode(std::span<const std::byte, 20> in, std::span<char, 28> out);

// Whether `text` decodes to 16 octets.
bool is_base64_of_16(std::string_view text);

}  // namespace millrace::ws
