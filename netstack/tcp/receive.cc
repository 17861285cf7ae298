// Text and FIN of an acceptable segment (RFC 9293 section 3.10.7.4, seventh and eighth), and the window.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

// Hands up a payload in its mbuf, or mbufs: an event each. Of a packet in one mbuf the second line, which no
// driver writes, is left alone.
void Tcp::push_received(Handle h, rte_mbuf* packet) {
    if (packet->nb_segs == 1) [[likely]]
        return push_event(h, EventKind::kReceived, CloseReason::kNone, packet);
    while (packet != nullptr) {
        rte_mbuf* rest = std::exchange(packet->next, nullptr);
        packet->nb_segs = 1;
        packet->pkt_len = packet->data_len;
        if (packet->data_len > 0) {
            push_event(h, EventKind::kReceived, CloseReason::kNone, packet);
        } else {
            rte_pktmbuf_free_seg(packet);
        }
        packet = rest;
    }
}

// Counting the free mbufs of the pools takes some microseconds: once a poll, and only when the last count is
// used up.
bool Tcp::may_keep(const rte_mbuf* packet) {
    if (receive_budget_.take(packet->nb_segs)) [[likely]]
        return true;
    if (receive_pools_seen_at_ != now_) {
        receive_pools_seen_at_ = now_;
        receive_budget_.recount();
        if (receive_budget_.take(packet->nb_segs)) return true;
    }
    ++counters_.receive_drops_memory;
    return false;
}

void Tcp::receive_text(Handle h, Segment& segment) {
    Connection& c = h.c;
    if (segment.length > 0 && !may_keep(segment.packet)) return;
    // What was received before is cut off the front, what lies beyond the window off the back, its FIN with
    // it.
    const std::uint32_t old = segment.seq < c.rcv_nxt ? c.rcv_nxt - segment.seq : 0;
    const std::uint32_t cut = std::min(old, segment.length);
    const SackBlock duplicate = old_bytes(c, segment);
    segment.seq += cut;
    segment.length -= cut;
    if (segment.seq + segment.length > c.rcv_adv) {
        const std::uint32_t beyond = segment.seq + segment.length - c.rcv_adv;
        if (beyond < segment.length) trim_back(segment.packet, beyond);
        segment.length -= std::min(beyond, segment.length);
        segment.flags &= static_cast<std::uint8_t>(~kFin);
    }
    const bool in_order = segment.seq == c.rcv_nxt && c.reassembly == kNoBlock && !c.has(kPaused);
    if (!in_order) {
        if (segment.length > 0 || segment.has(kFin)) hold(h, segment, cut);
        if (!duplicate.empty()) send_ack(h, duplicate);
        return;
    }
    if (segment.length > 0) {
        c.rcv_nxt += segment.length;
        push_received(h, trim_front(std::exchange(segment.packet, nullptr), segment.header_bytes + cut));
        acknowledge_text(h);
    }
    if (!duplicate.empty()) send_ack(h, duplicate);
    if (segment.has(kFin)) receive_fin(h);
}

// Out of order, or paused: kept within the bounds. An ACK goes out at once for each segment that leaves or
// fills a gap (RFC 5681 section 4.2): the sender counts them.
void Tcp::hold(Handle h, Segment& segment, std::uint32_t cut) {
    Connection& c = h.c;
    const bool out_of_order = segment.seq != c.rcv_nxt;
    if (c.reassembly == kNoBlock) {
        c.reassembly = reassemblies_.take();
        if (c.reassembly == kNoBlock) {
            ++counters_.blocks_dry;
            return;
        }
        reassemblies_[c.reassembly] = {};
    }
    Reassembly& r = reassemblies_[c.reassembly];
    const SackBlock text{segment.seq, segment.seq + segment.length};
    SackBlock duplicate;
    // The segment that fills the first gap is let in beyond the bound: it frees more than it takes.
    const bool full = r.count >= most_held_each_ || held_ >= most_held_;
    if ((full && (out_of_order || c.has(kPaused))) || !hold_text(r, segment, c.rcv_nxt, cut)) {
        ++counters_.out_of_order_drops;
    } else {
        if (out_of_order) {
            ++counters_.out_of_order;
            if (!text.empty()) {
                duplicate = r.sack.duplicate(text);
                r.sack.add(text);
            }
        }
        if (segment.has(kFin) && !r.has_fin) {
            r.has_fin = true;
            r.fin = text.to;
        }
    }
    if (out_of_order) {
        send_ack(h, duplicate);
    } else {
        c.set(kAckNow);
        mark_dirty(h);
    }
    deliver_held(h);
}

// False when there are too many gaps before it.
bool Tcp::hold_text(Reassembly& r, Segment& segment, Seq rcv_nxt, std::uint32_t cut) {
    if (segment.length == 0) return true;
    rte_mbuf* packet = trim_front(std::exchange(segment.packet, nullptr), segment.header_bytes + cut);
    Seq seq = segment.seq;
    while (packet != nullptr) {
        rte_mbuf* rest = std::exchange(packet->next, nullptr);
        packet->nb_segs = 1;
        packet->pkt_len = packet->data_len;
        const std::uint16_t length = packet->data_len;
        const auto more = r.insert(packet, seq, rcv_nxt);
        if (!more) {  // what of a chain has got in is not reported, and comes again
            rte_pktmbuf_free(rest);
            return false;
        }
        held_ += static_cast<std::uint32_t>(*more);
        seq += length;
        packet = rest;
    }
    return true;
}

// As far as the gap, the application's pause and the room for events allow.
void Tcp::deliver_held(Handle h) {
    Connection& c = h.c;
    Reassembly& r = reassemblies_[c.reassembly];
    c.rcv_nxt = r.advance(c.rcv_nxt);
    r.sack.advance(c.rcv_nxt);
    if (!c.has(kPaused)) {
        while (r.ready_tail != nullptr && event_room() > kEventReserve) {
            --held_;
            push_event(h, EventKind::kReceived, CloseReason::kNone, r.pop_ready());
        }
        if (r.ready_tail != nullptr) mark_ready(h);
    }
    // The window has opened by enough to be worth telling (RFC 9293 section 3.8.6.2.2).
    if (window_edge(c) >= c.rcv_adv + window_step(c)) {
        c.set(kAckNow);
        mark_dirty(h);
    }
    if (r.ready_tail != nullptr) return;
    const bool fin = r.has_fin && r.fin == c.rcv_nxt && !c.has(kPaused);
    if (!fin && (r.head != nullptr || r.has_fin)) return;
    held_ -= r.count;  // beyond the FIN there is nothing
    r.free_all();
    reassemblies_.give_back(std::exchange(c.reassembly, kNoBlock));
    if (fin) receive_fin(h);
}

void Tcp::receive_fin(Handle h) {
    Connection& c = h.c;
    c.rcv_nxt += 1;
    c.set(kAckNow);
    mark_dirty(h);
    push_event(h, EventKind::kPeerClosed);
    if (c.state == State::kEstablished) {
        c.state = State::kCloseWait;
    } else if (c.state == State::kFinWait1) {
        c.state = State::kClosing;  // our FIN is not acknowledged yet
    } else {
        enter_time_wait(h);
    }
}

// RFC 9293 section 3.8.6.3, RFC 5681 section 4.2: at least every second full segment at once; fewer for the
// preset `throughput`, as RFC 5681 lets who has weighed it.
void Tcp::acknowledge_text(Handle h) {
    Connection& c = h.c;
    const std::uint32_t unacknowledged = c.rcv_nxt - c.last_ack_sent;
    const bool now =
        c.quick_acks > 0 || delayed_ack_us_ == 0 || unacknowledged > (config_.ack_every - 1u) * c.mss;
    c.set(now ? kAckNow : kAckPending);
    mark_dirty(h);
}

void Tcp::pause(ConnId id) {
    handle(id).c.set(kPaused);
}

void Tcp::resume(ConnId id) {
    Handle h = handle(id);
    if (!h.c.has(kPaused)) return;
    h.c.clear(kPaused);
    if (h.c.reassembly != kNoBlock) mark_ready(h);
}

}  // namespace millrace::tcp
