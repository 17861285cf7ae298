#pragma once
// The addresses that are ours and the subnets that they lie in. Built at set-up, read by every packet.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/base/error.h"
#include "netstack/ip/learnt_routes.h"

namespace millrace::net {

// Consecutive addresses of one subnet: a server has one, a load generator many.
struct LocalRange {
    IpAddress first;
    std::uint32_t count = 1;
    std::uint8_t prefix = 24;

    constexpr bool holds(const IpAddress& ip) const {
        return ip.high == first.high && ip.low - first.low < count;
    }
    constexpr Cidr subnet() const { return {first, prefix}; }
};

// "10.0.0.1/24" or "2001:db8::1/64", or "10.1.0.1+160/16" for 160 addresses from 10.1.0.1 on.
Expected<LocalRange> parse_local_range(std::string_view text);

class LocalAddresses {
  public:
    // At least one range. `gateways`: one a family at most, which must lie in one of the subnets. Fails where
    // an address is not a host's (network or broadcast address of its subnet, group, loopback, zero) or
    // ranges overlap.
    static Expected<LocalAddresses> create(std::vector<LocalRange> ranges,
                                           const std::vector<IpAddress>& gateways);

    const std::vector<LocalRange>& ranges() const { return ranges_; }
    // Another host's after all (RFC 4862 section 5.4.5): from now on it is none of ours.
    void withdraw(const IpAddress& ip);
    void withdraw_all() { ranges_.clear(); }

    bool is_local(const IpAddress& ip) const {
        for (const auto& range : ranges_)
            if (range.holds(ip)) return true;
        return false;
    }
    // All ones, or the directed broadcast address of one of our subnets (RFC 1122 section 3.2.1.3).
    bool is_broadcast(const IpAddress& ip) const;
    // The neighbour to whom packets for `destination` go: itself in our subnets, else the gateway; nothing
    // when there is none.
    std::optional<IpAddress> next_hop(const IpAddress& destination) const {
        if (is_neighbour(destination)) return destination;
        if (destination.is_v4()) return gateway_v4_;
        return gateway_v6_ ? gateway_v6_ : learnt_next_hop(destination);
    }
    // A gateway that was given, or a router that has said so.
    bool is_router(const IpAddress& ip) const {
        return ip == gateway_v4_ || ip == gateway_v6_ || learnt_.is_router(ip);
    }
    // True in our subnets.
    bool is_neighbour(const IpAddress& ip) const {
        for (const auto& range : ranges_)
            if (range.subnet().contains(ip)) return true;
        return false;
    }
    // A group that every IPv6 host is in, or the solicited-node group of one of our addresses (RFC 4291
    // section 2.8).
    bool is_group(const IpAddress& ip) const;
    bool has_ipv6() const { return has_ipv6_; }
    // What routers are believed about, where no gateway was given for IPv6.
    bool accepts_routers() const { return has_ipv6_ && !gateway_v6_; }
    LearntRoutes& learnt() { return learnt_; }
    const LearntRoutes& learnt() const { return learnt_; }
    // The address of ours to speak from to `neighbour`: of its family, and of its subnet or scope where we
    // have one.
    IpAddress source_for(const IpAddress& neighbour) const;

  private:
    std::optional<IpAddress> learnt_next_hop(const IpAddress& destination) const {
        return learnt_.on_link(destination) ? destination : learnt_.router();
    }

    std::vector<LocalRange> ranges_;
    bool has_ipv6_ = false;
    LearntRoutes learnt_;
    std::optional<IpAddress> gateway_v4_, gateway_v6_;
};

// Addresses that can be no packet's source (RFC 1122 section 3.2.1.3, RFC 6890): 0/8, 127/8, groups and the
// reserved top, limited broadcast. Of IPv6 (RFC 4291 section 2.5): groups, loopback, the unspecified address
// and the block that holds IPv4-mapped ones.
constexpr bool is_martian_source(const IpAddress& ip) {
    if (!ip.is_v4()) return ip.is_v6_multicast() || (ip.high == 0 && ip.low >> 48 == 0);
    const std::uint32_t first = ip.v4().value >> 24;
    return first == 0 || first == 127 || first >= 224;
}

}  // namespace millrace::net
