// What the kernel allows this process, and its own sockets.

#include <fmt/format.h>

#include <algorithm>

#include "engine/doctor/examine.h"
#include "engine/options/units.h"

namespace millrace::doctor {
namespace {

// "Max open files            20000                20000                files": proc(5).
struct Limit {
    std::string soft, hard;
};
std::optional<Limit> limit_of(const MachineFiles& files, std::string_view name) {
    for (const std::string& line : lines_of(files.read("proc/self/limits").value_or(""))) {
        if (!line.starts_with(name)) continue;
        const auto words = words_of(std::string_view(line).substr(name.size()));
        if (words.size() >= 2) return Limit{words[0], words[1]};
    }
    return std::nullopt;
}

std::uint64_t value_of(const std::string& limit) {
    return limit == "unlimited" ? UINT64_MAX : parse_count(limit).value_or(0);
}

Finding descriptors(const MachineFiles& files) {
    constexpr std::uint64_t kMany = 1'000'000;
    const auto limit = limit_of(files, "Max open files");
    if (!limit) return {"file descriptors", Health::kUnknown, "the kernel does not say how many", ""};
    // Millrace raises the soft limit itself.
    const std::string found = fmt::format("{} a process: as many connections over --net uring", limit->hard);
    if (value_of(limit->hard) >= kMany) return {"file descriptors", Health::kGood, found, ""};
    return {
        "file descriptors", Health::kBad, found,
        fmt::format("sudo prlimit --pid $$ --nofile={0}:{0}, or LimitNOFILE={0} in its systemd unit", kMany)};
}

// io_uring's buffers count where memory control groups do not account for them; VFIO maps all that DPDK has.
Finding locked_memory(const MachineFiles& files) {
    const auto limit = limit_of(files, "Max locked memory");
    if (!limit) return {"locked memory", Health::kUnknown, "the kernel does not say how much", ""};
    if (limit->hard == "unlimited") return {"locked memory", Health::kGood, "unlimited", ""};
    return {
        "locked memory", Health::kBad,
        fmt::format("{}: a NIC behind VFIO cannot be given DPDK's memory without root",
                    format_bytes(static_cast<double>(value_of(limit->hard)))),
        "sudo prlimit --pid $$ --memlock=unlimited:unlimited, or LimitMEMLOCK=infinity in its systemd unit"};
}

Finding backlog(const MachineFiles& files) {
    constexpr long long kEnough = 4096;
    const auto most = files.number("proc/sys/net/core/somaxconn");
    if (!most) return {"listen backlog", Health::kUnknown, "the kernel does not say how long it may be", ""};
    const std::string found = fmt::format("net.core.somaxconn is {}", *most);
    if (*most >= kEnough) return {"listen backlog", Health::kGood, found, ""};
    return {"listen backlog", Health::kBad, found + ": a storm of connections over --net uring is refused",
            fmt::format("sudo sysctl net.core.somaxconn={}", kEnough)};
}

Finding ports(const MachineFiles& files) {
    const auto range = words_of(files.read("proc/sys/net/ipv4/ip_local_port_range").value_or(""));
    if (range.size() != 2) return {"local ports", Health::kUnknown, "the kernel does not say which", ""};
    const std::uint64_t count = value_of(range[1]) - value_of(range[0]) + 1;
    const std::string found =
        fmt::format("{} of each address: as many connections to one server over --net uring", count);
    constexpr std::uint64_t kMost = 64'000;
    if (count >= kMost) return {"local ports", Health::kGood, found, ""};
    return {"local ports", Health::kBad, found,
            "sudo sysctl net.ipv4.ip_local_port_range='1024 65535', or more addresses: --src-ip"};
}

Finding uring(const MachineFiles& files) {
    const auto disabled = files.number("proc/sys/kernel/io_uring_disabled");
    if (disabled.value_or(0) == 0) return {"io_uring", Health::kGood, "allowed to everybody", ""};
    return {"io_uring", Health::kBad,
            *disabled == 1 ? "allowed to root and one group alone"
                           : "allowed to nobody: --net uring cannot start",
            "sudo sysctl kernel.io_uring_disabled=0"};
}

}  // namespace

void check_limits(const MachineFiles& files, Findings& findings) {
    findings.push_back(descriptors(files));
    findings.push_back(locked_memory(files));
    findings.push_back(backlog(files));
    findings.push_back(ports(files));
    findings.push_back(uring(files));
}

}  // namespace millrace::doctor
