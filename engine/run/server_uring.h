#pragma once
// Serving over kernel sockets: one thread and one io_uring a shard; the kernel spreads connections.

#include <memory>
#include <thread>
#include <vector>

#include "engine/run/server.h"
#include "netstack/base/clock.h"
#include "netstack/base/memory.h"
#include "netstack/eal/eal.h"
#include "netstack/uring/uring_carrier.h"

namespace millrace {

net::UringConfig uring_config(const GroundOptions& options);
void pin_to_cpu(unsigned cpu);

template <class... Handlers>
Expected<void> serve_uring(ServeOptions& options, const App<Handlers...>& app) {
    // A shard with nothing to do sleeps, and looks this often at its control, and at what a source or the
    // other shards have for it: their rings wake nobody.
    const Duration idle_wait = options.source.empty() && options.cores.size() == 1 ? 100ms : 1ms;
    if (auto checked = net::check_cpus(options.cores); !checked) return checked;
    constexpr std::size_t kKernelBytes = 4'500;  // of its socket: measured, scripts/compare
    const std::size_t bytes = idle_bytes<net::UringCarrier, Handlers...>(options.secure()) + kKernelBytes;
    if (auto fits = check_memory(options, bytes, available_memory()); !fits) return fits;
    const TscClock clock;
    const std::size_t count = options.cores.size();
    ShardControl control;
    std::vector<ShardStatus> status(count);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            pin_to_cpu(options.cores[i]);
            auto carrier = net::UringCarrier::create(uring_config(options));  // a ring belongs to its thread
            if (carrier) {
                (*carrier)->set_idle_wait(idle_wait);
                serve_shard(static_cast<unsigned>(i), clock, **carrier, options, app, control, status[i]);
            } else {
                status[i].ready.set_value(tl::unexpected(carrier.error()));
            }
            status[i].ended.store(true);
        });
    }
    auto result = supervise(options, control, status);
    for (std::thread& thread : threads)
        thread.join();
    return result;
}

}  // namespace millrace
