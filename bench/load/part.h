#pragma once
// What one of several processes does of a load.

#include "bench/load/options.h"

namespace millrace::bench {

// One of the processes of a machine.
struct Part {
    unsigned index = 0, of = 1;
};

// Its share of the machine's CPUs and source addresses; each has one at least, if need be one that others
// have too.
LoadOptions part_of(const LoadOptions& options, Part part);

// Room in each shard for its share of the connections, `shards` being those of all processes.
void make_room_for(LoadOptions& options, unsigned shards);

}  // namespace millrace::bench
