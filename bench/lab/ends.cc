#include "bench/lab/ends.h"

#include <algorithm>
#include <bit>

#include "bench/lab/churn.h"
#include "engine/endpoint/shard.h"

namespace millrace::bench {

namespace {

// The server's address, the first of the clients', and the subnet of both.
struct Addresses {
    net::IpAddress server, first_client;
    std::uint8_t prefix;
};
constexpr Addresses kIpv4{net::Ipv4{10u << 24 | 1}, net::Ipv4{10u << 24 | 1 << 16 | 1},
                          8};                                                           // 10.0.0.1, 10.1.0.1
constexpr Addresses kIpv6{{0x20010db800000000, 1}, {0x20010db800000000, 0x10001}, 64};  // 2001:db8::1, ::1:1

const Addresses& addresses_of(const LabOptions& options) {
    return options.ipv6 ? kIpv6 : kIpv4;
}

constexpr std::uint16_t kPort = 9001;

// A client address has some 64,000 ports; a search for a free one stays short while half of them are free.
constexpr std::uint64_t kConnectionsPerAddress = 32'000;

// Of each wire: many of them share what would else be gigabytes.
unsigned wire_mbufs(const LabOptions& options) {
    constexpr std::size_t kMost = 8192, kTogether = 16 * kMost;
    return static_cast<unsigned>(std::min(
        kMost, std::bit_floor(kTogether / (options.server_cores.size() * options.client_cores.size()))));
}
constexpr unsigned kSteeringMbufs = 256;  // Steering's own, where the port steers

// Every message under way lies in a segment of its own until it is acknowledged; twice that, and room for
// handshakes, is enough for the pool never to be what limits a run.
unsigned data_mbufs(const LabOptions& options, std::size_t shards) {
    constexpr std::uint64_t kLeast = 16'384, kMost = 512 * 1024;
    constexpr std::uint64_t kSegment = 1400;
    const std::uint64_t segments = options.in_flight * (options.payload / kSegment + 1);
    const std::uint64_t fanout = options.fanout ? 4 * options.fanout_subscribers : 0;
    return static_cast<unsigned>(
        std::clamp(std::max(2 * options.echo_connections * segments, fanout) / shards, kLeast, kMost));
}

// For what is sent by reference, too.
unsigned header_mbufs(const LabOptions& options, std::size_t shards) {
    constexpr std::uint64_t kLeast = 16'384, kMost = 512 * 1024;
    return static_cast<unsigned>(
        options.fanout ? std::clamp(8 * options.fanout_subscribers / shards, kLeast, kMost) : kLeast);
}

// Those of the fanout stage come besides.
std::uint64_t all_connections(const LabOptions& options) {
    return options.connections + (options.fanout ? options.fanout_subscribers : 0);
}

// The share of a shard when flows are spread by a hash, which is never quite even.
std::size_t max_connections(const LabOptions& options, std::size_t shards) {
    const std::uint64_t share = all_connections(options) / shards;
    return share + (shards == 1 ? 0 : share / 8) + 1024 + (options.churn ? ChurnStage::kSlots : 0);
}

net::StackConfig stack_config(const LabOptions& options, std::size_t shards, net::LocalRange addresses) {
    net::StackConfig config;
    config.addresses = {addresses};
    config.neighbours.tentative = {};  // nobody else is on the cable
    config.tcp.max_connections = max_connections(options, shards);
    apply(options.tcp, config.tcp);
    config.tcp.send_limit = carrier_send_limit(Ends::endpoint_config());
    config.data_mbufs = data_mbufs(options, shards);
    config.header_mbufs = header_mbufs(options, shards);
    return config;
}

// The carriers of one end.
Expected<void> add_shards(const net::StackConfig& config, net::Port& port, std::size_t shards,
                          std::unique_ptr<net::Steering>& steering,
                          std::vector<std::unique_ptr<LabCarrier>>& out) {
    if (shards > 1) {
        auto made = net::Steering::create(port.rss(), port.offloads().rss, port.mtu());
        if (!made) return tl::unexpected(made.error());
        steering = std::move(*made);
    }
    for (unsigned i = 0; i < shards; ++i) {
        auto carrier = LabCarrier::create(config, port, i, steering.get());
        if (!carrier) return tl::unexpected(carrier.error());
        out.push_back(std::move(*carrier));
    }
    return {};
}

}  // namespace

Expected<Ends> Ends::create(const LabOptions& options) {
    Ends ends;
    auto cable = net::Cable::create({.shards_a = static_cast<unsigned>(options.server_cores.size()),
                                     .shards_b = static_cast<unsigned>(options.client_cores.size()),
                                     .slots = wire_mbufs(options) / 4,
                                     .mbufs = wire_mbufs(options),
                                     .checksum_offload = !options.checksums});
    if (!cable) return tl::unexpected(cable.error());
    ends.cable_ = std::move(*cable);

    const Addresses& at = addresses_of(options);
    const auto addresses = static_cast<std::uint32_t>(all_connections(options) / kConnectionsPerAddress + 1);
    const auto server =
        stack_config(options, options.server_cores.size(), {.first = at.server, .prefix = at.prefix});
    const auto client = stack_config(options, options.client_cores.size(),
                                     {.first = at.first_client, .count = addresses, .prefix = at.prefix});
    if (auto added = add_shards(server, ends.cable_->a(), options.server_cores.size(), ends.server_steering_,
                                ends.servers_);
        !added)
        return tl::unexpected(added.error());
    if (auto added = add_shards(client, ends.cable_->b(), options.client_cores.size(), ends.client_steering_,
                                ends.clients_);
        !added)
        return tl::unexpected(added.error());
    for (auto& carrier : ends.servers_)
        if (auto listening = carrier->listen(server_address(options)); !listening)
            return tl::unexpected(listening.error());
    return ends;
}

// Counted from the pools that are made above; EAL's allocator needs some room besides to place them.
std::size_t Ends::memory_mib(const LabOptions& options) {
    constexpr std::size_t kDataMbuf = 2048 + RTE_PKTMBUF_HEADROOM + sizeof(rte_mbuf) + 256;
    constexpr std::size_t kHeaderMbuf = 256 + RTE_PKTMBUF_HEADROOM + sizeof(rte_mbuf) + 128;
    const std::size_t servers = options.server_cores.size(), clients = options.client_cores.size();
    const std::size_t wires = (2 * servers * clients * wire_mbufs(options) +
                               (servers * (servers - 1) + clients * (clients - 1)) * kSteeringMbufs) *
                              kDataMbuf;
    std::size_t stacks = 0;
    for (const std::size_t shards : {servers, clients})
        stacks +=
            shards * (data_mbufs(options, shards) * kDataMbuf + header_mbufs(options, shards) * kHeaderMbuf);
    return (wires + stacks) / (1024 * 1024) * 5 / 4 + 128;
}

EndpointConfig Ends::endpoint_config() {
    return {};
}

net::SocketAddress Ends::server_address(const LabOptions& options) {
    return {addresses_of(options).server, kPort};
}

}  // namespace millrace::bench
