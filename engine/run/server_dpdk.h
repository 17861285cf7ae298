#pragma once
// Serving over DPDK: EAL, one port with a queue a shard, one worker lcore a shard.

#include <memory>
#include <vector>

#include "engine/run/server.h"
#include "netstack/base/clock.h"
#include "netstack/base/memory.h"
#include "netstack/eal/eal.h"
#include "netstack/port/port.h"
#include "netstack/port/steering.h"
#include "netstack/stack/dpdk_carrier.h"

namespace millrace {

// All that the shards stand on, in the order in which it must outlive them.
struct DpdkGround {
    net::Eal eal;
    net::Port port;
    std::unique_ptr<net::Steering> steering;  // null with one shard
    std::vector<std::unique_ptr<net::DpdkCarrier>> carriers;

    static Expected<std::unique_ptr<DpdkGround>> lay(const GroundOptions& options);
};

template <class... Handlers>
Expected<void> serve_dpdk(ServeOptions& options, const App<Handlers...>& app) {
    auto ground = DpdkGround::lay(options);
    if (!ground) return tl::unexpected(ground.error());
    const std::size_t bytes = idle_bytes<net::DpdkCarrier, Handlers...>(options.secure());
    if (auto fits = check_memory(options, bytes, available_memory()); !fits) return fits;
    const TscClock clock;
    const auto count = static_cast<unsigned>(options.cores.size());
    ShardControl control;
    std::vector<ShardStatus> status(count);
    for (unsigned i = 0; i < count; ++i) {
        (*ground)->eal.launch(i, [&, i] {
            (*ground)->carriers[i]->claim_addresses(clock);
            serve_shard(i, clock, *(*ground)->carriers[i], options, app, control, status[i]);
            status[i].ended.store(true);
        });
    }
    auto result = supervise(options, control, status);
    for (unsigned i = 0; i < count; ++i)
        (*ground)->eal.join(i);
    for (const auto& carrier : (*ground)->carriers)
        if (const auto hint = carrier->hint(); !hint.empty()) {
            advise(hint);
            break;
        }
    return result;
}

}  // namespace millrace
