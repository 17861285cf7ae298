#include "netstack/base/memory.h"

#include <fstream>
#include <limits>
#include <string>

namespace millrace {

std::uint64_t available_memory() {
    std::ifstream meminfo("/proc/meminfo");
    std::string name, unit;
    for (std::uint64_t kib = 0; meminfo >> name >> kib; std::getline(meminfo, unit))
        if (name == "MemAvailable:") return kib * 1024;
    return std::numeric_limits<std::uint64_t>::max();
}

}  // namespace millrace
