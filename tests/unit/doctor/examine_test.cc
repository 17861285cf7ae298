// Each finding, on a machine where all is well and with one thing after the other mended or spoilt.

#include "engine/doctor/examine.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/doctor/machine.h"

namespace millrace::test {
namespace {

using doctor::Finding;
using doctor::Health;
using ::testing::HasSubstr;

class Doctor : public Machine {
  protected:
    // Four CPUs on two nodes, of which 2 and 3 poll, on node 1; a NIC there that DPDK has.
    Doctor() {
        const std::string cpus = "sys/devices/system/cpu/";
        say(cpus + "online", "0-3");
        say(cpus + "isolated", "2-3");
        for (unsigned cpu = 0; cpu < 4; ++cpu) {
            const std::string directory = cpus + "cpu" + std::to_string(cpu);
            say(directory + "/cpufreq/scaling_governor", "performance");
            say(directory + "/topology/thread_siblings_list", std::to_string(cpu));
            say(directory + "/node" + std::to_string(cpu / 2) + "/cpulist", "");
        }
        say("proc/cpuinfo", "flags\t\t: fpu tsc constant_tsc nonstop_tsc avx2");
        say("proc/interrupts",
            "            CPU0 CPU1 CPU2 CPU3\n  24:  9 0 0 0  PCI-MSI eth0-rx\n NMI: 1 1 1 1");
        say("proc/irq/24/effective_affinity_list", "0");
        say("proc/stat", stat(0, 0));
        say("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
        for (const char* node : {"node0", "node1"})
            say("sys/devices/system/node/" + std::string(node) + "/hugepages/hugepages-2048kB/free_hugepages",
                "512");
        say("proc/meminfo", "MemTotal: 33554432 kB\nMemAvailable:   16777216 kB");
        say("sys/kernel/iommu_groups/0/type", "DMA");
        say("sys/module/vfio_pci/refcnt", "0");
        say(nic + "/class", "0x020000");
        say(nic + "/numa_node", "1");
        link(nic + "/driver", "../../bus/pci/drivers/vfio-pci");
        say("proc/self/limits",
            "Limit                     Soft Limit           Hard Limit           Units\n"
            "Max open files            1024                 1048576              files\n"
            "Max locked memory         unlimited            unlimited            bytes");
        say("proc/sys/net/core/somaxconn", "4096");
        say("proc/sys/net/ipv4/ip_local_port_range", "1024\t65535");
        say("proc/sys/kernel/io_uring_disabled", "0");
    }

    // Ticks of CPU 2 and 3.
    static std::string stat(int two_stolen, int three_stolen) {
        return "cpu  0 0 0 0 0 0 0 0 0 0\ncpu2 500 0 0 500 0 0 0 " + std::to_string(two_stolen) +
               " 0 0\ncpu3 900 0 0 100 0 0 0 " + std::to_string(three_stolen) + " 0 0";
    }

    Finding find(const std::string& check) const {
        const auto all = doctor::examine(files, subject);
        const auto at =
            std::find_if(all.begin(), all.end(), [&](const Finding& f) { return f.check == check; });
        return at == all.end() ? Finding{check, Health::kUnknown, "there is no such finding", ""} : *at;
    }
    void expect_bad(const std::string& check, const std::string& found, const std::string& remedy) const {
        const Finding finding = find(check);
        EXPECT_EQ(finding.health, Health::kBad) << check;
        EXPECT_THAT(finding.found, HasSubstr(found));
        EXPECT_THAT(finding.remedy, HasSubstr(remedy));
    }
    void expect_unknown(const std::string& check, const std::string& found) const {
        const Finding finding = find(check);
        EXPECT_EQ(finding.health, Health::kUnknown) << check;
        EXPECT_THAT(finding.found, HasSubstr(found));
    }

    const std::string nic = "sys/bus/pci/devices/0000:81:00.0";
    doctor::Subject subject{.cores = {2, 3}};
};

TEST_F(Doctor, FindsNothingWhereAllIsWell) {
    for (const Finding& finding : doctor::examine(files, subject)) {
        EXPECT_EQ(finding.health, Health::kGood) << finding.check << ": " << finding.found;
        EXPECT_EQ(finding.remedy, "") << finding.check;
    }
    EXPECT_EQ(find("memory").found, "16 GiB available: enough for some 33.6M idle connections of the lab");
    EXPECT_EQ(find("hugepages, node 1").found, "512 of 2 MiB free");
}

TEST_F(Doctor, KnowsNothingWhereNothingIsTold) {
    for (const char* all : {"proc", "sys"})
        forget(all);
    for (const Finding& finding : doctor::examine(files, subject)) {
        if (finding.check == "IOMMU" || finding.check == "VFIO" || finding.check == "io_uring") continue;
        EXPECT_EQ(finding.health, Health::kUnknown) << finding.check << ": " << finding.found;
    }
}

// --- the cores ---

TEST_F(Doctor, CoresThatAreNotThereOrThatLeaveNoneToOthers) {
    subject.cores = {3, 7};
    expect_bad("cores", "CPU 7 is not online", "choose among CPUs 0,1,2,3");
    subject.cores = {0, 1, 2, 3};
    expect_bad("cores", "all 4 CPUs poll", "leave one CPU out");
}

TEST_F(Doctor, CoresThatAreNotIsolated) {
    say("sys/devices/system/cpu/isolated", "3");
    expect_bad("isolation", "on CPU 2", "isolcpus=managed_irq,domain,2,3 nohz_full=2,3 rcu_nocbs=2,3");
    say("sys/devices/system/cpu/isolated", "");
    expect_bad("isolation", "on CPU 2,3", "isolcpus");
}

TEST_F(Doctor, Governors) {
    say("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave");
    expect_bad("governor", "powersave on CPU 3", "sudo cpupower -c 3 frequency-set -g performance");
    forget("sys/devices/system/cpu/cpu2/cpufreq");
    expect_unknown("governor", "the firmware decides");
    say("proc/cpuinfo", "flags : hypervisor");
    expect_unknown("governor", "its host decides");
}

TEST_F(Doctor, Siblings) {
    say("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "0,2");
    expect_bad("SMT siblings", "CPU 0 shares a core", "smt/control");
    say("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2-3");
    expect_bad("SMT siblings", "CPU 3 shares a core", "smt/control");
}

TEST_F(Doctor, InterruptsOnThem) {
    say("proc/irq/24/effective_affinity_list", "0-3");
    EXPECT_EQ(find("interrupts").health, Health::kGood) << "it may come here, and never has";
    say("proc/interrupts", "            CPU0 CPU1 CPU2 CPU3\n  24:  9 0 0 7  PCI-MSI eth0-rx\n NMI: 1 1 1 1");
    expect_bad("interrupts", "serves eth0-rx (24)",
               "for i in 24; do echo 0,1 | sudo tee /proc/irq/$i/smp_affinity_list; done");
    say("proc/irq/24/effective_affinity_list", "");
    say("proc/irq/24/smp_affinity_list", "0-1");
    EXPECT_EQ(find("interrupts").health, Health::kGood) << "it was moved away";
}

TEST_F(Doctor, TimeThatTheHostTook) {
    say("proc/stat", stat(0, 20));
    expect_bad("steal time", "2 % of the worst core's time since it started", "dedicated CPUs");
    // Long ago is not now, and the other way round.
    subject.before = {{1000, 0}, {1010, 20}};
    expect_bad("steal time", "0 % just now", "");
    say("proc/stat", "cpu2 500000 0 0 500000 0 0 0 0 0 0\ncpu3 500000 0 0 500000 0 0 0 20 0 0");
    subject.before = {{0, 0}, {1'000'000, 0}};
    expect_bad("steal time", "1e+02 % just now", "");
}

// --- the clock ---

TEST_F(Doctor, Clocks) {
    say("sys/devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock");
    expect_bad("clock source", "kvm-clock", "boot with tsc=reliable");
    say("sys/devices/system/clocksource/clocksource0/available_clocksource", "kvm-clock tsc acpi_pm");
    expect_bad("clock source", "kvm-clock",
               "echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource");
    say("proc/cpuinfo", "flags : tsc constant_tsc");
    expect_bad("time-stamp counter", "or it stops", "nonstop_tsc");
}

// --- memory ---

TEST_F(Doctor, HugepagesOfTheirOwnNodeCount) {
    say("sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages", "0");
    expect_bad("hugepages, node 1", "none is free",
               "echo 1024 | sudo tee /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages");
    EXPECT_THAT(find("hugepages, node 0").found, HasSubstr("no such finding")) << "no core of it polls";
}

TEST_F(Doctor, AControlGroupMayHaveLessMemory) {
    say("sys/fs/cgroup/memory.max", "max");
    EXPECT_THAT(find("memory").found, HasSubstr("16 GiB available:"));
    say("sys/fs/cgroup/memory.max", "1073741824");
    EXPECT_THAT(find("memory").found, HasSubstr("1 GiB available, the limit of this control group"));
}

// --- NICs ---

TEST_F(Doctor, NicsOfTheKernel) {
    forget(nic + "/driver");
    link(nic + "/driver", "../../bus/pci/drivers/ice");
    say(nic + "/net/ens1/mtu", "1500");
    subject.features_of = [](const std::string& name) {
        EXPECT_EQ(name, "ens1");
        return doctor::NicFeatures{16, true, true, true};
    };
    expect_bad("NIC 0000:81:00.0", "ens1, ice; 16 queues, checksums both ways, TSO: the kernel's",
               "sudo dpdk-devbind.py --bind=vfio-pci 0000:81:00.0");
    say("proc/net/route", "Iface\tDestination\tGateway\nens1\t00000000\t0100A8C0");
    expect_bad("NIC 0000:81:00.0", "default route", "iface=ens1");
    forget(nic + "/driver");
    link(nic + "/driver", "../../bus/pci/drivers/mlx5_core");
    EXPECT_EQ(find("NIC 0000:81:00.0").health, Health::kGood);
}

TEST_F(Doctor, VirtioNicsHaveTheirInterfaceOneLevelBelow) {
    forget(nic + "/driver");
    link(nic + "/driver", "../../bus/pci/drivers/virtio-pci");
    say(nic + "/virtio2/net/eth0/mtu", "1500");
    link(nic + "/virtio2/driver", "../../bus/virtio/drivers/virtio_net");
    expect_bad("NIC 0000:81:00.0", "eth0, virtio_net: the kernel's", "dpdk-devbind.py");
}

TEST_F(Doctor, ANicOnAnotherNode) {
    subject.cores = {1};
    expect_bad("NIC 0000:81:00.0", "on node 1, and CPU 1 on node 0", "choose --cores among those of node 1");
}

TEST_F(Doctor, OtherDevicesAreNoNics) {
    say(nic + "/class", "0x010000");
    expect_unknown("NIC", "none on PCI");
}

TEST_F(Doctor, WaysAroundTheKernel) {
    forget("sys/kernel/iommu_groups");
    expect_bad("IOMMU", "VFIO gives no NIC", "intel_iommu=on");
    say("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
    expect_bad("IOMMU", "a NIC can write to any memory", "");
    forget("sys/module/vfio_pci");
    expect_bad("VFIO", "no vfio-pci", "sudo modprobe vfio-pci");
}

// --- limits ---

TEST_F(Doctor, Limits) {
    say("proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units\n"
        "Max open files            1024                 20000                files\n"
        "Max locked memory         8388608              8388608              bytes");
    expect_bad("file descriptors", "20000 a process", "sudo prlimit --pid $$ --nofile=1000000:1000000");
    expect_bad("locked memory", "8 MiB", "memlock=unlimited");
    say("proc/sys/net/core/somaxconn", "128");
    expect_bad("listen backlog", "net.core.somaxconn is 128", "sudo sysctl net.core.somaxconn=4096");
    say("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999");
    expect_bad("local ports", "28232 of each address", "ip_local_port_range='1024 65535'");
    say("proc/sys/kernel/io_uring_disabled", "2");
    expect_bad("io_uring", "--net uring cannot start", "sudo sysctl kernel.io_uring_disabled=0");
    say("proc/sys/kernel/io_uring_disabled", "1");
    expect_bad("io_uring", "root and one group", "");
}

// What is so here cannot be known; but it is said, and asking does no harm.
TEST(DoctorHere, SaysSomethingOfThisMachine) {
    const doctor::MachineFiles files;
    const auto all = doctor::examine(
        files, {.cores = {0}, .before = doctor::cpu_times(files, {0}), .features_of = doctor::nic_features});
    EXPECT_GE(all.size(), 15u);
    for (const Finding& finding : all) {
        EXPECT_FALSE(finding.found.empty()) << finding.check;
        EXPECT_TRUE(finding.health != Health::kGood || finding.remedy.empty()) << finding.check;
    }
    EXPECT_EQ(doctor::nic_features("no-such-nic"), std::nullopt);
}

}  // namespace
}  // namespace millrace::test
