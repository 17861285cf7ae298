// The cores that poll: whether they are left alone.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/doctor/examine.h"

namespace millrace::doctor {
namespace {

constexpr const char* kCpus = "sys/devices/system/cpu/";

std::string cpu_directory(unsigned cpu) {
    return fmt::format("{}cpu{}/", kCpus, cpu);
}

bool holds(const std::vector<unsigned>& numbers, unsigned number) {
    return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// Those of `cores` that are not among `others`.
std::vector<unsigned> without(const std::vector<unsigned>& cores, const std::vector<unsigned>& others) {
    std::vector<unsigned> left;
    for (const unsigned core : cores)
        if (!holds(others, core)) left.push_back(core);
    return left;
}

bool is_virtual(const MachineFiles& files) {
    const auto words = words_of(files.read("proc/cpuinfo").value_or(""));
    return std::find(words.begin(), words.end(), "hypervisor") != words.end();
}

Finding online(const MachineFiles& files, const std::vector<unsigned>& cores) {
    const auto there = parse_list(files.read(fmt::format("{}online", kCpus)).value_or(""));
    if (there.empty()) return {"cores", Health::kUnknown, "the kernel does not list its CPUs", ""};
    const auto missing = without(cores, there);
    if (!missing.empty())
        return {"cores", Health::kBad, fmt::format("CPU {} is not online", format_list(missing)),
                fmt::format("choose among CPUs {} with --cores", format_list(there))};
    if (cores.size() < there.size())
        return {"cores", Health::kGood,
                fmt::format("{} of {} CPUs, {} left for everything else", cores.size(), there.size(),
                            there.size() - cores.size()),
                ""};
    return {"cores", Health::kBad,
            fmt::format("all {} CPUs poll: the kernel and every other program take turns with them",
                        cores.size()),
            "leave one CPU out of --cores, or take a larger machine"};
}

Finding isolation(const MachineFiles& files, const std::vector<unsigned>& cores) {
    const auto text = files.read(fmt::format("{}isolated", kCpus));
    if (!text) return {"isolation", Health::kUnknown, "the kernel does not say which CPUs are isolated", ""};
    const auto exposed = without(cores, parse_list(*text));
    if (exposed.empty())
        return {"isolation", Health::kGood, fmt::format("CPU {} is isolated", format_list(cores)), ""};
    const std::string list = format_list(cores);
    return {"isolation", Health::kBad,
            fmt::format("the scheduler may put any program on CPU {}", format_list(exposed)),
            fmt::format("boot with isolcpus=managed_irq,domain,{0} nohz_full={0} rcu_nocbs={0}", list)};
}

Finding governor(const MachineFiles& files, const std::vector<unsigned>& cores) {
    std::vector<unsigned> slow;
    std::string other;
    for (const unsigned core : cores) {
        const auto set = files.read(cpu_directory(core) + "cpufreq/scaling_governor");
        if (!set)
            return {"governor", Health::kUnknown,
                    is_virtual(files) ? "a virtual machine: its host decides on the frequency"
                                      : "no frequency driver: the firmware decides",
                    ""};
        if (*set != "performance") slow.push_back(core), other = *set;
    }
    if (slow.empty()) return {"governor", Health::kGood, "performance", ""};
    return {"governor", Health::kBad, fmt::format("{} on CPU {}", other, format_list(slow)),
            fmt::format("sudo cpupower -c {} frequency-set -g performance", format_list(slow))};
}

Finding siblings(const MachineFiles& files, const std::vector<unsigned>& cores) {
    const std::string host = is_virtual(files) ? ", as far as the host tells" : "";
    std::vector<unsigned> shared;
    for (const unsigned core : cores) {
        const auto text = files.read(cpu_directory(core) + "topology/thread_siblings_list");
        if (!text)
            return {"SMT siblings", Health::kUnknown, "the kernel does not tell threads from cores", ""};
        const auto on_core = parse_list(*text);
        for (const unsigned sibling : on_core)
            if (sibling != core && !holds(shared, sibling)) shared.push_back(sibling);
    }
    if (shared.empty())
        return {"SMT siblings", Health::kGood, fmt::format("none shares a core with one that polls{}", host),
                ""};
    return {"SMT siblings", Health::kBad,
            fmt::format("CPU {} shares a core with one that polls{}", format_list(shared), host),
            "echo off | sudo tee /sys/devices/system/cpu/smt/control"};
}

// Interrupts that were served by a core that polls. Only devices' have numbers; the others come with the
// kernel's own work.
Finding interrupts(const MachineFiles& files, const std::vector<unsigned>& cores) {
    std::vector<std::string> there;
    const auto allowed = [&](const std::string& irq) {
        const std::string directory = fmt::format("proc/irq/{}/", irq);
        auto text = files.read(directory + "effective_affinity_list");
        if (!text || text->empty()) text = files.read(directory + "smp_affinity_list");
        return parse_list(text.value_or(""));
    };
    const auto directory = files.names("proc/irq");
    if (directory.empty()) return {"interrupts", Health::kUnknown, "the kernel does not list them", ""};
    std::vector<std::string> numbers;
    for (const std::string& line : lines_of(files.read("proc/interrupts").value_or(""))) {
        const auto words = words_of(line);
        if (words.empty() || words[0].find_first_not_of("0123456789:") != std::string::npos) continue;
        const std::string irq = words[0].substr(0, words[0].size() - 1);
        const auto served_by = allowed(irq);
        const bool here = std::any_of(cores.begin(), cores.end(), [&](unsigned core) {
            return holds(served_by, core) && core + 1 < words.size() && words[core + 1] != "0";
        });
        if (!here) continue;
        there.push_back(fmt::format("{} ({})", words.back(), irq));
        numbers.push_back(irq);
    }
    const std::string list = format_list(cores);
    if (there.empty())
        return {"interrupts", Health::kGood, fmt::format("no device's are served by CPU {}", list), ""};
    constexpr std::size_t kNamed = 4;
    const std::size_t more = there.size() - std::min(kNamed, there.size());
    there.resize(there.size() - more);
    std::string names = join(there, ", ");
    if (more > 0) names += fmt::format(" and {} more", more);
    const auto others = without(parse_list(files.read(fmt::format("{}online", kCpus)).value_or("")), cores);
    return {"interrupts", Health::kBad, fmt::format("CPU {} serves {}", list, names),
            others.empty()
                ? "leave a CPU that does not poll to serve them"
                : fmt::format("for i in {}; do echo {} | sudo tee /proc/irq/$i/smp_affinity_list; done",
                              join(numbers, " "), format_list(others))};
}

Finding steal(const MachineFiles& files, const Subject& subject) {
    constexpr double kHarmless = 0.001;  // a millisecond in a second
    const auto now = cpu_times(files, subject.cores);
    if (now.empty()) return {"steal time", Health::kUnknown, "the kernel does not count it", ""};
    const auto share = [&](bool lately) {
        double worst = 0;
        for (std::size_t i = 0; i < now.size(); ++i) {
            const CpuTimes from = lately && i < subject.before.size() ? subject.before[i] : CpuTimes{};
            const auto all = static_cast<double>(now[i].all - from.all);
            if (all > 0) worst = std::max(worst, static_cast<double>(now[i].stolen - from.stolen) / all);
        }
        return worst;
    };
    const double always = share(false), lately = share(true);
    const std::string found =
        fmt::format("the host took {:.2g} % of the worst core's time since it started, {:.2g} % just now",
                    100 * always, 100 * lately);
    if (std::max(always, lately) <= kHarmless) return {"steal time", Health::kGood, found, ""};
    return {"steal time", Health::kBad, found,
            "take a machine with dedicated CPUs, or read the latency run's jitter trace beside its figures"};
}

}  // namespace

// "cpu0 user nice system idle iowait irq softirq steal guest guest_nice": proc(5). Guests are users as well.
std::vector<CpuTimes> cpu_times(const MachineFiles& files, const std::vector<unsigned>& cores) {
    constexpr std::size_t kFirst = 1, kSteal = 8;
    std::vector<CpuTimes> times;
    const auto lines = lines_of(files.read("proc/stat").value_or(""));
    for (const unsigned core : cores) {
        const std::string name = fmt::format("cpu{}", core);
        for (const std::string& line : lines) {
            const auto words = words_of(line);
            if (words.size() <= kSteal || words[0] != name) continue;
            CpuTimes& of = times.emplace_back();
            for (std::size_t i = kFirst; i <= kSteal; ++i) {
                std::uint64_t ticks = 0;
                std::from_chars(words[i].data(), words[i].data() + words[i].size(), ticks);
                of.all += ticks;
                if (i == kSteal) of.stolen = ticks;
            }
        }
    }
    return times;
}

unsigned node_of(const MachineFiles& files, unsigned cpu) {
    for (const std::string& name : files.names(fmt::format("{}cpu{}", kCpus, cpu)))
        if (name.starts_with("node"))
            return parse_list(name.substr(4)).empty() ? 0 : parse_list(name.substr(4))[0];
    return 0;
}

void check_cores(const MachineFiles& files, const Subject& subject, Findings& findings) {
    findings.push_back(online(files, subject.cores));
    findings.push_back(isolation(files, subject.cores));
    findings.push_back(governor(files, subject.cores));
    findings.push_back(siblings(files, subject.cores));
    findings.push_back(interrupts(files, subject.cores));
    findings.push_back(steal(files, subject));
}

}  // namespace millrace::doctor
