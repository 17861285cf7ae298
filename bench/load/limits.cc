#include "bench/load/limits.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "bench/control/share.h"
#include "bench/result/table.h"
#include "engine/options/units.h"
#include "netstack/base/memory.h"

namespace millrace::bench {

namespace {

// The rings, EAL's files, standard streams, and what else a process has open.
constexpr std::uint64_t kOtherDescriptors = 256;

// This process' share.
std::uint64_t connections_of(const LoadPlan& plan) {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < plan.options.cores.size(); ++i)
        sum += share(plan.options.connections, plan.first_shard + i, plan.shards);
    return sum;
}

Expected<void> check_descriptors(std::uint64_t all, std::uint64_t connections) {
    const std::uint64_t needed = connections + kOtherDescriptors;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed) return {};
    if (limit.rlim_max >= needed) {
        limit.rlim_cur = needed;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        return {};
    }
    const std::uint64_t each =
        limit.rlim_max > 2 * kOtherDescriptors ? limit.rlim_max - kOtherDescriptors : 0;
    const std::string share_them =
        each == 0 ? ""
                  : fmt::format(", or share them among {} processes (--processes)", (all + each - 1) / each);
    return fail(
        fmt::format("{} connections need {} file descriptors, and this process may have {}: raise its hard "
                    "limit (ulimit -Hn){}",
                    with_commas(connections), with_commas(needed), with_commas(limit.rlim_max), share_them));
}

std::uint64_t local_ports() {
    std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
    std::uint64_t first = 0, last = 0;
    return file >> first >> last && last >= first ? last - first + 1 : 0;
}

Expected<void> check_ports(const LoadOptions& options, std::uint64_t connections,
                           const net::SocketAddress& server) {
    const std::uint64_t each = local_ports();
    const bool ranged = !options.first_source.is_unspecified();
    if (ranged && options.first_source.is_v4() != server.ip.is_v4())
        return fail(
            fmt::format("--src-ip and the server's address {} are of two families: give addresses of its own",
                        net::to_string(server.ip)));
    const std::uint64_t sources = ranged ? options.sources() : 1;
    connections *= options.processes_on_sources;
    if (each == 0 || connections <= each * sources) return {};
    const std::uint64_t wanted = (connections + each - 1) / each;
    return fail(
        fmt::format("{} connections to one server need {} addresses of ours, each of which has {} ports "
                    "(net.ipv4.ip_local_port_range): give them with --src-ip FIRST-LAST",
                    with_commas(connections), with_commas(wanted), with_commas(each)));
}

// What the kernel and this program hold for an idle connection, with some to spare; the server's end, where
// it is on this machine, is its own affair.
constexpr std::uint64_t kBytesEach = 6144;

Expected<void> check_memory(std::uint64_t connections) {
    const std::uint64_t available = available_memory();
    if (connections * kBytesEach <= available) return {};
    return fail(fmt::format(
        "{} connections need about {} of memory, and {} is available: open fewer, or share them among "
        "machines",
        with_commas(connections), format_bytes(static_cast<double>(connections * kBytesEach)),
        format_bytes(static_cast<double>(available))));
}

// Of a file of pairs of lines: "Group: Name ..." and "Group: value ...".
std::uint64_t kernel_counter(const char* path, std::string_view group, std::string_view wanted) {
    std::ifstream file(path);
    std::string names, values;
    while (std::getline(file, names) && std::getline(file, values)) {
        if (names.rfind(group, 0) != 0) continue;
        std::istringstream name_words(names), value_words(values);
        std::string name, value;
        while (name_words >> name && value_words >> value)
            if (name == wanted) return std::stoull(value);
    }
    return 0;
}

}  // namespace

Expected<void> check_limits(const LoadOptions& options, const LoadPlan& plan) {
    if (options.net != Net::kUring) return {};
    const std::uint64_t connections = connections_of(plan);
    if (auto enough = check_descriptors(options.connections, connections); !enough) return enough;
    if (auto enough = check_ports(options, connections, plan.address); !enough) return enough;
    return check_memory(options.processes_here * connections);
}

std::uint64_t listen_drops() {
    return kernel_counter("/proc/net/netstat", "TcpExt:", "ListenDrops");
}

std::uint64_t kernel_retransmits() {
    return kernel_counter("/proc/net/snmp", "Tcp:", "RetransSegs");
}

}  // namespace millrace::bench
