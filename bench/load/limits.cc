#include "bench/load/limits.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "bench/result/table.h"

namespace millrace::bench {

namespace {

// The rings, EAL's files, standard streams, and what else a process has open.
constexpr std::uint64_t kOtherDescriptors = 256;

Expected<void> check_descriptors(std::uint64_t connections) {
    const std::uint64_t needed = connections + kOtherDescriptors;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed) return {};
    if (limit.rlim_max >= needed) {
        limit.rlim_cur = needed;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        return {};
    }
    return fail(
        fmt::format("{} connections need {} file descriptors, and this process may have {}: raise its hard "
                    "limit (ulimit -Hn), or share the connections among several processes",
                    with_commas(connections), with_commas(needed), with_commas(limit.rlim_max)));
}

std::uint64_t local_ports() {
    std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
    std::uint64_t first = 0, last = 0;
    return file >> first >> last && last >= first ? last - first + 1 : 0;
}

Expected<void> check_ports(const LoadOptions& options, const net::SocketAddress& server) {
    const std::uint64_t each = local_ports();
    const bool ranged = !options.first_source.is_unspecified();
    if (ranged && options.first_source.is_v4() != server.ip.is_v4())
        return fail(
            fmt::format("--src-ip and the server's address {} are of two families: give addresses of its own",
                        net::to_string(server.ip)));
    const std::uint64_t sources = ranged ? options.sources() : 1;
    if (each == 0 || options.connections <= each * sources) return {};
    const std::uint64_t wanted = (options.connections + each - 1) / each;
    return fail(
        fmt::format("{} connections to one server need {} addresses of ours, each of which has {} ports "
                    "(net.ipv4.ip_local_port_range): give them with --src-ip FIRST-LAST",
                    with_commas(options.connections), with_commas(wanted), with_commas(each)));
}

}  // namespace

Expected<void> check_limits(const LoadOptions& options, const net::SocketAddress& server) {
    if (options.net != Net::kUring) return {};
    if (auto enough = check_descriptors(options.connections); !enough) return enough;
    return check_ports(options, server);
}

std::uint64_t listen_drops() {
    std::ifstream file("/proc/net/netstat");
    std::string names, values;
    while (std::getline(file, names) && std::getline(file, values)) {
        if (names.rfind("TcpExt:", 0) != 0) continue;
        std::istringstream name_words(names), value_words(values);
        std::string name, value;
        while (name_words >> name && value_words >> value)
            if (name == "ListenDrops") return std::stoull(value);
    }
    return 0;
}

}  // namespace millrace::bench
