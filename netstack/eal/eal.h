#pragma once
// DPDK's environment (EAL), started once a process: memory, and one thread a shard. Set-up code only.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "netstack/base/error.h"

namespace millrace::net {

struct EalOptions {
    // The CPU of each shard's worker thread. Two shards may share a CPU (they then take turns, slowly: for
    // tests).
    std::vector<unsigned> cpus{0};
    // The user's --eal, passed as it is; only --lcores is added, and only where no option chooses lcores.
    // Empty: the embedded default, which needs no root, no hugepages and no NIC.
    std::string args;
    // With the embedded default: memory for pools and rings, in MiB. Taken from the system as it is touched.
    std::size_t memory_mib = 1024;
};

class Eal {
  public:
    // Fails when EAL refuses its arguments or has fewer worker lcores than there are `cpus`; EAL can be
    // started only once in a process. The calling thread becomes the main lcore: it floats over all CPUs that
    // it was allowed, and is free to sleep.
    static Expected<Eal> start(const EalOptions& options);

    Eal(Eal&&) noexcept;
    Eal& operator=(Eal&&) = delete;
    // Joins all workers and releases EAL's memory: ports and pools must be gone.
    ~Eal();

    unsigned workers() const;
    // Runs `body` on the thread of shard `worker`, which must be idle.
    void launch(unsigned worker, std::function<void()> body);
    void join(unsigned worker);
    // What EAL was started with, for reports.
    const std::string& arguments() const;

  private:
    struct Workers;
    explicit Eal(std::unique_ptr<Workers> workers);
    std::unique_ptr<Workers> workers_;
};

// CPUs that this process may run on (its affinity mask), ascending.
std::vector<unsigned> allowed_cpus();
// Whether the process may run on all of `cpus`.
Expected<void> check_cpus(const std::vector<unsigned>& cpus);

}  // namespace millrace::net
