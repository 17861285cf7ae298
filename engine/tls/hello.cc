#include "engine/tls/hello.h"

#include "engine/tls/records.h"

namespace millrace::tls {

const std::string_view kPlainHttpAnswer =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 51\r\n"
    "Connection: close\r\n"
    "\r\n"
    "This port speaks TLS: come with wss:// or https://\n";

namespace {
constexpr std::byte kHandshakeRecord{22};
// A method's first letter; no record's type is one.
bool is_letter(std::byte byte) {
    return byte >= std::byte{'A'} && byte <= std::byte{'Z'};
}
}  // namespace

bool begins_like_hello(std::span<const std::byte> bytes) {
    return !bytes.empty() && bytes[0] == kHandshakeRecord && (bytes.size() < 2 || bytes[1] == std::byte{3});
}

FirstBytes judge_first_bytes(std::span<const std::byte> bytes) {
    constexpr std::size_t kLeastHello = 4;  // a handshake message's header
    if (bytes.empty()) return FirstBytes::kIncomplete;
    if (is_letter(bytes[0])) return FirstBytes::kHttp;
    if (!begins_like_hello(bytes)) return FirstBytes::kNotTls;
    if (bytes.size() < kRecordHeader) return FirstBytes::kIncomplete;
    const std::size_t length = body_length(bytes);
    if (length < kLeastHello || length > kMostPlaintext) return FirstBytes::kNotTls;
    return whole_record(bytes) != 0 ? FirstBytes::kHello : FirstBytes::kIncomplete;
}

}  // namespace millrace::tls
