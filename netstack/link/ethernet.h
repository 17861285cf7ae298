#pragma once
// Ethernet II frames (RFC 894): a header of 14 bytes, as it lies in memory.

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/checksum.h"

namespace millrace::net {

enum class EtherType : std::uint16_t { kIpv4 = 0x0800, kArp = 0x0806, kIpv6 = 0x86dd };

struct EthernetHeader {
    MacAddress destination;
    MacAddress source;
    std::uint16_t type_big_endian;

    EtherType type() const { return EtherType{big_endian16(type_big_endian)}; }
    void set_type(EtherType type) { type_big_endian = big_endian16(static_cast<std::uint16_t>(type)); }
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) == 2);

inline constexpr std::uint16_t kEthernetBytes = sizeof(EthernetHeader);

// The tag of a virtual LAN (IEEE 802.1Q), which stands between the addresses and the type: its own type, then
// priority and the LAN's number, of which zero means none.
inline constexpr std::uint16_t kVlanType = 0x8100;
inline constexpr std::uint16_t kVlanTagBytes = 4;
inline constexpr std::uint16_t kVlanMask = 0x0fff;
inline constexpr std::uint16_t kMaxVlan = 4094;

constexpr bool is_multicast(const MacAddress& mac) {  // broadcast included
    return (mac.octets[0] & 1) != 0;
}

}  // namespace millrace::net
