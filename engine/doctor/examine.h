#pragma once
// What stands in the way of speed on this machine: every check, in the order in which they matter to a core
// that polls. Each looks at files alone, so that a test can lay any machine before it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/doctor/finding.h"
#include "engine/doctor/machine_files.h"

namespace millrace::doctor {

// Of one CPU, or all, since the machine started: ticks.
struct CpuTimes {
    std::uint64_t all = 0, stolen = 0;
};

// What a network interface does in hardware, as its kernel driver says. RSS: several receive queues.
struct NicFeatures {
    unsigned queues = 0;
    bool receive_checksum = false, transmit_checksum = false, segmentation = false;
};
using FeaturesOf = std::function<std::optional<NicFeatures>(const std::string& interface)>;

struct Subject {
    std::vector<unsigned> cores;     // that poll
    std::vector<CpuTimes> before{};  // cpu_times() of them, some time ago
    FeaturesOf features_of = nullptr;
};

std::vector<CpuTimes> cpu_times(const MachineFiles& files, const std::vector<unsigned>& cores);

void check_cores(const MachineFiles& files, const Subject& subject, Findings& findings);
void check_clock(const MachineFiles& files, Findings& findings);
void check_memory(const MachineFiles& files, const Subject& subject, Findings& findings);
void check_nics(const MachineFiles& files, const Subject& subject, Findings& findings);
void check_limits(const MachineFiles& files, Findings& findings);

// All of them.
Findings examine(const MachineFiles& files, const Subject& subject);

// Asks the kernel, by ethtool's request; none for interfaces that do not answer.
std::optional<NicFeatures> nic_features(const std::string& interface);

// The NUMA node of a CPU; 0 where the machine has no nodes.
unsigned node_of(const MachineFiles& files, unsigned cpu);

}  // namespace millrace::doctor
