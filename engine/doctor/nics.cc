// The ways around the kernel: IOMMU, VFIO, and each NIC with its driver.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/doctor/examine.h"

namespace millrace::doctor {
namespace {

constexpr const char* kPciDevices = "sys/bus/pci/devices/";

// Kernel drivers of NICs that DPDK 22.11 has a driver of its own for (its guide to NIC drivers).
constexpr std::array kKnown{"virtio_net", "virtio-pci", "ena",    "ixgbe",    "ixgbevf", "igb",
                            "igc",        "e1000",      "e1000e", "i40e",     "iavf",    "ice",
                            "vmxnet3",    "bnxt_en",    "qede",   "sfc",      "nfp",     "enic",
                            "cxgb4",      "hns3",       "gve",    "atlantic", "axgbe"};
// Those whose kernel driver stays, and shares the NIC with DPDK.
constexpr std::array kShared{"mlx5_core", "mlx4_core", "mana"};
constexpr std::array kHandedOver{"vfio-pci", "igb_uio", "uio_pci_generic"};

template <std::size_t N>
bool is_among(const std::array<const char*, N>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

struct Nic {
    std::string address;    // on PCI
    std::string driver;     // of the kernel
    std::string interface;  // empty when the kernel has none for it
    long long node = -1;
};

// A virtio device has its interface one level below its PCI function.
std::string interface_of(const MachineFiles& files, const std::string& device, std::string& driver) {
    if (const auto names = files.names(device + "/net"); !names.empty()) return names.front();
    for (const std::string& name : files.names(device)) {
        if (!name.starts_with("virtio")) continue;
        const auto names = files.names(fmt::format("{}/{}/net", device, name));
        if (names.empty()) continue;
        driver = files.link(fmt::format("{}/{}/driver", device, name));
        return names.front();
    }
    return {};
}

std::vector<Nic> nics(const MachineFiles& files) {
    constexpr const char* kNetworkClass = "0x02";
    std::vector<Nic> found;
    for (const std::string& address : files.names(kPciDevices)) {
        const std::string device = kPciDevices + address;
        if (!files.read(device + "/class").value_or("").starts_with(kNetworkClass)) continue;
        Nic nic{
            address, files.link(device + "/driver"), {}, files.number(device + "/numa_node").value_or(-1)};
        nic.interface = interface_of(files, device, nic.driver);
        found.push_back(std::move(nic));
    }
    return found;
}

// "Iface Destination Gateway ...": the default route's destination is zero.
std::string default_interface(const MachineFiles& files) {
    for (const std::string& line : lines_of(files.read("proc/net/route").value_or(""))) {
        const auto words = words_of(line);
        if (words.size() > 1 && words[1] == "00000000") return words[0];
    }
    return {};
}

std::string abilities(const NicFeatures& can) {
    std::string text = fmt::format("; {} queue{}", can.queues, can.queues == 1 ? "" : "s");
    if (can.receive_checksum || can.transmit_checksum)
        text += fmt::format(", checksums {}", can.receive_checksum && can.transmit_checksum ? "both ways"
                                              : can.receive_checksum                        ? "of what comes"
                                                                     : "of what leaves");
    if (can.segmentation) text += ", TSO";
    return text;
}

Finding judge(const MachineFiles& files, const Subject& subject, const Nic& nic) {
    const std::string check = "NIC " + nic.address;
    std::string found = nic.interface.empty() ? "" : nic.interface + ", ";
    found += nic.driver.empty() ? "no driver" : nic.driver;
    if (!nic.interface.empty() && subject.features_of)
        if (const auto can = subject.features_of(nic.interface)) found += abilities(*can);
    for (const unsigned core : subject.cores)
        if (const unsigned node = node_of(files, core);
            nic.node >= 0 && node != static_cast<unsigned>(nic.node))
            return {check, Health::kBad,
                    fmt::format("{}; on node {}, and CPU {} on node {}: each packet crosses between them",
                                found, nic.node, core, node),
                    fmt::format(
                        "choose --cores among those of node {}: cat /sys/devices/system/node/node{}/cpulist",
                        nic.node, nic.node)};
    if (is_among(kHandedOver, nic.driver)) return {check, Health::kGood, found + ": handed over to DPDK", ""};
    if (is_among(kShared, nic.driver))
        return {check, Health::kGood, found + ": DPDK shares it with the kernel", ""};
    if (!nic.interface.empty() && nic.interface == default_interface(files))
        return {check, Health::kBad, found + ": this machine's own default route goes over it",
                fmt::format("give Millrace a second NIC, or share this one, slowly: --net dpdk --eal "
                            "'--vdev=net_af_packet0,iface={}'",
                            nic.interface)};
    if (nic.driver.empty() || is_among(kKnown, nic.driver))
        return {check, Health::kBad, found + ": the kernel's, and DPDK has a driver for it",
                fmt::format("sudo dpdk-devbind.py --bind=vfio-pci {}", nic.address)};
    return {check, Health::kUnknown, found + ": not among the drivers that DPDK 22.11 replaces",
            fmt::format("--net dpdk --eal '--vdev=net_af_packet0,iface={}' reaches it through the kernel",
                        nic.interface)};
}

Finding iommu(const MachineFiles& files) {
    const std::size_t groups = files.names("sys/kernel/iommu_groups").size();
    if (groups > 0) return {"IOMMU", Health::kGood, fmt::format("on, {} groups", groups), ""};
    if (files.read("sys/module/vfio/parameters/enable_unsafe_noiommu_mode") == "Y")
        return {"IOMMU", Health::kBad, "off; VFIO works without it, and a NIC can write to any memory", ""};
    return {"IOMMU", Health::kBad, "off: VFIO gives no NIC to a program",
            "boot with intel_iommu=on or amd_iommu=on and iommu=pt; where the host has none to give: echo Y "
            "| sudo "
            "tee /sys/module/vfio/parameters/enable_unsafe_noiommu_mode"};
}

Finding vfio(const MachineFiles& files) {
    if (!files.exists("sys/module/vfio_pci") && !files.exists("sys/bus/pci/drivers/vfio-pci"))
        return {"VFIO", Health::kBad, "the kernel has no vfio-pci loaded", "sudo modprobe vfio-pci"};
    return {"VFIO", Health::kGood, "vfio-pci is loaded", ""};
}

}  // namespace

void check_nics(const MachineFiles& files, const Subject& subject, Findings& findings) {
    findings.push_back(iommu(files));
    findings.push_back(vfio(files));
    const auto found = nics(files);
    if (found.empty())
        findings.push_back(
            {"NIC", Health::kUnknown, "there is none on PCI",
             "--net dpdk reaches others through the kernel: --eal '--vdev=net_af_packet0,iface=NAME'"});
    for (const Nic& nic : found)
        findings.push_back(judge(files, subject, nic));
}

Findings examine(const MachineFiles& files, const Subject& subject) {
    Findings findings;
    check_cores(files, subject, findings);
    check_clock(files, findings);
    check_memory(files, subject, findings);
    check_nics(files, subject, findings);
    check_limits(files, findings);
    return findings;
}

}  // namespace millrace::doctor
