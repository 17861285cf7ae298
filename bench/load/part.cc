#include "bench/load/part.h"

#include "netstack/eal/eal.h"

namespace millrace::bench {

LoadOptions part_of(const LoadOptions& options, Part part) {
    LoadOptions mine = options;
    if (part.of == 1) return mine;
    mine.processes_here = part.of;
    const auto all = options.cores_given ? options.cores : net::allowed_cpus();
    mine.cores.clear();
    for (std::size_t i = part.index; i < all.size(); i += part.of)
        mine.cores.push_back(all[i]);
    if (mine.cores.empty()) mine.cores.push_back(all[part.index % all.size()]);

    if (options.first_source.is_unspecified() || options.sources() < part.of) {
        mine.processes_on_sources = part.of;
        return mine;
    }
    const auto before = [&](unsigned index) { return options.sources() * index / part.of; };
    mine.first_source = options.first_source.plus(before(part.index));
    mine.last_source = options.first_source.plus(before(part.index + 1) - 1);
    return mine;
}

void make_room_for(LoadOptions& options, unsigned shards) {
    // Each attempt has a slot of its own until the next poll.
    constexpr std::uint64_t kUnderWay = 1024;
    options.max_connections = options.connections / shards + 1 + kUnderWay;
}

}  // namespace millrace::bench
