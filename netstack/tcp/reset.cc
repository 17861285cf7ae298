// RST segments, sent and received (RFC 9293 sections 3.5.2, 3.5.3), and challenge ACKs (RFC 5961).

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
// RFC 5961 section 7 asks for a limit. Ours is each connection's own: a limit shared by all connections tells
// an attacker on one of them what happens on another (CVE-2016-5696).
constexpr std::uint32_t kChallengeInterval = 500'000;  // microseconds
}  // namespace

// The answer to a segment that belongs to no connection; never to a RST.
void Tcp::answer_with_reset(const Segment& segment, SocketAddress remote, SocketAddress local) {
    if (segment.has(kRst) || tx_.room() == 0) return;
    rte_mbuf* packet = header_mbuf();
    if (packet == nullptr) return;
    auto* header = rte_pktmbuf_mtod(packet, rte_tcp_hdr*);
    *header = {.src_port = rte_cpu_to_be_16(local.port),
               .dst_port = rte_cpu_to_be_16(remote.port),
               .data_off = kMinHeader / 4 << 4,
               .tcp_flags = kRst};
    if (segment.has(kAck)) {
        header->sent_seq = rte_cpu_to_be_32(segment.ack.value);
    } else {
        header->recv_ack = rte_cpu_to_be_32(segment.end().value);
        header->tcp_flags |= kAck;
    }
    packet->data_len = kMinHeader;
    packet->pkt_len = kMinHeader;
    ++counters_.out_resets;
    ++counters_.out_segments;
    tx_.push({packet, local.ip, remote.ip, kMinHeader});
}

// A RST whose sequence number is exactly RCV.NXT, or that answers our SYN.
void Tcp::reset_arrives(Handle h) {
    switch (h.c.state) {
        case State::kSynReceived:
            ++counters_.attempt_fails;
            if (!h.c.has(kActiveOpen)) return release(h);  // back to LISTEN: nobody was told of it
            return finish(h, CloseReason::kRefused);
        case State::kSynSent:
            ++counters_.attempt_fails;
            return finish(h, CloseReason::kRefused);
        case State::kTimeWait:
            return leave_time_wait(h);
        default:
            ++counters_.established_resets;
            return finish(h, CloseReason::kReset);
    }
}

void Tcp::challenge(Handle h) {
    if (now_us_ - h.c.challenge_at < kChallengeInterval) {
        ++counters_.acks_skipped;
        return;
    }
    h.c.challenge_at = now_us_;
    ++counters_.challenge_acks;
    send_bare(h, kAck, h.c.snd_nxt);
}

}  // namespace millrace::tcp
