#pragma once
// Where a load's shards run: a thread and an io_uring each, or EAL's workers on the queues of a port.

#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "bench/load/desk.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Starts the shards; its destructor stops and joins them. A shard's set-up error comes out of its desk.
class LoadGround {
  public:
    virtual ~LoadGround() = default;
    virtual std::string carrier() const = 0;        // for the result's environment
    virtual std::string eal_arguments() const = 0;  // likewise
};

// What is given outlives it.
Expected<std::unique_ptr<LoadGround>> lay_load_ground(const LoadPlan& plan, std::span<LoadDesk> desks);

}  // namespace millrace::bench
