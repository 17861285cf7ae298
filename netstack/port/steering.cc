#include "netstack/port/steering.h"

#include <optional>

#include "netstack/port/flow.h"
#include "netstack/port/mbuf.h"

namespace millrace::net {
namespace {

// What the port says of a frame and the receiving shard acts upon.
constexpr std::uint64_t kKeptFlags = RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK |
                                     RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;

// ICMP errors quote the packet that they are about, behind eight bytes of their own (RFC 792, RFC 4443).
bool is_icmp_error(std::uint8_t type) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}
bool is_icmpv6_error(std::uint8_t type) {
    return type < 128;
}

// Neighbour discovery (RFC 4861 section 4), which each shard's table learns from as it does from ARP.
bool is_neighbour_discovery(std::uint8_t type) {
    return type >= 133 && type <= 137;
}

struct IcmpMessage {
    const std::byte* at;
    std::uint32_t length;
    bool v6;
    std::uint8_t type() const { return static_cast<std::uint8_t>(*at); }
    // The flow that an error quotes; FlowKind::kOther when there is none.
    Flow quoted() const {
        if (length < 8 || !(v6 ? is_icmpv6_error(type()) : is_icmp_error(type()))) return {};
        return flow_of_ip(at + 8, length - 8);
    }
};

// Nothing when not even the type is there.
std::optional<IcmpMessage> icmp_of(const rte_mbuf* frame) {
    const std::uint32_t offset = ip_offset(frame);  // flow_of() has seen the whole IP header
    const auto* ip = rte_pktmbuf_mtod_offset(frame, const std::byte*, offset);
    const bool v6 = static_cast<std::uint8_t>(ip[0]) >> 4 == 6;
    const std::uint32_t header = v6 ? 40 : (static_cast<std::uint32_t>(ip[0]) & 15) * 4;
    const std::uint32_t length = frame->data_len - offset;
    if (length <= header) return {};
    return IcmpMessage{ip + header, length - header, v6};
}

}  // namespace

Expected<std::unique_ptr<Steering>> Steering::create(const Rss& rss, bool port_steers, std::uint16_t mtu) {
    const unsigned shards = rss.queues();
    // Where the port steers, only ARP and ICMP errors take this way.
    const unsigned slots = port_steers ? 64 : 512;
    std::unique_ptr<Steering> steering(new Steering);
    for (unsigned i = 0; i < shards; ++i)
        steering->shards_.emplace_back(new ShardSteering(i, rss, port_steers));
    for (unsigned from = 0; from < shards; ++from)
        for (unsigned to = 0; to < shards; ++to) {
            if (from == to) {
                steering->shards_[from]->to_.push_back(nullptr);
                continue;
            }
            auto wire = Wire::create({.slots = slots,
                                      .mbufs = 4 * slots,
                                      .frame_room = static_cast<std::uint16_t>((mtu + 18 + 63) / 64 * 64)});
            if (!wire) return tl::unexpected(wire.error());
            steering->wires_.push_back(std::move(*wire));
            steering->shards_[from]->to_.push_back(steering->wires_.back().get());
            steering->shards_[to]->from_.push_back(steering->wires_.back().get());
        }
    return steering;
}

unsigned ShardSteering::owner_of(const rte_mbuf* frame) const {
    const Flow flow = flow_of(frame);
    switch (flow.kind) {
        case FlowKind::kTcp:
            return port_steers_ ? self_ : rss_.queue_of(flow.source, flow.destination);
        case FlowKind::kIcmp: {
            const auto message = icmp_of(frame);
            if (!message) return self_;
            if (message->v6 && is_neighbour_discovery(message->type())) return kEveryone;
            const Flow quoted = message->quoted();
            // The connection's own packets come the other way.
            return quoted.kind == FlowKind::kTcp ? rss_.queue_of(quoted.destination, quoted.source) : self_;
        }
        case FlowKind::kIp:
            // Queries of multicast listener discovery, behind a header with an option: one shard answers.
            return flow.destination.ip.is_v6_multicast() ? 0 : self_;
        case FlowKind::kOther:
            return kEveryone;
    }
    return self_;
}

void ShardSteering::hand_to(unsigned shard, const rte_mbuf* frame) {
    if (to_[shard]->stage_full()) to_[shard]->flush_to_ring();
    ++(to_[shard]->put(frame, frame->ol_flags & kKeptFlags) ? handed_over_ : dropped_);
}

unsigned ShardSteering::keep_own(std::span<rte_mbuf*> burst) {
    unsigned kept = 0;
    for (rte_mbuf* frame : burst) {
        const unsigned owner = owner_of(frame);
        if (owner == kEveryone)
            for (unsigned shard = 0; shard < to_.size(); ++shard)
                if (shard != self_) hand_to(shard, frame);
        if (owner == self_ || owner == kEveryone) {
            burst[kept++] = frame;
        } else {
            hand_to(owner, frame);
            release(frame);
        }
    }
    for (Wire* wire : to_)
        if (wire) wire->flush_to_ring();
    return kept;
}

unsigned ShardSteering::receive(std::span<rte_mbuf*> burst) {
    turn_ = turn_ + 1 == from_.size() ? 0 : turn_ + 1;
    unsigned got = 0;
    for (unsigned i = 0; i < from_.size() && got < burst.size(); ++i) {
        Wire& wire = *from_[(turn_ + i) % from_.size()];
        got += rte_ring_sc_dequeue_burst(wire.ring(), reinterpret_cast<void**>(burst.data() + got),
                                         static_cast<unsigned>(burst.size() - got), nullptr);
    }
    return got;
}

}  // namespace millrace::net
