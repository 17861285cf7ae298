#pragma once
// Between numbers and the big-endian octets of packet headers.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "netstack/base/address.h"

namespace millrace::net {

constexpr std::uint16_t big_endian16(std::uint16_t v) {
    if constexpr (std::endian::native == std::endian::little)
        return static_cast<std::uint16_t>(v << 8 | v >> 8);
    return v;
}
constexpr std::uint32_t big_endian32(std::uint32_t v) {
    if constexpr (std::endian::native == std::endian::little) return __builtin_bswap32(v);
    return v;
}
constexpr std::uint64_t big_endian64(std::uint64_t v) {
    if constexpr (std::endian::native == std::endian::little) return __builtin_bswap64(v);
    return v;
}

// A number that lies at `at`, of any alignment.
template <class Number>
Number load_big_endian(const std::byte* at) {
    Number number;
    std::memcpy(&number, at, sizeof number);
    if constexpr (sizeof number == 2)
        return big_endian16(number);
    else if constexpr (sizeof number == 4)
        return big_endian32(number);
    else
        return big_endian64(number);
}

inline IpAddress load_ipv4(const std::byte* at) {
    return Ipv4{load_big_endian<std::uint32_t>(at)};
}
inline IpAddress load_ipv6(const std::byte* at) {
    return {load_big_endian<std::uint64_t>(at), load_big_endian<std::uint64_t>(at + 8)};
}
inline void store_ipv6(std::byte* at, const IpAddress& ip) {
    const std::uint64_t halves[2] = {big_endian64(ip.high), big_endian64(ip.low)};
    std::memcpy(at, halves, sizeof halves);
}

}  // namespace millrace::net
