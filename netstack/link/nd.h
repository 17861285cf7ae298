#pragma once
// Neighbour discovery for IPv6 (RFC 4861 section 4): the messages and their parsing. They are ICMPv6 messages
// with a hop limit of 255, which no router lets in from outside the link.

#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "netstack/base/address.h"
#include "netstack/ip/input.h"
#include "netstack/ip/ipv6.h"
#include "netstack/link/ethernet.h"

namespace millrace::net {

enum class NdType : std::uint8_t {
    kRouterSolicitation = 133,
    kRouterAdvertisement = 134,
    kNeighbourSolicitation = 135,
    kNeighbourAdvertisement = 136,
};

// A neighbour solicitation or advertisement.
struct NdPacket {
    NdType type{};
    IpAddress source;
    IpAddress destination;
    IpAddress target;
    bool router = false;  // of advertisements
    bool solicited = false;
    bool override_entry = false;
    std::optional<MacAddress> link_address;  // the source's, or the target's, link-layer address option
};

// What a router says of the link (section 4.2), as far as a host with addresses of its own asks.
struct RouterAdvertisement {
    static constexpr std::size_t kMostPrefixes = 8;  // in one message; the others are not looked at
    struct Prefix {
        Cidr network;
        std::uint32_t valid_seconds = 0;
    };
    IpAddress router;
    std::uint16_t lifetime_seconds = 0;  // as a default router; zero: it is none
    std::uint32_t mtu = 0;               // zero: not said
    std::optional<MacAddress> link_address;
    std::size_t prefix_count = 0;  // on-link ones
    std::array<Prefix, kMostPrefixes> prefixes;
};

// `message` begins with its ICMPv6 header; its checksum has been verified. Nothing where it fails the checks
// of sections 6.1.2, 7.1.1 or 7.1.2.
std::optional<NdPacket> parse_neighbour_message(const rte_mbuf* message, const IpArrival& arrival);
std::optional<RouterAdvertisement> parse_router_advertisement(const rte_mbuf* message,
                                                              const IpArrival& arrival);

// Write the whole frame, Ethernet header included, into an empty mbuf. A solicitation whose target's MAC
// address is not known goes to its group.
void write_nd(rte_mbuf* frame, const MacAddress& source, const MacAddress& destination,
              const NdPacket& packet);
void write_router_solicitation(rte_mbuf* frame, const MacAddress& mac, const IpAddress& source);

}  // namespace millrace::net
