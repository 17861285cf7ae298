#pragma once
// The way out below TCP: IPv4 and Ethernet headers, checksums, the next hop, the transmit burst.

#include <rte_mbuf.h>

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/time.h"

namespace millrace::net {

// Room that every outgoing packet needs in front of its layer-4 header: Ethernet with a VLAN tag, IPv6.
inline constexpr std::uint16_t kLinkHeadroom = 14 + 4 + 40;

class IpOutput {
  public:
    // `packet` begins with a layer-4 header (`l4_header_bytes`, protocol 6, 1 or 17) whose checksum field is zero, has
    // kLinkHeadroom in front, and may be a chain. One reference to it is taken over. Prepends the headers,
    // completes the checksums (or asks the port to), and queues it for the shard's next transmit burst; while
    // the next hop's MAC address is being resolved it waits in a bounded queue. What cannot be queued is
    // dropped and counted: TCP sends it again.
    void send(rte_mbuf* packet, std::uint8_t protocol, std::uint16_t l4_header_bytes, Ipv4 source,
              Ipv4 destination, Time now);
};

}  // namespace millrace::net
