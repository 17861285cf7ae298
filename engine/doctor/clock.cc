// Whether the time-stamp counter, from which all of Millrace's times come, can be trusted.

#include <fmt/format.h>

#include <algorithm>

#include "engine/doctor/examine.h"

namespace millrace::doctor {

void check_clock(const MachineFiles& files, Findings& findings) {
    const auto flags = words_of(files.read("proc/cpuinfo").value_or(""));
    const auto has = [&](const char* flag) {
        return std::find(flags.begin(), flags.end(), flag) != flags.end();
    };
    if (flags.empty())
        findings.push_back(
            {"time-stamp counter", Health::kUnknown, "the kernel does not describe its CPUs", ""});
    else if (has("constant_tsc") && has("nonstop_tsc"))
        findings.push_back(
            {"time-stamp counter", Health::kGood, "invariant: one rate, whatever the CPU does", ""});
    else
        findings.push_back({"time-stamp counter", Health::kBad,
                            "its rate changes with the CPU's, or it stops",
                            "take a machine whose CPU, and host, show constant_tsc and nonstop_tsc"});

    const std::string directory = "sys/devices/system/clocksource/clocksource0/";
    const auto current = files.read(directory + "current_clocksource");
    if (!current) {
        findings.push_back(
            {"clock source", Health::kUnknown, "the kernel does not say what its clock is", ""});
        return;
    }
    if (*current == "tsc") {
        findings.push_back({"clock source", Health::kGood, "tsc", ""});
        return;
    }
    const auto available = words_of(files.read(directory + "available_clocksource").value_or(""));
    const bool can = std::find(available.begin(), available.end(), "tsc") != available.end();
    findings.push_back(
        {"clock source", Health::kBad,
         fmt::format("{}: the kernel's times, and what is compared with them, cost more and say less",
                     *current),
         can ? fmt::format("echo tsc | sudo tee /{}current_clocksource", directory)
             : "boot with tsc=reliable clocksource=tsc"});
}

}  // namespace millrace::doctor
