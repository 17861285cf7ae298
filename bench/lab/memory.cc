#include "bench/lab/memory.h"

#include <fmt/format.h>

#include "bench/lab/client_endpoint.h"
#include "bench/lab/ends.h"
#include "bench/lab/server.h"
#include "bench/result/table.h"
#include "engine/options/units.h"

namespace millrace::bench {

std::uint64_t bytes_per_connection() {
    return ServerEndpoint::idle_bytes() + ClientEndpoint::idle_bytes() + sizeof(net::ConnId);
}

Expected<void> check_memory(const LabOptions& options, std::uint64_t available) {
    // Hugepages were set aside before, and EAL says itself when there are too few.
    const bool hugepages = !options.eal.empty() && options.eal.find("--no-huge") == std::string::npos;
    const std::uint64_t packets = hugepages ? 0 : Ends::memory_mib(options) << 20;
    const std::uint64_t connections = options.connections * bytes_per_connection();
    if (connections + packets <= available) return {};
    const std::uint64_t fitting = available > packets ? (available - packets) / bytes_per_connection() : 0;
    return fail(fmt::format(
        "{} connections take {} at both ends together and {} for packets (EAL's -m), and {} of memory is "
        "available: lower --connections to {} or less, or free memory",
        with_commas(options.connections), format_bytes(static_cast<double>(connections)),
        format_bytes(static_cast<double>(packets)), format_bytes(static_cast<double>(available)),
        with_commas(fitting)));
}

}  // namespace millrace::bench
