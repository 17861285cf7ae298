#pragma once
// What servers and clients have in common: the carrier that they stand on, and the bounds of their endpoints.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/endpoint/config.h"
#include "netstack/base/address.h"
#include "netstack/tcp/config.h"

namespace millrace {

enum class Net : std::uint8_t { kUring, kDpdk };

struct GroundOptions {
    Net net = Net::kUring;
    std::vector<unsigned> cores{0};       // one shard on each
    std::size_t max_connections = 65536;  // per shard
    EndpointConfig endpoint;
    Duration keep_alive{};  // silence after which TCP probes a peer; zero: never
    Duration
        user_timeout{};  // for what was sent to be acknowledged (RFC 5482); zero: as TCP counts its tries

    // DPDK only.
    std::vector<net::Cidr> ips;
    std::vector<net::IpAddress> gateways;
    std::string eal;
    std::uint16_t vlan = 0;   // IEEE 802.1Q; zero: untagged
    std::string device;       // the port, by its ethdev name; empty: the only one
    std::size_t buffers = 0;  // mbufs of a shard for bytes to send; 0: netstack's default
    tcp::Preset tcp = tcp::Preset::kLatency;
};

// Probes of a silent peer: so many, that part of the silence apart, so that it is known to be gone after
// twice the silence.
inline constexpr std::uint8_t kKeepAliveProbes = 3;

}  // namespace millrace
