// Large sends: where the port cuts packets into segments (TSO), the segments of new data that one flush emits
// in a row leave as one packet, a chain of their units, and everything below TCP is done once for all of
// them. Units, windows and timers are as without: only what is handed to the port differs.

#include <rte_tcp.h>

#include <cstring>

#include "netstack/tcp/header.h"
#include "netstack/tcp/tx_segments.h"

namespace millrace::tcp {

namespace {

// An IPv4 packet's length has 16 bits; the IPv6 header takes the most.
constexpr std::uint32_t kMostBytes = 0xffff - 40;
// NICs refuse to cut into smaller pieces (i40e: 256 bytes), and what they refuse would never arrive.
constexpr std::uint16_t kLeastCut = 512;

// What the port repeats in each segment is the same in both; sequence number, PSH and FIN it sees to.
bool same_header(const rte_tcp_hdr* a, const rte_tcp_hdr* b, std::uint16_t bytes) {
    constexpr std::uint8_t kAtTheEnd = kPsh | kFin;
    return a->src_port == b->src_port && a->dst_port == b->dst_port && a->recv_ack == b->recv_ack &&
           a->data_off == b->data_off && a->rx_win == b->rx_win && a->tcp_flags == kAck &&
           (b->tcp_flags & ~kAtTheEnd) == kAck && std::memcmp(a + 1, b + 1, bytes - sizeof *a) == 0;
}

}  // namespace

bool TxSegments::extend_last(const TxSegment& segment, std::uint16_t mss, unsigned most) {
    if (count_ == 0 || last_part_ == nullptr || segment.packet->nb_segs != 1 || mss < kLeastCut) return false;
    const TxSegment& last = list_[count_ - 1];
    rte_mbuf* const whole = last.packet;
    rte_mbuf* const part = segment.packet;
    const std::uint32_t before = whole->pkt_len - last.header_bytes;
    const std::uint32_t length = part->pkt_len - segment.header_bytes;
    // The last is full so far. One that is longer than an MSS by itself, a probe of the path's MTU, stays
    // whole.
    const bool large = whole->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
    const bool full = large ? whole->tso_segsz == mss && before % mss == 0 : before == mss;
    if (length == 0 || length > mss || !full || before / mss >= most) return false;
    if (whole->pkt_len + length > kMostBytes || last.header_bytes != segment.header_bytes) return false;
    if (last.source != segment.source || last.destination != segment.destination) return false;
    auto* header = rte_pktmbuf_mtod(whole, rte_tcp_hdr*);
    const auto* next = rte_pktmbuf_mtod(part, const rte_tcp_hdr*);
    if (!same_header(header, next, segment.header_bytes)) return false;
    if (rte_be_to_cpu_32(next->sent_seq) != rte_be_to_cpu_32(header->sent_seq) + before) return false;

    header->tcp_flags = next->tcp_flags;
    whole->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
    whole->tso_segsz = mss;
    whole->pkt_len += length;
    ++whole->nb_segs;
    part->data_off = static_cast<std::uint16_t>(part->data_off + segment.header_bytes);
    part->data_len = static_cast<std::uint16_t>(length);
    part->pkt_len = length;
    last_part_->next = part;
    last_part_ = part;
    return true;
}

}  // namespace millrace::tcp
