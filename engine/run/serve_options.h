#pragma once
// The options of a server, as DESIGN has them: `millrace serve` and every program built on millrace::serve().

#include <cstddef>
#include <string>
#include <vector>

#include "engine/endpoint/config.h"
#include "netstack/base/address.h"
#include "netstack/base/error.h"
#include "netstack/tcp/config.h"

namespace millrace {

enum class Net : std::uint8_t { kUring, kDpdk };

struct ServeOptions {
    Net net = Net::kUring;
    std::vector<net::SocketAddress> listen;  // every shard listens on all of them
    std::vector<unsigned> cores{0};          // one shard on each
    std::size_t max_connections = 65536;     // per shard
    EndpointConfig endpoint;
    Duration drain_timeout = 10s;
    std::string www;  // a directory whose files are served as pages; empty: none

    // DPDK only.
    std::vector<net::Cidr> ips;
    std::vector<net::IpAddress> gateways;
    std::string eal;
    std::uint16_t vlan = 0;   // IEEE 802.1Q; zero: untagged
    std::string device;       // the port, by its ethdev name; empty: the only one
    std::size_t buffers = 0;  // mbufs of a shard for bytes to send; 0: netstack's default
    tcp::Preset tcp = tcp::Preset::kLatency;
};

// What the command line means, or one sentence about what is wrong with it. `--help` and `--version` print
// and end the process.
Expected<ServeOptions> parse_serve_options(int argc, const char* const* argv);

}  // namespace millrace
