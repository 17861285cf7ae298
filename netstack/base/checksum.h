#pragma once
// The internet checksum (RFC 1071): the ones' complement sum of 16-bit words. Sums are kept in memory order
// and folded late, which RFC 1071 section 2 (B) allows: a sum of byte-swapped words is the byte-swapped sum.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "netstack/base/address.h"
#include "netstack/base/byte_order.h"

namespace millrace::net {

// An unfolded partial sum. Sums of parts add up, where every part but the last has an even length (a part
// that begins at an odd offset is added with `swapped()`).
class ChecksumSum {
  public:
    constexpr ChecksumSum() = default;
    constexpr explicit ChecksumSum(std::uint64_t sum) : sum_(sum) {}

    constexpr ChecksumSum& operator+=(ChecksumSum other) {
        sum_ += other.sum_;
        sum_ += sum_ < other.sum_;  // end-around carry
        return *this;
    }

    // The sum as 16 bits, in memory order.
    constexpr std::uint16_t folded() const {
        std::uint64_t sum = (sum_ & 0xffffffff) + (sum_ >> 32);
        sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
        sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<std::uint16_t>((sum & 0xffff) + (sum >> 16));
    }
    // What belongs into a checksum field, as it lies in memory.
    constexpr std::uint16_t checksum() const { return static_cast<std::uint16_t>(~folded()); }
    // True over a whole packet with its checksum field in place.
    constexpr bool good() const { return folded() == 0xffff; }
    // The sum of the same bytes at an odd offset.
    constexpr ChecksumSum swapped() const {
        const std::uint16_t sum = folded();
        return ChecksumSum(static_cast<std::uint16_t>(sum << 8 | sum >> 8));
    }

  private:
    std::uint64_t sum_ = 0;
};

// The sum of `length` bytes at `data`, of any alignment and length.
ChecksumSum checksum_sum(const void* data, std::size_t length);

inline ChecksumSum checksum_sum(std::span<const std::byte> bytes) {
    return checksum_sum(bytes.data(), bytes.size());
}

// The pseudo-header of TCP and UDP over IPv4 (RFC 9293 section 3.1): addresses, protocol, layer-4 length; and
// over IPv6 (RFC 8200 section 8.1), of which the same holds.
constexpr ChecksumSum pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                        std::uint8_t protocol, std::uint32_t l4_length) {
    std::uint64_t rest = std::uint64_t{big_endian16(protocol)} + big_endian32(l4_length);
    if (source.is_v4()) {
        rest += big_endian32(source.v4().value);
        return ChecksumSum(rest + big_endian32(destination.v4().value));
    }
    ChecksumSum sum(rest);
    for (const std::uint64_t half : {source.high, source.low, destination.high, destination.low})
        sum += ChecksumSum(big_endian64(half));
    return sum;
}

}  // namespace millrace::net
