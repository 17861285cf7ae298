#include "engine/run/server_dpdk.h"

namespace millrace {
namespace {

net::StackConfig stack_config(const GroundOptions& options) {
    net::StackConfig config;
    for (const net::Cidr& ip : options.ips)
        config.addresses.push_back({.first = ip.address, .count = 1, .prefix = ip.prefix});
    config.gateways = options.gateways;
    config.tcp.max_connections = options.max_connections;
    config.tcp.send_limit = carrier_send_limit(options.endpoint);
    config.tcp.keep_alive = options.keep_alive;
    config.tcp.keep_alive_interval = options.keep_alive / kKeepAliveProbes;
    config.tcp.keep_alive_probes = kKeepAliveProbes;
    config.tcp.user_timeout = options.user_timeout;
    apply(options.tcp, config.tcp);
    if (options.buffers != 0) config.data_mbufs = static_cast<unsigned>(options.buffers);
    return config;
}

}  // namespace

Expected<std::unique_ptr<DpdkGround>> DpdkGround::lay(const GroundOptions& options) {
    auto eal = net::Eal::start({.cpus = options.cores, .args = options.eal});
    if (!eal) return tl::unexpected(eal.error());
    const auto count = static_cast<unsigned>(options.cores.size());
    auto port = net::Port::open({.device = options.device, .queues = count, .vlan = options.vlan});
    if (!port) return tl::unexpected(port.error());
    std::unique_ptr<DpdkGround> ground(new DpdkGround{std::move(*eal), std::move(*port), nullptr, {}});
    if (count > 1) {
        auto steering =
            net::Steering::create(ground->port.rss(), ground->port.offloads().rss, ground->port.mtu());
        if (!steering) return tl::unexpected(steering.error());
        ground->steering = std::move(*steering);
    }
    for (unsigned i = 0; i < count; ++i) {
        auto carrier =
            net::DpdkCarrier::create(stack_config(options), ground->port, i, ground->steering.get());
        if (!carrier) return tl::unexpected(carrier.error());
        ground->carriers.push_back(std::move(*carrier));
    }
    return ground;
}

}  // namespace millrace
