// Segment arrival, in the order of RFC 9293 section 3.10.7, behind a fast path for what nearly all segments
// are.

#include <optional>

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {

SocketAddress sender(const rte_tcp_hdr* header, const IpAddress& source) {
    return {source, rte_be_to_cpu_16(header->src_port)};
}

SocketAddress receiver(const rte_tcp_hdr* header, const IpAddress& destination) {
    return {destination, rte_be_to_cpu_16(header->dst_port)};
}

// Frees the segment on every way out but the one on which its payload was taken.
struct OwnedSegment : Segment {
    ~OwnedSegment() {
        if (packet != nullptr) rte_pktmbuf_free(packet);
    }
};

}  // namespace

std::uint32_t Tcp::flow_hash(const rte_mbuf* segment, const IpAddress& source,
                             const IpAddress& destination) const {
    const auto* header = rte_pktmbuf_mtod(segment, const rte_tcp_hdr*);
    return hash_of(sender(header, source), receiver(header, destination));
}

void Tcp::prefetch_table(std::uint32_t flow_hash) const {
    table_.prefetch(flow_hash);
}

void Tcp::prefetch_connection(std::uint32_t flow_hash) const {
    const std::uint32_t slot = table_.candidate(flow_hash);
    if (slot != kNoBlock) prefetch(ConnId{slot});
}

void Tcp::prefetch(ConnId id) const {
    const auto* lines = reinterpret_cast<const char*>(&slab_[net::index(id)]);
    rte_prefetch0(lines);
    rte_prefetch0(lines + 64);
}

void Tcp::input(rte_mbuf* packet, const IpAddress& source, const IpAddress& destination,
                std::uint32_t flow_hash, Time now) {
    set_now(now);
    ++counters_.in_segments;
    OwnedSegment segment;
    if (!parse_segment(packet, segment)) {
        segment.packet = packet;
        ++counters_.in_errors;
        return;
    }
    const auto* header = rte_pktmbuf_mtod(packet, const rte_tcp_hdr*);
    const SocketAddress remote = sender(header, source);
    const SocketAddress local = receiver(header, destination);
    const std::uint32_t slot = find(flow_hash, remote, local);
    if (event_room() < kMostPerSegment + packet->nb_segs) {
        ++counters_.receive_drops_events;
        return;
    }
    if (slot == kNoBlock) return no_connection_input(segment, remote, local);
    Handle h = handle(ConnId{slot});
    if (fast_path(h, segment)) return;
    if (h.c.state == State::kSynSent) return syn_sent_input(h, segment);
    if (h.c.state == State::kTimeWait) return time_wait_input(h, segment);
    segment_arrives(h, segment);
}

// ESTABLISHED, the next segment in order, nothing held, no flag but ACK and PSH, a timestamp no older than
// the last: what is left of section 3.10.7.4 is the acknowledgment, the window and the text.
bool Tcp::fast_path(Handle h, Segment& segment) {
    Connection& c = h.c;
    const bool usual = c.state == State::kEstablished && (segment.flags & ~kPsh) == kAck &&
                       segment.seq == c.rcv_nxt && c.reassembly == kNoBlock && !c.has(kPaused) &&
                       segment.length <= c.receive_window() && segment.options.sack_count == 0 &&
                       segment.options.has_timestamps == c.has(kTimestamps) &&
                       segment.ack - c.snd_una <= c.snd_nxt - c.snd_una;
    if (!usual) return false;
    if (c.has(kTimestamps)) {
        if (static_cast<std::int32_t>(segment.options.ts_value - c.ts_recent) < 0) return false;
        update_ts_recent(c, segment);
    }
    ++counters_.fast_path;
    heard(h);
    process_ack(h, segment);
    if (segment.length > 0 && may_keep(segment.packet)) {
        c.rcv_nxt += segment.length;
        push_received(h, trim_front(std::exchange(segment.packet, nullptr), segment.header_bytes));
        acknowledge_text(h);
    }
    return true;
}

// CLOSED (section 3.10.7.1) or LISTEN (3.10.7.2).
void Tcp::no_connection_input(Segment& segment, SocketAddress remote, SocketAddress local) {
    if (listening_on(local)) return listen_input(segment, remote, local, std::nullopt);
    answer_with_reset(segment, remote, local);
}

// SYN-SENT (section 3.10.7.3).
void Tcp::syn_sent_input(Handle h, Segment& segment) {
    Connection& c = h.c;
    const bool ack_is_ours = segment.has(kAck) && segment.ack == c.snd_nxt;
    if (segment.has(kAck) && !ack_is_ours) return answer_with_reset(segment, peer(h.id()), local(h.id()));
    if (segment.has(kRst)) {
        if (ack_is_ours) reset_arrives(h);
        return;
    }
    if (!segment.has(kSyn)) return;
    c.rcv_nxt = segment.seq + 1;
    c.rcv_adv = c.rcv_nxt + syn_window();
    c.last_ack_sent = c.rcv_nxt;
    learn_options(h, segment.options);
    if (ack_is_ours) {
        established(h, segment);
        c.set(kAckNow);
        return;
    }
    // Simultaneous open (section 3.5, figure 7): both SYNs crossed, and each is answered with a SYN-ACK.
    c.state = State::kSynReceived;
    c.set(kSynDue);
    mark_dirty(h);
}

// All other states (section 3.10.7.4).
void Tcp::segment_arrives(Handle h, Segment& segment) {
    Connection& c = h.c;
    // Our SYN-ACK was lost, or crossed its SYN's retransmission: the answer is the SYN-ACK again.
    if (c.state == State::kSynReceived && segment.has(kSyn) && !segment.has(kRst) &&
        segment.seq + 1 == c.rcv_nxt && (!segment.has(kAck) || segment.ack != c.snd_nxt)) {
        c.set(kSynDue);
        return mark_dirty(h);
    }
    // A SYN-ACK that completes a simultaneous open: its SYN was seen, its ACK and text count.
    if (c.state == State::kSynReceived && segment.has(kSyn) && segment.seq + 1 == c.rcv_nxt &&
        c.has(kActiveOpen)) {
        segment.flags &= static_cast<std::uint8_t>(~kSyn);
        segment.seq += 1;
        segment.window >>= c.send_scale();  // a SYN's is in bytes (RFC 7323 section 2.2)
    }

    // RFC 7323 section 3.2. Not so a SYN: a peer that has forgotten us asks with it.
    if (c.has(kTimestamps) && !segment.options.has_timestamps && (segment.flags & (kRst | kSyn)) == 0) {
        ++counters_.timestamps_missing;
        return;
    }
    // First, the sequence number; PAWS goes before (RFC 7323 section 5.3 R1).
    if (paws_rejects(c, segment)) {
        ++counters_.paws_rejected;
        return not_acceptable(h, segment);
    }
    if (!acceptable(c, segment)) {
        ++counters_.out_of_window;
        const bool at_closed_window = c.receive_window() == 0 && segment.seq == c.rcv_nxt;
        if (!at_closed_window) return not_acceptable(h, segment);
        return closed_window_input(h, segment);
    }
    // Second, RST (RFC 5961 section 3.2): only the exact next sequence number is believed at once.
    if (segment.has(kRst)) {
        if (segment.seq == c.rcv_nxt) return reset_arrives(h);
        return challenge(h);
    }
    // Third, security: obsolete. Fourth, SYN (RFC 5961 section 4.2).
    if (segment.has(kSyn)) {
        if (c.is_half_open()) return release(h);  // back to LISTEN
        ++counters_.syn_challenges;
        return challenge(h);
    }
    // Fifth, ACK.
    if (!segment.has(kAck) || !ack_arrives(h, segment)) return;
    // Sixth, URG: the pointer is ignored and the text is taken as any other (RFC 6093 section 6).
    // Seventh, the text, and eighth, FIN.
    if (c.state == State::kEstablished || c.state == State::kFinWait1 || c.state == State::kFinWait2)
        receive_text(h, segment);
}

// The table of section 3.10.7.4. SEG.LEN counts the FIN, which takes part in the window. An ACK without text
// may come from the right edge itself: there SND.NXT is of a peer that has filled the window, and if what
// filled it is lost, all its ACKs come from there until it has been sent again.
bool Tcp::acceptable(const Connection& c, const Segment& segment) const {
    const std::uint32_t window = c.receive_window();
    const std::uint32_t length = segment.seg_len();
    const auto in_window = [&](Seq seq) { return seq - c.rcv_nxt < window; };
    if (length == 0)
        return segment.seq == c.rcv_nxt || in_window(segment.seq) ||
               (segment.seq == c.rcv_adv && !segment.has(kRst));
    if (window == 0) return false;
    return in_window(segment.seq) || in_window(segment.end() - 1);
}

// RFC 7323 section 5.3 R1; RSTs are exempt, and after 24 idle days TS.Recent says nothing (section 5.5).
bool Tcp::paws_rejects(const Connection& c, const Segment& segment) const {
    constexpr std::uint16_t kStale = 24 * 24;
    return c.has(kTimestamps) && segment.options.has_timestamps && !segment.has(kRst) &&
           static_cast<std::int32_t>(segment.options.ts_value - c.ts_recent) < 0 &&
           static_cast<std::uint16_t>(now_hours_ - c.ts_recent_at) < kStale;
}

// RFC 7323 section 4.3 (2): only a segment that covers the last ACK we sent.
void Tcp::update_ts_recent(Connection& c, const Segment& segment) {
    if (segment.seq > c.last_ack_sent) return;
    c.ts_recent = segment.options.ts_value;
    c.ts_recent_at = now_hours_;
}

// Answered with an ACK that tells the peer where we are, unless it carried a RST. Those without text are
// answered at a limited rate, or two ends that disagree would answer each other for ever.
void Tcp::not_acceptable(Handle h, const Segment& segment) {
    if (segment.has(kRst)) return;
    if (segment.seg_len() == 0 || segment.has(kSyn)) return challenge(h);
    send_ack(h, old_bytes(h.c, segment));
}

// First check, "special allowance": the next segment finds the window closed, but its ACK or RST counts.
void Tcp::closed_window_input(Handle h, const Segment& segment) {
    if (segment.has(kRst)) return reset_arrives(h);
    not_acceptable(h, segment);
    if (segment.has(kAck) && !segment.has(kSyn) && h.c.state != State::kSynReceived) ack_arrives(h, segment);
}

// Fifth check. False when the segment ends here.
bool Tcp::ack_arrives(Handle h, const Segment& segment) {
    Connection& c = h.c;
    if (c.state == State::kSynReceived) {
        if (segment.ack != c.snd_nxt) {
            answer_with_reset(segment, peer(h.id()), local(h.id()));
            return false;
        }
        established(h, segment);
        if (c.has(kFinQueued)) c.state = State::kFinWait1;
    } else if (segment.ack > c.snd_nxt || segment.ack < c.snd_una - c.max_send_window()) {
        challenge(h);  // RFC 5961 section 5.2
        return false;
    }
    heard(h);
    if (c.has(kTimestamps) && segment.options.has_timestamps) update_ts_recent(c, segment);
    process_ack(h, segment);
    if (c.has(kFinSent) && c.snd_una == c.snd_nxt) return fin_acked(h);
    return true;
}

}  // namespace millrace::tcp
