#include "bench/lab/memory.h"

#include <fmt/format.h>

#include <fstream>
#include <limits>
#include <string>

#include "bench/lab/client_endpoint.h"
#include "bench/lab/ends.h"
#include "bench/lab/server.h"
#include "bench/result/table.h"
#include "engine/endpoint/slot.h"
#include "engine/options/units.h"
#include "netstack/tcp/connection.h"

namespace millrace::bench {

std::uint64_t bytes_per_connection() {
    constexpr std::uint64_t kTableEntry = 7;  // connection_table.h
    constexpr std::uint64_t kEnd = sizeof(tcp::Connection) + sizeof(Slot) + kTableEntry;
    return 2 * kEnd + sizeof(LabServer::State) + sizeof(LabClient::State) + sizeof(net::ConnId);
}

std::uint64_t available_memory() {
    std::ifstream meminfo("/proc/meminfo");
    std::string name, unit;
    for (std::uint64_t kib = 0; meminfo >> name >> kib; std::getline(meminfo, unit))
        if (name == "MemAvailable:") return kib * 1024;
    return std::numeric_limits<std::uint64_t>::max();
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
