#pragma once
// The TCP header on the wire (RFC 9293 section 3.1), and a segment as input() sees it.

#include <rte_mbuf.h>
#include <rte_tcp.h>

#include <cstdint>

#include "netstack/tcp/options.h"
#include "netstack/tcp/seq.h"

namespace millrace::tcp {

inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kUrg = 0x20;

inline constexpr std::uint16_t kMinHeader = 20;
static_assert(sizeof(rte_tcp_hdr) == kMinHeader);

// A segment that has arrived. RFC 9293 section 3.3.1 calls these SEG.SEQ, SEG.ACK, SEG.WND.
struct Segment {
    rte_mbuf* packet;
    Seq seq;
    Seq ack;
    std::uint32_t length;  // of the payload, which begins at header_bytes
    std::uint16_t window;  // as on the wire, not scaled
    std::uint16_t header_bytes;
    std::uint8_t flags;
    Options options;

    bool has(std::uint8_t flag) const { return flags & flag; }
    // SEG.LEN counts SYN and FIN too.
    std::uint32_t seg_len() const { return length + (has(kSyn) ? 1 : 0) + (has(kFin) ? 1 : 0); }
    Seq end() const { return seq + seg_len(); }
};

// False for a header that is cut short or whose options are malformed: such a segment is dropped.
inline bool parse_segment(rte_mbuf* packet, Segment& segment) {
    const std::uint16_t in_first = rte_pktmbuf_data_len(packet);
    if (in_first < kMinHeader) return false;
    const auto* header = rte_pktmbuf_mtod(packet, const rte_tcp_hdr*);
    const std::uint16_t header_bytes = (header->data_off >> 4) * 4;
    if (header_bytes < kMinHeader || header_bytes > in_first) return false;
    segment.packet = packet;
    segment.seq = Seq{rte_be_to_cpu_32(header->sent_seq)};
    segment.ack = Seq{rte_be_to_cpu_32(header->recv_ack)};
    segment.length = rte_pktmbuf_pkt_len(packet) - header_bytes;
    segment.window = rte_be_to_cpu_16(header->rx_win);
    segment.header_bytes = header_bytes;
    segment.flags = header->tcp_flags & 0x3f;
    segment.options = {};
    const auto* options = reinterpret_cast<const std::uint8_t*>(header + 1);
    return parse_options({options, std::size_t{header_bytes} - kMinHeader}, segment.options);
}

}  // namespace millrace::tcp
