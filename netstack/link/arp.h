#pragma once
// ARP over Ethernet for IPv4 (RFC 826): the packet and its parsing.

#include <rte_mbuf.h>

#include <cstdint>
#include <optional>

#include "netstack/base/address.h"
#include "netstack/link/ethernet.h"

namespace millrace::net {

enum class ArpOperation : std::uint16_t { kRequest = 1, kReply = 2 };

struct ArpPacket {
    ArpOperation operation;
    MacAddress sender_mac;
    Ipv4 sender;
    MacAddress target_mac;
    Ipv4 target;
};

inline constexpr std::uint16_t kArpFrameBytes = kEthernetBytes + 28;

// `frame` begins with its Ethernet header. Nothing when it is too short, not IPv4 over Ethernet, neither
// request nor reply, or claims a sender that cannot be a host's (a group MAC address).
std::optional<ArpPacket> parse_arp(const rte_mbuf* frame);

// Writes the whole frame, Ethernet header included, into an empty mbuf.
void write_arp(rte_mbuf* frame, const MacAddress& source, const MacAddress& destination,
               const ArpPacket& packet);

}  // namespace millrace::net
