#pragma once
// Where records begin and end in a stream of bytes (RFC 8446 section 5.1): five bytes of header, the last two
// its length. OpenSSL knows it too, and does not tell.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::tls {

inline constexpr std::size_t kRecordHeader = 5;
inline constexpr std::size_t kMostPlaintext = 1u << 14;  // section 5.1
// What sealing adds to a record at most: header, explicit nonce (TLS 1.2), content type (1.3), tag; padding
// is never added.
inline constexpr std::size_t kRecordOverhead = kRecordHeader + 8 + 1 + 16;

// Bytes of a record's body by its header.
inline std::size_t body_length(std::span<const std::byte> header) {
    return std::to_integer<std::size_t>(header[3]) << 8 | std::to_integer<std::size_t>(header[4]);
}

// Bytes of the record that `bytes` begins with, if all of it is there; else 0.
inline std::size_t whole_record(std::span<const std::byte> bytes) {
    if (bytes.size() < kRecordHeader) return 0;
    const std::size_t length = kRecordHeader + body_length(bytes);
    return bytes.size() < length ? 0 : length;
}

class RecordPlace {
  public:
    bool between_records() const { return header_ == 0 && body_ == 0; }

    // May the record that is under way end within the next `n` bytes?
    bool may_end_within(std::size_t n) const { return header_ != 0 || body_ <= n; }

    void advance(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            if (body_ != 0) {
                const std::size_t part = std::min<std::size_t>(body_, bytes.size());
                body_ = static_cast<std::uint16_t>(body_ - part);
                bytes = bytes.subspan(part);
                continue;
            }
            if (header_ == 3) high_ = std::to_integer<std::uint8_t>(bytes[0]);
            if (++header_ == kRecordHeader) {
                body_ = static_cast<std::uint16_t>(high_ << 8 | std::to_integer<unsigned>(bytes[0]));
                header_ = 0;
            }
            bytes = bytes.subspan(1);
        }
    }

  private:
    std::uint16_t body_ = 0;   // bytes of the body still to come
    std::uint8_t header_ = 0;  // bytes of the header that have come, while it is incomplete
    std::uint8_t high_ = 0;    // the length's first byte
};

}  // namespace millrace::tls
