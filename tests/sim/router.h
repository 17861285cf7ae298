#pragma once
// What a router says of a packet that is too long for the link behind it.

#include <span>
#include <vector>

#include "netstack/base/address.h"

namespace millrace::sim {

// The frame with ICMP's "fragmentation needed" (RFC 1191 section 4), or ICMPv6's "packet too big" (RFC 4443
// section 3.2), for the host that sent `frame`.
std::vector<std::byte> packet_too_big(const net::MacAddress& sender, std::span<const std::byte> frame,
                                      std::uint16_t mtu);

}  // namespace millrace::sim
