#include "netstack/port/cable.h"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>

#include <algorithm>

namespace millrace::net {
namespace {

constexpr std::uint64_t kGoodChecksums = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

MacAddress made_up_mac(std::uint16_t port) {
    // Locally administered (IEEE 802: second lowest bit of the first octet).
    return {{0x02, 'm', 'r', 0, static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)}};
}

constexpr unsigned kMostRings = std::min(RTE_PMD_RING_MAX_RX_RINGS, RTE_PMD_RING_MAX_TX_RINGS);  // a device

// A shard's queues, one for each of its peers, are of one device.
unsigned shards_a_device(unsigned peers) {
    return kMostRings / peers;
}

unsigned devices_for(unsigned shards, unsigned peers) {
    return (shards + shards_a_device(peers) - 1) / shards_a_device(peers);
}

unsigned devices_left() {
    return RTE_MAX_ETHPORTS - rte_eth_dev_count_avail();
}

}  // namespace

Expected<std::unique_ptr<Cable>> Cable::create(const CableOptions& options) {
    const auto [a, b] = std::pair(options.shards_a, options.shards_b);
    if (a == 0 || b == 0 || std::max(a, b) > kMostRings ||
        devices_for(a, b) + devices_for(b, a) > devices_left())
        return fail(fmt::format(
            "a cable between {} and {} shards needs more queues than DPDK's ring driver has: use fewer cores",
            a, b));
    std::unique_ptr<Cable> cable(new Cable);
    auto a_to_b = lay(options.shards_a, options.shards_b, options);
    if (!a_to_b) return tl::unexpected(a_to_b.error());
    auto b_to_a = lay(options.shards_b, options.shards_a, options);
    if (!b_to_a) return tl::unexpected(b_to_a.error());
    cable->a_to_b_ = std::move(*a_to_b);
    cable->b_to_a_ = std::move(*b_to_a);
    if (auto made = cable->make_end(cable->a_, "cable-a", cable->a_to_b_, cable->b_to_a_, options); !made)
        return tl::unexpected(made.error());
    if (auto made = cable->make_end(cable->b_, "cable-b", cable->b_to_a_, cable->a_to_b_, options); !made)
        return tl::unexpected(made.error());
    return cable;
}

Cable::FaultSums Cable::faults() const {
    FaultSums sums;
    for (const auto& sender : senders_)
        for (const auto& stage : sender->faults()) {
            const FaultCounters& c = stage->counters();
            sums.lost += c.lost.value();
            sums.corrupted += c.corrupted.value();
            sums.duplicated += c.duplicated.value();
            sums.reordered += c.reordered.value();
            sums.delayed += c.delayed.value();
        }
    return sums;
}

Expected<Cable::Wires> Cable::lay(unsigned senders, unsigned receivers, const CableOptions& options) {
    constexpr unsigned kFraming = 14 + 4;  // Ethernet with a VLAN tag
    Wires wires{.all = {}, .senders = senders, .receivers = receivers};
    for (unsigned i = 0; i < senders * receivers; ++i) {
        auto wire = Wire::create({.slots = options.slots,
                                  .mbufs = options.mbufs,
                                  .frame_room = static_cast<std::uint16_t>(options.mtu + kFraming)});
        if (!wire) return tl::unexpected(wire.error());
        wires.all.push_back(std::move(*wire));
    }
    return wires;
}

Expected<void> Cable::make_end(Port& port, const char* name, Wires& out, Wires& in,
                               const CableOptions& options) {
    const unsigned shards = out.senders, most = shards_a_device(out.receivers);
    port.name_ = unique_name(name);
    port.driver_ = "net_ring";
    port.mtu_ = options.mtu;
    port.rss_ = Rss(shards);
    port.offloads_ = {.receive_checksum = options.checksum_offload,
                      .transmit_ipv4_checksum = options.checksum_offload,
                      .transmit_tcp_checksum = options.checksum_offload,
                      .transmit_chains = true,
                      .rss = true};
    for (unsigned first = 0; first < shards; first += most)
        if (auto made = make_device(port, out, in, first, std::min(most, shards - first), options); !made)
            return made;
    port.mac_ = made_up_mac(port.id());
    return {};
}

// Transmit queue i * peers + j leads from our i-th shard on this device to their shard j; receive queue
// i * peers + j comes to it from their shard j, so that each shard polls consecutive queues.
Expected<void> Cable::make_device(Port& port, Wires& out, Wires& in, unsigned first, unsigned count,
                                  const CableOptions& options) {
    const unsigned peers = out.receivers;
    const auto queues = static_cast<std::uint16_t>(count * peers);
    std::vector<rte_ring*> rx, tx;
    for (unsigned shard = first; shard < first + count; ++shard)
        for (unsigned peer = 0; peer < peers; ++peer) {
            tx.push_back(out.at(shard, peer).ring());
            rx.push_back(in.at(peer, shard).ring());
        }
    const std::string name = first == 0 ? port.name_ : fmt::format("{}.{}", port.name_, first);
    const int made = rte_eth_from_rings(name.c_str(), rx.data(), queues, tx.data(), queues, SOCKET_ID_ANY);
    if (made < 0) return fail("DPDK's ring driver makes no port: give DPDK more memory (-m in --eal)");
    const auto id = static_cast<std::uint16_t>(made);
    Port::Device& device = port.devices_.emplace_back(id);
    device.created = true;
    const std::uint64_t flags = options.checksum_offload ? kGoodChecksums : 0;
    for (unsigned shard = first; shard < first + count; ++shard) {
        const auto queue = static_cast<std::uint16_t>((shard - first) * peers);
        std::vector<Wire*> ways;
        std::vector<rte_mempool*> pools;
        for (unsigned peer = 0; peer < peers; ++peer) {
            ways.push_back(&out.at(shard, peer));
            port.ways_out_.push_back(&out.at(shard, peer));
            pools.push_back(in.at(peer, shard).pool());
            in.at(peer, shard).set_receiving_port(id);
        }
        port.filled_from_.push_back(std::move(pools));
        senders_.push_back(std::make_unique<CableSender>(id, queue, std::move(ways), flags));
        if (options.faults.any())
            senders_.back()->suffer(options.faults, static_cast<unsigned>(senders_.size()) * 16);
        port.queues_.emplace_back(id, queue, static_cast<std::uint16_t>(peers), *senders_.back());
    }
    return start(device, in.at(0, 0).pool(), queues);
}

Expected<void> Cable::start(Port::Device& device, rte_mempool* any_pool, std::uint16_t queues) {
    rte_eth_conf conf{};
    int status = rte_eth_dev_configure(device.id, queues, queues, &conf);
    for (std::uint16_t q = 0; status == 0 && q < queues; ++q) {
        // The ring driver neither fills mbufs nor has descriptors; ethdev asks for both.
        status = rte_eth_rx_queue_setup(device.id, q, 0, SOCKET_ID_ANY, nullptr, any_pool);
        if (status == 0) status = rte_eth_tx_queue_setup(device.id, q, 0, SOCKET_ID_ANY, nullptr);
    }
    if (status == 0) status = rte_eth_dev_start(device.id);
    device.started = status == 0;
    if (status == 0) return {};
    return fail(fmt::format("DPDK's ring port does not start ({}): give DPDK more memory (-m in --eal)",
                            rte_strerror(-status)));
}

}  // namespace millrace::net
