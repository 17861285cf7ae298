#pragma once
// The internet checksum (RFC 1071): the ones' complement sum of 16-bit words. Sums are kept in memory order
// and folded late, which RFC 1071 section 2 (B) allows: a sum of byte-swapped words is the byte-swapped sum.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "netstack/base/address.h"

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

constexpr std::uint16_t big_endian16(std::uint16_t v) {
    if constexpr (std::endian::native == std::endian::little)
        return static_cast<std::uint16_t>(v << 8 | v >> 8);
    return v;
}
constexpr std::uint32_t big_endian32(std::uint32_t v) {
    if constexpr (std::endian::native == std::endian::little) return __builtin_bswap32(v);
    return v;
}

// The pseudo-header of TCP and UDP over IPv4 (RFC 9293 section 3.1): addresses, protocol, layer-4 length.
constexpr ChecksumSum pseudo_header_sum(Ipv4 source, Ipv4 destination, std::uint8_t protocol,
                                        std::uint32_t l4_length) {
    std::uint64_t sum = big_endian32(source.value);
    sum += big_endian32(destination.value);
    sum += big_endian16(protocol);
    sum += big_endian32(l4_length);
    return ChecksumSum(sum);
}

}  // namespace millrace::net
