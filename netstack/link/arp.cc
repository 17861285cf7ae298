#include "netstack/link/arp.h"

#include <cstring>

#include "netstack/base/checksum.h"

namespace millrace::net {
namespace {

struct WireArp {
    std::uint16_t hardware, protocol;  // big endian
    std::uint8_t hardware_bytes, protocol_bytes;
    std::uint16_t operation;
    MacAddress sender_mac;
    std::array<std::uint8_t, 4> sender;
    MacAddress target_mac;
    std::array<std::uint8_t, 4> target;
};
static_assert(sizeof(WireArp) == 28);

Ipv4 from_octets(const std::array<std::uint8_t, 4>& octets) {
    std::uint32_t v;
    std::memcpy(&v, octets.data(), 4);
    return Ipv4{big_endian32(v)};
}

std::array<std::uint8_t, 4> to_octets(Ipv4 ip) {
    const std::uint32_t v = big_endian32(ip.value);
    std::array<std::uint8_t, 4> octets;
    std::memcpy(octets.data(), &v, 4);
    return octets;
}

}  // namespace

std::optional<ArpPacket> parse_arp(const rte_mbuf* frame) {
    if (frame->data_len < kArpFrameBytes) return {};
    WireArp arp;
    std::memcpy(&arp, rte_pktmbuf_mtod_offset(frame, const std::byte*, kEthernetBytes), sizeof arp);
    if (arp.hardware != big_endian16(1) || arp.protocol != big_endian16(0x0800) || arp.hardware_bytes != 6 ||
        arp.protocol_bytes != 4)
        return {};
    const auto operation = ArpOperation{big_endian16(arp.operation)};
    if (operation != ArpOperation::kRequest && operation != ArpOperation::kReply) return {};
    if (is_multicast(arp.sender_mac)) return {};
    return ArpPacket{operation, arp.sender_mac, from_octets(arp.sender), arp.target_mac,
                     from_octets(arp.target)};
}

void write_arp(rte_mbuf* frame, const MacAddress& source, const MacAddress& destination,
               const ArpPacket& packet) {
    const WireArp arp{big_endian16(1),
                      big_endian16(0x0800),
                      6,
                      4,
                      big_endian16(static_cast<std::uint16_t>(packet.operation)),
                      packet.sender_mac,
                      to_octets(packet.sender),
                      packet.target_mac,
                      to_octets(packet.target)};
    EthernetHeader ethernet{destination, source, 0};
    ethernet.set_type(EtherType::kArp);
    auto* at = reinterpret_cast<std::byte*>(rte_pktmbuf_append(frame, kArpFrameBytes));
    std::memcpy(at, &ethernet, sizeof ethernet);
    std::memcpy(at + sizeof ethernet, &arp, sizeof arp);
}

}  // namespace millrace::net
