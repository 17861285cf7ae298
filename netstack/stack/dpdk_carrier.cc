#include "netstack/stack/dpdk_carrier.h"

#include <algorithm>
#include <random>

namespace millrace::net {

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
                                     .offloads = port.offloads(),
                                     .rss = &port.rss(),
                                     .shard = shard});
    if (!stack) return tl::unexpected(stack.error());
    return std::unique_ptr<DpdkCarrier>(new DpdkCarrier(std::move(*stack), port, shard, steering));
}

}  // namespace millrace::net
