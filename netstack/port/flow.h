#pragma once
// What a NIC's parser reads to steer a frame: its kind and flow. Every read is within the first segment.

#include <rte_mbuf.h>

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/port/rss.h"

namespace millrace::net {

enum class FlowKind : std::uint8_t {
    kTcp,    // TCP, not a fragment: hashed with ports
    kIcmp,   // ICMP or ICMPv6: hashed without ports
    kIp,     // any other IP packet: hashed without ports
    kOther,  // ARP and whatever else has no flow
};

struct Flow {
    FlowKind kind = FlowKind::kOther;
    SocketAddress source;  // ports are zero without TCP
    SocketAddress destination;
};

// The flow of a packet of either family of which `length` bytes lie at `ip`; of an IPv6 one with extension
// headers the addresses alone, as hardware has it.
Flow flow_of_ip(const std::byte* ip, std::uint32_t length);

// Where the IP header of a frame begins, behind an 802.1Q tag if there is one; 0 when it is neither family's.
std::uint32_t ip_offset(const rte_mbuf* frame);

inline Flow flow_of(const rte_mbuf* frame) {
    const std::uint32_t offset = ip_offset(frame);
    if (offset == 0) return {};
    return flow_of_ip(rte_pktmbuf_mtod_offset(frame, const std::byte*, offset), frame->data_len - offset);
}

// The queue to which a NIC with our key and table would give the frame.
inline unsigned queue_of(const Rss& rss, const Flow& flow) {
    switch (flow.kind) {
        case FlowKind::kTcp:
            return rss.queue_of(flow.source, flow.destination);
        case FlowKind::kIcmp:
        case FlowKind::kIp:
            return rss.queue_of(flow.source.ip, flow.destination.ip);
        case FlowKind::kOther:
            return 0;
    }
    return 0;
}

}  // namespace millrace::net
