#include "netstack/port/flow.h"

#include "netstack/base/byte_order.h"

namespace millrace::net {
namespace {

constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeIpv6 = 0x86dd, kTypeVlan = 0x8100;

void add_ports(Flow& flow, const std::byte* tcp) {
    flow.kind = FlowKind::kTcp;
    flow.source.port = load_big_endian<std::uint16_t>(tcp);
    flow.destination.port = load_big_endian<std::uint16_t>(tcp + 2);
}

Flow flow_of_ipv4(const std::byte* ip, std::uint32_t length) {
    if (length < 20) return {};
    Flow flow{FlowKind::kIp, {load_ipv4(ip + 12), 0}, {load_ipv4(ip + 16), 0}};
    const auto protocol = static_cast<std::uint8_t>(ip[9]);
    const bool fragment = (load_big_endian<std::uint16_t>(ip + 6) & 0x3fff) != 0;
    if (fragment) return flow;
    if (protocol == 1) flow.kind = FlowKind::kIcmp;
    const std::uint32_t header = (static_cast<std::uint32_t>(ip[0]) & 15) * 4;
    if (protocol == 6 && length >= header + 4) add_ports(flow, ip + header);
    return flow;
}

Flow flow_of_ipv6(const std::byte* ip, std::uint32_t length) {
    if (length < 40) return {};
    Flow flow{FlowKind::kIp, {load_ipv6(ip + 8), 0}, {load_ipv6(ip + 24), 0}};
    const auto next_header = static_cast<std::uint8_t>(ip[6]);
    if (next_header == 58) flow.kind = FlowKind::kIcmp;
    if (next_header == 6 && length >= 44) add_ports(flow, ip + 40);
    return flow;
}

}  // namespace

Flow flow_of_ip(const std::byte* ip, std::uint32_t length) {
    if (length == 0) return {};
    switch (static_cast<std::uint8_t>(ip[0]) >> 4) {
        case 4:
            return flow_of_ipv4(ip, length);
        case 6:
            return flow_of_ipv6(ip, length);
        default:
            return {};
    }
}

std::uint32_t ip_offset(const rte_mbuf* frame) {
    const auto* ethernet = rte_pktmbuf_mtod(frame, const std::byte*);
    for (const std::uint32_t offset : {14u, 18u}) {
        if (frame->data_len < offset + 20) return 0;
        const auto type = load_big_endian<std::uint16_t>(ethernet + offset - 2);
        if (type == kTypeIpv4 || type == kTypeIpv6) return offset;
        if (type != kTypeVlan) return 0;
    }
    return 0;
}

}  // namespace millrace::net
