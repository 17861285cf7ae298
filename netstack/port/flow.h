#pragma once
// What a NIC's parser reads to steer a frame: its kind and flow. Every read is within the first segment.

#include <rte_mbuf.h>

#include <cstdint>
#include <cstring>

#include "netstack/base/address.h"
#include "netstack/base/checksum.h"
#include "netstack/port/rss.h"

namespace millrace::net {

enum class FlowKind : std::uint8_t {
    kTcp,    // IPv4 with TCP, not a fragment: hashed with ports
    kIcmp,   // IPv4 with ICMP: hashed without ports
    kIp,     // other IPv4: hashed without ports
    kOther,  // ARP and whatever else has no flow
};

struct Flow {
    FlowKind kind = FlowKind::kOther;
    SocketAddress source;  // ports are zero without TCP
    SocketAddress destination;
};

template <class Number>
Number load_big_endian(const std::byte* at) {
    Number number;
    std::memcpy(&number, at, sizeof number);
    if constexpr (sizeof number == 2)
        return big_endian16(number);
    else
        return big_endian32(number);
}

// The flow of an IPv4 packet of which `length` bytes lie at `ip`.
inline Flow flow_of_ipv4(const std::byte* ip, std::uint32_t length) {
    if (length < 20) return {};
    Flow flow{FlowKind::kIp,
              {Ipv4{load_big_endian<std::uint32_t>(ip + 12)}, 0},
              {Ipv4{load_big_endian<std::uint32_t>(ip + 16)}, 0}};
    const auto protocol = static_cast<std::uint8_t>(ip[9]);
    const bool fragment = (load_big_endian<std::uint16_t>(ip + 6) & 0x3fff) != 0;
    if (fragment) return flow;
    if (protocol == 1) flow.kind = FlowKind::kIcmp;
    const std::uint32_t header = (static_cast<std::uint32_t>(ip[0]) & 15) * 4;
    if (protocol != 6 || length < header + 4) return flow;
    flow.kind = FlowKind::kTcp;
    flow.source.port = load_big_endian<std::uint16_t>(ip + header);
    flow.destination.port = load_big_endian<std::uint16_t>(ip + header + 2);
    return flow;
}

inline Flow flow_of(const rte_mbuf* frame) {
    const auto* ethernet = rte_pktmbuf_mtod(frame, const std::byte*);
    const std::uint32_t length = frame->data_len;
    if (length < 34 || load_big_endian<std::uint16_t>(ethernet + 12) != 0x0800) return {};
    return flow_of_ipv4(ethernet + 14, length - 14);
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
