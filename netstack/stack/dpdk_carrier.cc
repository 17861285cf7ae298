#include "netstack/stack/dpdk_carrier.h"

#include <algorithm>
#include <random>
#include <vector>

#include "netstack/ip/ipv6.h"

namespace millrace::net {

namespace {

// The groups that IPv6 listens to (RFC 4291 section 2.8). Several addresses may share one.
void receive_groups_of(const LocalAddresses& local, Port& port) {
    if (!local.has_ipv6()) return;
    constexpr std::size_t kMost = 1024;  // beyond it the port is asked for all groups in any case
    std::vector<MacAddress> groups{mac_of_group(kAllNodes)};
    for (const LocalRange& range : local.ranges())
        for (std::uint32_t i = 0; !range.first.is_v4() && i < range.count && groups.size() < kMost; ++i)
            groups.push_back(mac_of_group(solicited_node_group(range.first.plus(i))));
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    port.receive_groups(groups);
}

}  // namespace

Expected<std::unique_ptr<DpdkCarrier>> DpdkCarrier::create(const StackConfig& config, Port& port,
                                                           unsigned shard, Steering* steering) {
    StackConfig own = config;
    auto& secret = own.tcp.secret;
    if (std::all_of(secret.begin(), secret.end(), [](std::uint64_t key) { return key == 0; })) {
        std::random_device random;
        for (auto& key : secret)
            key = std::uint64_t{random()} << 32 | random();
    }
    auto stack = Stack::create(own, {.mac = port.mac(),
                                     .mtu = port.mtu(),
                                     .vlan = port.vlan(),
                                     .offloads = port.offloads(),
                                     .rss = &port.rss(),
                                     .shard = shard,
                                     .receive_pools = port.receive_pools()});
    if (!stack) return tl::unexpected(stack.error());
    if (shard == 0) receive_groups_of((*stack)->addresses(), port);
    return std::unique_ptr<DpdkCarrier>(new DpdkCarrier(std::move(*stack), port, shard, steering));
}

}  // namespace millrace::net
