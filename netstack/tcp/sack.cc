// The receiver's side of SACK: which blocks an ACK reports (RFC 2018 section 4), and the report of what came
// twice (D-SACK, RFC 2883).

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

// The part of a segment's text that was received before (RFC 2883 section 4).
SackBlock Tcp::old_bytes(const Connection& c, const Segment& segment) const {
    if (!c.has(kSack) || segment.length == 0 || segment.seq >= c.rcv_nxt) return {};
    return {segment.seq, min(segment.seq + segment.length, c.rcv_nxt)};
}

// At once, and by itself: payload leaves no room for blocks. Each duplicate is reported once.
void Tcp::send_ack(Handle h, SackBlock duplicate) {
    if (!send_bare(h, kAck, h.c.snd_nxt, duplicate) || duplicate.empty() || !h.c.has(kSack)) return;
    ++(duplicate.from < h.c.rcv_nxt ? counters_.dsack_old_sent : counters_.dsack_out_of_order_sent);
}

// A duplicate comes first, then what is held, most recent first, as many as fit beside the timestamps.
std::uint16_t Tcp::write_sack_blocks(const Connection& c, std::uint8_t* at, SackBlock duplicate) const {
    const std::size_t most = c.has(kTimestamps) ? kMostSackBlocks - 1 : kMostSackBlocks;
    std::array<SackBlock, kMostSackBlocks> blocks;
    std::size_t count = 0;
    if (!duplicate.empty()) blocks[count++] = duplicate;
    if (c.reassembly != kNoBlock) {
        for (const SackBlock& held : reassemblies_[c.reassembly].sack.view())
            if (count < most) blocks[count++] = held;
    }
    return write_sack(at, {blocks.data(), count});
}

}  // namespace millrace::tcp
