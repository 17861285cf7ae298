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

}  // namespace

Expected<std::unique_ptr<Cable>> Cable::create(const CableOptions& options) {
    const unsigned wires = options.shards_a * options.shards_b;
    constexpr unsigned kMost = std::min(RTE_PMD_RING_MAX_RX_RINGS, RTE_PMD_RING_MAX_TX_RINGS);
    if (wires == 0 || wires > kMost)
        return fail(
            fmt::format("a cable between {} and {} shards needs {} rings of the {} that DPDK allows: use "
                        "fewer cores",
                        options.shards_a, options.shards_b, wires, kMost));
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

// Transmit queue i * peers + j leads from our shard i to their shard j; receive queue i * peers + j comes to
// our shard i from their shard j, so that each shard polls consecutive queues.
Expected<void> Cable::make_end(Port& port, const char* name, Wires& out, Wires& in,
                               const CableOptions& options) {
    const unsigned shards = out.senders, peers = out.receivers;
    const auto queues = static_cast<std::uint16_t>(shards * peers);
    std::vector<rte_ring*> rx, tx;
    for (unsigned shard = 0; shard < shards; ++shard)
        for (unsigned peer = 0; peer < peers; ++peer) {
            tx.push_back(out.at(shard, peer).ring());
            rx.push_back(in.at(peer, shard).ring());
        }
    port.name_ = unique_name(name);
    const int id =
        rte_eth_from_rings(port.name_.c_str(), rx.data(), queues, tx.data(), queues, SOCKET_ID_ANY);
    if (id < 0) return fail("DPDK's ring driver makes no port: give DPDK more memory (-m in --eal)");
    port.device_.id = static_cast<std::uint16_t>(id);
    port.device_.created = true;
    port.driver_ = "net_ring";
    port.mac_ = made_up_mac(port.device_.id);
    port.mtu_ = options.mtu;
    port.rss_ = Rss(shards);
    port.offloads_ = {.receive_checksum = options.checksum_offload,
                      .transmit_ipv4_checksum = options.checksum_offload,
                      .transmit_tcp_checksum = options.checksum_offload,
                      .transmit_chains = true,
                      .rss = true};
    const std::uint64_t flags = options.checksum_offload ? kGoodChecksums : 0;
    for (unsigned shard = 0; shard < shards; ++shard) {
        const auto first = static_cast<std::uint16_t>(shard * peers);
        std::vector<Wire*> ways;
        std::vector<rte_mempool*> pools;
        for (unsigned peer = 0; peer < peers; ++peer) {
            ways.push_back(&out.at(shard, peer));
            port.ways_out_.push_back(&out.at(shard, peer));
            pools.push_back(in.at(peer, shard).pool());
            in.at(peer, shard).set_receiving_port(port.device_.id);
        }
        port.filled_from_.push_back(std::move(pools));
        senders_.push_back(std::make_unique<CableSender>(port.device_.id, first, std::move(ways), flags));
        if (options.faults.any())
            senders_.back()->suffer(options.faults, static_cast<unsigned>(senders_.size()) * 16);
        port.queues_.emplace_back(port.device_.id, first, static_cast<std::uint16_t>(peers),
                                  *senders_.back());
    }
    return start(port, in.at(0, 0).pool(), queues);
}

Expected<void> Cable::start(Port& port, rte_mempool* any_pool, std::uint16_t queues) {
    rte_eth_conf conf{};
    int status = rte_eth_dev_configure(port.device_.id, queues, queues, &conf);
    for (std::uint16_t q = 0; status == 0 && q < queues; ++q) {
        // The ring driver neither fills mbufs nor has descriptors; ethdev asks for both.
        status = rte_eth_rx_queue_setup(port.device_.id, q, 0, SOCKET_ID_ANY, nullptr, any_pool);
        if (status == 0) status = rte_eth_tx_queue_setup(port.device_.id, q, 0, SOCKET_ID_ANY, nullptr);
    }
    if (status == 0) status = rte_eth_dev_start(port.device_.id);
    port.device_.started = status == 0;
    if (status == 0) return {};
    return fail(fmt::format("DPDK's ring port does not start ({}): give DPDK more memory (-m in --eal)",
                            rte_strerror(-status)));
}

}  // namespace millrace::net
