#include "netstack/port/port.h"

#include <fmt/format.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "netstack/eal/captured_output.h"
#include "netstack/port/hardware_rss.h"
#include "netstack/port/wire.h"

namespace millrace::net {
namespace {

constexpr std::uint64_t kReceiveChecksums = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;

std::string port_names() {
    std::string names;
    std::uint16_t id = 0;
    RTE_ETH_FOREACH_DEV(id) {
        char name[RTE_ETH_NAME_MAX_LEN] = {};
        rte_eth_dev_get_name_by_port(id, name);
        names += (names.empty() ? "" : ", ") + std::string(name);
    }
    return names.empty() ? "none" : names;
}

Expected<std::uint16_t> only_port() {
    const unsigned count = rte_eth_dev_count_avail();
    if (count == 1) return static_cast<std::uint16_t>(rte_eth_find_next(0));
    if (count == 0)
        return fail(
            "DPDK found no network port: bind a NIC to vfio-pci (dpdk-devbind.py), or create a port with "
            "--eal \"--vdev=net_af_packet0,iface=IF\"");
    return fail("DPDK found several network ports (" + port_names() + "): allow one with --eal \"-a PORT\"");
}

Expected<std::uint16_t> find_port(const std::string& device) {
    if (device.empty()) return only_port();
    const std::string name = device.substr(0, device.find(','));
    std::uint16_t id = 0;
    if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return id;
    CapturedOutput output;
    const int status = rte_dev_probe(device.c_str());
    std::string reason = first_complaint(output.restore());
    if (status == 0 && rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return id;
    if (reason.empty()) reason = status < 0 ? rte_strerror(-status) : "it created no port";
    return fail(
        fmt::format("the network port '{}' cannot be opened ({}): correct its name or arguments (ports at "
                    "hand: {})",
                    device, reason, port_names()));
}

// Bytes of a slot in net_af_packet's rings; zero for other drivers. A frame lies in it behind a header of the
// kernel's, for which kRingHeader is room.
constexpr unsigned kRingHeader = 128;
unsigned ring_slot(const rte_eth_dev_info& info) {
    if (std::string_view(info.driver_name) != "net_af_packet") return 0;
    constexpr std::string_view kArgument = "framesz=";
    const rte_devargs* devargs = rte_dev_devargs(info.device);
    const std::string_view args = devargs && devargs->args ? devargs->args : "";
    unsigned bytes = 2048;
    if (const auto at = args.find(kArgument); at != args.npos)
        std::from_chars(args.data() + at + kArgument.size(), args.data() + args.size(), bytes);
    return bytes;
}

// Drivers whose other end is this machine's kernel.
bool is_kernel_driver(std::string_view driver) {
    return driver == "net_af_packet" || driver == "net_af_xdp" || driver == "net_tap" || driver == "net_pcap";
}

}  // namespace

Expected<Port> Port::open(const PortOptions& options) {
    const unsigned before = rte_eth_dev_count_avail();
    auto id = find_port(options.device);
    if (!id) return tl::unexpected(id.error());
    Port port;
    port.devices_.emplace_back(*id).created = rte_eth_dev_count_avail() > before;
    if (auto configured = port.configure(options); !configured) return tl::unexpected(configured.error());
    return port;
}

Expected<void> Port::configure(const PortOptions& options) {
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(id(), &info) != 0)
        return fail("a network port does not describe itself: choose another");
    char name[RTE_ETH_NAME_MAX_LEN] = {};
    rte_eth_dev_get_name_by_port(id(), name);
    name_ = name;
    driver_ = info.driver_name;
    const unsigned queues = std::min(info.max_rx_queues, info.max_tx_queues);
    if (queues < options.queues)
        return fail(fmt::format(
            "port {} has {} queue pairs for {} shards: use fewer cores{}", name_, queues, options.queues,
            driver_ == "net_af_packet" ? fmt::format(", or create it with qpairs={}", options.queues)
                                       : std::string{}));
    // net_af_packet tells 1,500 whatever its slots hold.
    const unsigned slot = ring_slot(info);
    const unsigned most = slot == 0 ? info.max_mtu : slot - kRingHeader;
    if (options.mtu > most || options.mtu < info.min_mtu)
        return fail(fmt::format("port {} carries packets of {} to {} bytes, not {}: give another MTU{}",
                                name_, info.min_mtu, most, options.mtu,
                                slot == 0 ? "" : ", or create it with larger blocksz= and framesz="));
    mtu_ = options.mtu;
    vlan_ = options.vlan;

    rte_eth_conf conf{};
    conf.rxmode.mtu = slot == 0 ? mtu_ : std::min<std::uint16_t>(mtu_, RTE_ETHER_MTU);
    if ((info.rx_offload_capa & kReceiveChecksums) == kReceiveChecksums) {
        conf.rxmode.offloads |= kReceiveChecksums;
        offloads_.receive_checksum = true;
    }
    const auto ask = [&](std::uint64_t offload) {
        const bool granted = (info.tx_offload_capa & offload) != 0;
        if (granted) conf.txmode.offloads |= offload;
        return granted;
    };
    offloads_.transmit_ipv4_checksum = ask(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM);
    offloads_.transmit_tcp_checksum = ask(RTE_ETH_TX_OFFLOAD_TCP_CKSUM);
    offloads_.transmit_chains = ask(RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
    // Stripping costs some drivers their fast receive path, so it is left to us where nobody needs it.
    // Inserting is always ours: drivers that do it in software (net_af_packet, net_virtio) refuse frames that
    // are shared, as all of TCP's data are.
    if (vlan_ != 0) conf.rxmode.offloads |= info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
    // What it cuts it sums, and takes as a chain. (virtio has no offload for IPv4's sum, and needs none
    // here.) net_tap cuts in software, and refuses for ever what fills the MTU: it forgets the Ethernet
    // header.
    if (offloads_.transmit_tcp_checksum && offloads_.transmit_chains && driver_ != "net_tap" &&
        ask(RTE_ETH_TX_OFFLOAD_TCP_TSO)) {
        constexpr unsigned kMost = 44;  // of 1448 bytes in an IP packet of 64 KiB
        const unsigned chain = info.tx_desc_lim.nb_seg_max;
        offloads_.large_send = chain == 0 ? kMost : std::min(kMost, chain);
    }
    offloads_.unfinished_checksums = is_kernel_driver(driver_);
    HardwareRss rss = options.queues > 1 ? HardwareRss::of(info) : HardwareRss{};
    if (rss.possible()) rss.configure(conf);
    const auto n = static_cast<std::uint16_t>(options.queues);
    if (const int status = rte_eth_dev_configure(id(), n, n, &conf); status != 0)
        return fail(
            fmt::format("port {} refuses {} queue pairs at MTU {} ({}): use fewer cores or another MTU",
                        name_, n, mtu_, rte_strerror(-status)));
    rte_ether_addr mac{};
    rte_eth_macaddr_get(id(), &mac);
    std::copy_n(mac.addr_bytes, 6, mac_.octets.begin());
    if (auto started = start_queues(options, info); !started) return started;
    rss_ = rss.rss(options.queues);
    // A port that keeps to its own function is steered in software.
    offloads_.rss = rss.possible() && (program(id(), rss, rss_) || program_by_flow(id(), rss, rss_));
    return {};
}

Expected<void> Port::start_queues(const PortOptions& options, const rte_eth_dev_info& info) {
    std::uint16_t rx = options.descriptors, tx = options.descriptors;
    rte_eth_dev_adjust_nb_rx_tx_desc(id(), &rx, &tx);
    const auto room = static_cast<std::uint16_t>(std::max<unsigned>(
        {kDataRoom, mtu_ + 64u + RTE_PKTMBUF_HEADROOM, ring_slot(info) + RTE_PKTMBUF_HEADROOM}));
    for (std::uint16_t q = 0; q < options.queues; ++q) {
        const unsigned mbufs = std::max(options.receive_mbufs, 2u * rx + 512);
        auto pool = Pool::create({.purpose = "rx", .mbufs = mbufs, .data_room = room});
        if (!pool) return tl::unexpected(pool.error());
        // That driver shares with the kernel as many bytes from the pool's start as the mbufs have together;
        // one that lies beyond is lost, and with it what it carries.
        if (driver_ == "net_af_xdp" && !pool->in_one_piece())
            return fail(fmt::format(
                "port {} needs packet memory in one piece: add --iova-mode=va or --no-huge to --eal", name_));
        receive_pools_.push_back(std::move(*pool));
        int status = rte_eth_rx_queue_setup(id(), q, rx, SOCKET_ID_ANY, nullptr, receive_pools_.back().get());
        if (status == 0) status = rte_eth_tx_queue_setup(id(), q, tx, SOCKET_ID_ANY, nullptr);
        if (status != 0)
            return fail(
                fmt::format("port {} cannot set up queue pair {} ({}): use fewer cores or another port",
                            name_, q, rte_strerror(-status)));
        filled_from_.push_back({receive_pools_.back().get()});
        queues_.emplace_back(id(), q, 1, q);
        if (offloads_.large_send > 1) queues_.back().prepare_packets();
    }
    if (const int status = rte_eth_dev_start(id()); status != 0)
        return fail(fmt::format("port {} does not start ({}): see whether its interface exists and is up",
                                name_, rte_strerror(-status)));
    devices_.front().started = true;
    return {};
}

Port::Device::Device(Device&& other) noexcept
    : id(std::exchange(other.id, RTE_MAX_ETHPORTS)), started(other.started), created(other.created) {}

Port::Device::~Device() {
    if (id == RTE_MAX_ETHPORTS) return;
    rte_eth_dev_info info{};
    rte_eth_dev_info_get(id, &info);
    if (started) rte_eth_dev_stop(id);  // and with it the rules of flows
    rte_eth_dev_close(id);
    if (created && info.device) rte_dev_remove(info.device);
}

std::vector<rte_mempool*> Port::receive_pools() const {
    std::vector<rte_mempool*> all;
    for (const auto& pools : filled_from_)
        all.insert(all.end(), pools.begin(), pools.end());
    return all;
}

std::size_t Port::receive_bytes_in_use(unsigned shard) const {
    std::size_t bytes = 0;
    for (const rte_mempool* pool : filled_from_[shard])
        bytes += bytes_in_use(pool);
    return bytes;
}

void Port::receive_groups(std::span<const MacAddress> groups) {
    constexpr std::size_t kMost = 32;  // what the filters of most NICs hold
    std::array<rte_ether_addr, kMost> list;
    if (groups.size() <= kMost) {
        for (std::size_t i = 0; i < groups.size(); ++i)
            std::copy(groups[i].octets.begin(), groups[i].octets.end(), list[i].addr_bytes);
        if (rte_eth_dev_set_mc_addr_list(id(), list.data(), static_cast<std::uint32_t>(groups.size())) == 0)
            return;
    }
    rte_eth_allmulticast_enable(id());  // what cannot do either has no filter
}

PortStats Port::stats() const {
    PortStats sums;
    for (const Device& device : devices_) {
        rte_eth_stats s{};
        rte_eth_stats_get(device.id, &s);
        sums.received += s.ipackets;
        sums.sent += s.opackets;
        sums.received_bytes += s.ibytes;
        sums.sent_bytes += s.obytes;
        sums.missed += s.imissed;
        sums.no_mbufs += s.rx_nombuf;
        sums.receive_errors += s.ierrors;
        sums.send_errors += s.oerrors;
    }
    for (const Wire* wire : ways_out_)
        sums.send_errors += wire->oversized();
    for (const PortQueue& queue : queues_)
        sums.send_errors += queue.refused();
    return sums;
}

std::string Port::describe() const {
    const auto who = [](bool port) { return port ? "port" : "software"; };
    return fmt::format(
        "{} ({}), {} queue{}, MTU {}, checksums received: {}, sent: {}, segmentation: {}, steering: {}",
        name_, driver_, queues(), queues() == 1 ? "" : "s", mtu_, who(offloads_.receive_checksum),
        who(offloads_.transmit_tcp_checksum), who(offloads_.large_send > 1),
        queues() == 1 ? "not needed" : who(offloads_.rss));
}

}  // namespace millrace::net
