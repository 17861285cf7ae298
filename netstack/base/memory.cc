#include "netstack/base/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace millrace {

namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

// The number behind `name` in a file of such pairs, or `otherwise`.
std::uint64_t number_of(const std::filesystem::path& path, const std::string& name, std::uint64_t otherwise) {
    std::ifstream file(path);
    std::string word, rest;
    for (std::uint64_t number = 0; file >> word >> number; std::getline(file, rest))
        if (word == name) return number;
    return otherwise;
}

// The number that is all there is in a file, or `otherwise`; "max" is none.
std::uint64_t number_in(const std::filesystem::path& path, std::uint64_t otherwise) {
    std::ifstream file(path);
    std::uint64_t number = 0;
    return file >> number ? number : otherwise;
}

// Pages of files that nobody uses count as usage, and are given back when they are wanted.
std::uint64_t left_in_group(const std::filesystem::path& group, const char* limit, const char* usage,
                            const char* unused) {
    const std::uint64_t most = number_in(group / limit, kNoLimit);
    if (most == kNoLimit) return kNoLimit;
    const std::uint64_t used = number_in(group / usage, 0);
    const std::uint64_t firm = used - std::min(used, number_of(group / "memory.stat", unused, 0));
    return most - std::min(most, firm);
}

}  // namespace

std::uint64_t available_memory(const std::filesystem::path& root) {
    const std::uint64_t kib = number_of(root / "proc/meminfo", "MemAvailable:", kNoLimit / 1024);
    const std::uint64_t second =
        left_in_group(root / "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file");
    const std::uint64_t first = left_in_group(root / "sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                              "memory.usage_in_bytes", "total_inactive_file");
    return std::min({kib * 1024, first, second});
}

}  // namespace millrace
