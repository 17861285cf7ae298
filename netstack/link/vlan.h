#pragma once
// 802.1Q tags in software, for ports that neither insert nor strip them.

#include <rte_mbuf.h>

#include <cstdint>
#include <cstring>

#include "netstack/base/byte_order.h"
#include "netstack/link/ethernet.h"

namespace millrace::net {

// Puts the tag of LAN `vlan` into a frame that has room in front.
inline void insert_vlan_tag(rte_mbuf* frame, std::uint16_t vlan) {
    frame->data_off = static_cast<std::uint16_t>(frame->data_off - kVlanTagBytes);
    frame->data_len = static_cast<std::uint16_t>(frame->data_len + kVlanTagBytes);
    frame->pkt_len += kVlanTagBytes;
    auto* const at = rte_pktmbuf_mtod(frame, std::byte*);
    std::memmove(at, at + kVlanTagBytes, 2 * sizeof(MacAddress));
    const std::uint16_t tag[2] = {big_endian16(kVlanType), big_endian16(vlan)};
    std::memcpy(at + 2 * sizeof(MacAddress), tag, sizeof tag);
}

// Takes the tag out of a frame that has one; returns the LAN's number.
inline std::uint16_t strip_vlan_tag(rte_mbuf* frame) {
    auto* const at = rte_pktmbuf_mtod(frame, std::byte*);
    const auto tag = load_big_endian<std::uint16_t>(at + kEthernetBytes);
    std::memmove(at + kVlanTagBytes, at, 2 * sizeof(MacAddress));
    rte_pktmbuf_adj(frame, kVlanTagBytes);
    return tag & kVlanMask;
}

}  // namespace millrace::net
