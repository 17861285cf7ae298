#pragma once
// The addresses that are ours and the subnets that they lie in. Built at set-up, read by every packet.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/base/error.h"

namespace millrace::net {

// Consecutive addresses of one subnet: a server has one, a load generator many.
struct LocalRange {
    Ipv4 first;
    std::uint32_t count = 1;
    std::uint8_t prefix = 24;

    constexpr bool holds(Ipv4 ip) const { return ip.value - first.value < count; }
    constexpr Cidr subnet() const { return {first, prefix}; }
};

// "10.0.0.1/24", or "10.1.0.1+160/16" for 160 addresses from 10.1.0.1 on.
Expected<LocalRange> parse_local_range(std::string_view text);

class LocalAddresses {
  public:
    // At least one range. `gateway` must lie in one of their subnets. Fails where an address is not a host's
    // (network or broadcast address of its subnet, group, loopback, zero) or ranges overlap.
    static Expected<LocalAddresses> create(std::vector<LocalRange> ranges, std::optional<Ipv4> gateway);

    const std::vector<LocalRange>& ranges() const { return ranges_; }

    bool is_local(Ipv4 ip) const {
        for (const auto& range : ranges_)
            if (range.holds(ip)) return true;
        return false;
    }
    // All ones, or the directed broadcast address of one of our subnets (RFC 1122 section 3.2.1.3).
    bool is_broadcast(Ipv4 ip) const;
    // The neighbour to whom packets for `destination` go: itself in our subnets, else the gateway; nothing
    // when there is none.
    std::optional<Ipv4> next_hop(Ipv4 destination) const {
        return is_neighbour(destination) ? destination : gateway_;
    }
    // True in our subnets.
    bool is_neighbour(Ipv4 ip) const {
        for (const auto& range : ranges_)
            if (range.subnet().contains(ip)) return true;
        return false;
    }
    // The address of ours to speak from to `neighbour`.
    Ipv4 source_for(Ipv4 neighbour) const;

  private:
    std::vector<LocalRange> ranges_;
    std::optional<Ipv4> gateway_;
};

// Addresses that can be no packet's source (RFC 1122 section 3.2.1.3, RFC 6890): 0/8, 127/8, groups and the
// reserved top, limited broadcast.
constexpr bool is_martian_source(Ipv4 ip) {
    const std::uint32_t first = ip.value >> 24;
    return first == 0 || first == 127 || first >= 224;
}

}  // namespace millrace::net
