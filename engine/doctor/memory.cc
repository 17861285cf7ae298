// Hugepages on the nodes of the cores that poll, and memory at all.

#include <fmt/format.h>

#include <algorithm>

#include "engine/doctor/examine.h"
#include "engine/options/units.h"

namespace millrace::doctor {
namespace {

constexpr const char* kNodes = "sys/devices/system/node/";

// Free bytes of hugepages of a node, of each size.
std::uint64_t free_hugepages(const MachineFiles& files, unsigned node, std::string& sizes) {
    const std::string directory = fmt::format("{}node{}/hugepages", kNodes, node);
    std::uint64_t bytes = 0;
    for (const std::string& name : files.names(directory)) {
        const auto size =
            parse_list(std::string_view(name).substr(std::min(name.size(), name.find('-') + 1)));
        const auto free = files.number(fmt::format("{}/{}/free_hugepages", directory, name)).value_or(0);
        if (size.empty() || free <= 0) continue;
        bytes += static_cast<std::uint64_t>(free) * size[0] * 1024;
        sizes += fmt::format("{}{} of {}", sizes.empty() ? "" : ", ", free, format_bytes(size[0] * 1024.0));
    }
    return bytes;
}

Finding hugepages(const MachineFiles& files, unsigned node) {
    const std::string check = fmt::format("hugepages, node {}", node);
    const std::string directory = fmt::format("{}node{}/hugepages", kNodes, node);
    if (files.names(directory).empty()) return {check, Health::kUnknown, "the kernel has none of them", ""};
    std::string sizes;
    if (free_hugepages(files, node, sizes) > 0) return {check, Health::kGood, sizes + " free", ""};
    return {check, Health::kBad,
            "none is free: over DPDK each packet and each connection costs more misses of the TLB",
            fmt::format(
                "echo 1024 | sudo tee /{}/hugepages-2048kB/nr_hugepages, or go without: --eal '--no-huge'",
                directory)};
}

// The kernel's limit on a control group may be less than the machine has.
Finding available(const MachineFiles& files) {
    std::uint64_t bytes = 0;
    for (const std::string& line : lines_of(files.read("proc/meminfo").value_or("")))
        if (line.starts_with("MemAvailable:"))
            for (const unsigned kib : parse_list(line))
                bytes = std::uint64_t{kib} * 1024;
    if (bytes == 0) return {"memory", Health::kUnknown, "the kernel does not say what is available", ""};
    std::string within;
    for (const char* path : {"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"})
        if (const auto most = files.number(path); most && static_cast<std::uint64_t>(*most) < bytes) {
            bytes = static_cast<std::uint64_t>(*most);
            within = ", the limit of this control group";
        }
    constexpr double kBoth = 512;  // bytes an idle connection of the lab, both ends, and room for its packets
    return {"memory", Health::kGood,
            fmt::format("{} available{}: enough for some {} idle connections of the lab",
                        format_bytes(static_cast<double>(bytes)), within,
                        format_count(static_cast<double>(bytes) / kBoth)),
            ""};
}

}  // namespace

void check_memory(const MachineFiles& files, const Subject& subject, Findings& findings) {
    std::vector<unsigned> nodes;
    for (const unsigned core : subject.cores)
        if (const unsigned node = node_of(files, core);
            std::find(nodes.begin(), nodes.end(), node) == nodes.end())
            nodes.push_back(node);
    for (const unsigned node : nodes)
        findings.push_back(hugepages(files, node));
    findings.push_back(available(files));
}

}  // namespace millrace::doctor
