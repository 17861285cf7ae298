#pragma once
// Where TCP lies in a frame, for those who look at it on the wire.

#include <rte_byteorder.h>
#include <rte_tcp.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "netstack/ip/ipv4.h"
#include "netstack/link/ethernet.h"

namespace millrace::sim {

struct TcpFrame {
    bool ipv6;
    std::size_t at;  // of the TCP header in the frame
    std::size_t header_bytes;
    std::size_t payload_bytes;
    rte_tcp_hdr header;  // as it lies there, in network order
};

// Nothing for another protocol. The hosts send no IPv4 options, extension headers or fragments with TCP.
inline std::optional<TcpFrame> find_tcp(std::span<const std::byte> frame) {
    const bool ipv4 = frame[12] == std::byte{0x08} && frame[13] == std::byte{0x00};
    const bool ipv6 = frame[12] == std::byte{0x86} && frame[13] == std::byte{0xdd};
    if (!ipv4 && !ipv6) return std::nullopt;
    const std::size_t at = net::kEthernetBytes + (ipv6 ? 40 : net::kIpv4Bytes);
    const std::size_t protocol = net::kEthernetBytes + (ipv6 ? 6 : 9);
    if (frame.size() < at + sizeof(rte_tcp_hdr) || frame[protocol] != std::byte{net::kProtocolTcp})
        return std::nullopt;
    TcpFrame tcp{.ipv6 = ipv6, .at = at};
    std::memcpy(&tcp.header, frame.data() + at, sizeof tcp.header);
    tcp.header_bytes = static_cast<std::size_t>(tcp.header.data_off >> 4) * 4;
    tcp.payload_bytes = frame.size() - at - tcp.header_bytes;
    return tcp;
}

}  // namespace millrace::sim
