// The way out: flush() walks the connections that have something to send and frames what the windows allow.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

void Tcp::mark_dirty(Handle h) {
    if (h.c.has(kInDirtyList)) return;
    h.c.set(kInDirtyList);
    dirty_.push(h.slot);
}

bool Tcp::flush(Time now) {
    set_now(now);
    while (!dirty_.empty()) {
        Handle h = handle(ConnId{dirty_.front()});
        if (emit(h) == Emitted::kNoRoom) return true;
        h.c.clear(kInDirtyList);
        dirty_.pop();
    }
    return false;
}

// Room is asked for once for the few segments that are not data.
Tcp::Emitted Tcp::emit(Handle h) {
    Connection& c = h.c;
    if (tx_.room() < 4) return Emitted::kNoRoom;
    switch (c.state) {
        case State::kFree:
            return Emitted::kAll;
        case State::kAborted:
            if (c.has(kCloseUnsent)) return Emitted::kAll;
            if (send_bare(h, kRst | kAck, c.snd_nxt)) ++counters_.out_resets;
            release(h);
            return Emitted::kAll;
        case State::kSynSent:
        case State::kSynReceived:
            if (c.has(kSynDue)) send_syn(h);
            tidy_send_queue(c);
            return Emitted::kAll;
        default:
            break;
    }
    if (c.send_queue != kNoBlock) {
        const Seq before = c.snd_nxt;
        const Emitted emitted = emit_data(h);
        if (c.snd_nxt != before) timed_send(h);
        if (emitted == Emitted::kNoRoom) return Emitted::kNoRoom;
        tidy_send_queue(c);
    }
    if (c.has(kExtra)) try_larger(h);
    if (c.has(kFinDue)) send_fin(h);
    if (c.has(kProbeDue)) {
        c.clear(kProbeDue);
        ++counters_.window_probes;
        send_bare(h, kAck, c.snd_una - 1);
    }
    if (c.has(kAckNow)) {
        if (!send_bare(h, kAck, c.snd_nxt)) arm_ack_timer(h);
    } else if (c.has(kAckPending) && !c.has(kAckTimer)) {
        arm_ack_timer(h);
    }
    return Emitted::kAll;
}

// What was prepared in vain, and a queue that nothing came into.
void Tcp::tidy_send_queue(Connection& c) {
    if (c.send_queue == kNoBlock) return;
    SendQueue& q = send_queues_[c.send_queue];
    q.free_spares();
    if (q.head == nullptr) send_queues_.give_back(std::exchange(c.send_queue, kNoBlock));
}

// First what is lost, then what is new, as far as congestion window, peer's window and room for segments go.
Tcp::Emitted Tcp::emit_data(Handle h) {
    Connection& c = h.c;
    SendQueue& q = send_queues_[c.send_queue];
    q.window_limited = false;
    while (q.lost_bytes > 0) {
        rte_mbuf* unit = q.first_lost();
        const std::uint16_t length = q.sent_bytes(unit, c.snd_nxt);
        if (tx_.room() < 4u + length / c.mss) return Emitted::kNoRoom;
        const std::uint32_t flying = in_flight(c);
        // A unit cut for a larger MSS goes in pieces where there is room for the first: after a timeout the
        // window has room for one segment more, and none for that unit.
        if (flying != 0 && flying + std::min(length, c.mss) > c.congestion.cwnd) {
            q.window_limited = true;
            return Emitted::kAll;
        }
        if (!retransmit(h, unit)) return retry_later(h);
        ++(c.has(kTimeoutRecovery) ? counters_.slow_start_retransmits : counters_.fast_retransmits);
    }
    // RFC 5681 section 4.1: after an idle RTO the window is no longer known to be good.
    if (q.unsent != nullptr && c.snd_una == c.snd_nxt && now_us_ - c.last_sent > rto(c)) {
        restart_window(c.congestion, c.mss);
        q.end_epoch();
    }
    while (q.unsent != nullptr) {
        if (tx_.room() < 4) return Emitted::kNoRoom;
        const SendQueue::Part part = q.next_part(c.snd_nxt, c.mss);
        std::uint32_t length = part.length;
        const std::uint32_t flying = in_flight(c);
        // RFC 3042: each of the first two duplicate ACKs lets one more segment out.
        const std::uint32_t limited = c.has(kRecovery) ? 0 : std::min<std::uint32_t>(c.dup_acks, 2) * c.mss;
        if (flying != 0 && flying + length > c.congestion.cwnd + limited) {
            q.window_limited = true;
            return Emitted::kAll;
        }
        if (!window_admits(c, length)) {
            if (flying == 0) {
                q.end_epoch();
                arm_persist(h);
            }
            return Emitted::kAll;
        }
        if (!send_new(h, q, part.from, static_cast<std::uint16_t>(length))) return retry_later(h);
    }
    return Emitted::kAll;
}

// All of a unit that was sent before; in parts when the MSS has shrunk since. False when the pool is dry.
bool Tcp::retransmit(Handle h, rte_mbuf* unit) {
    Connection& c = h.c;
    SendQueue& q = send_queues_[c.send_queue];
    const std::uint16_t length = q.sent_bytes(unit, c.snd_nxt);
    for (std::uint16_t from = 0; from < length;) {
        const auto part = std::min<std::uint16_t>(length - from, c.mss);
        if (tx_.room() == 0 || !transmit(h, unit, from, part)) return false;
        from += part;
    }
    if (unit == q.tail && q.unsent == nullptr && c.has(kFinQueued)) fin_sent(c);  // the last part had it
    q.clear_lost(unit, c.snd_nxt);
    meta(unit).marks |= kUnitResent;
    q.undo().retransmitted(end_of(unit), now_ms_ + c.ts_offset);
    // NewReno has its own rule (RFC 6582 section 4); with SACK the timeout is that of the newest
    // transmission.
    const bool anew = unit == q.head && c.has(kSack) && c.has(kRecovery) && !c.has(kReorderTimer);
    if (anew || !c.has(kRexmitTimer) || c.has(kPersistTimer)) arm_loss_timer(h);
    return true;
}

// A segment of new data beyond the congestion window, if the peer's window admits it.
bool Tcp::send_one_more(Handle h, SendQueue& q) {
    Connection& c = h.c;
    const SendQueue::Part part = q.next_part(c.snd_nxt, c.mss);
    std::uint32_t length = part.length;
    return window_admits(c, length) && send_new(h, q, part.from, static_cast<std::uint16_t>(length));
}

// Of the first unsent unit.
bool Tcp::send_new(Handle h, SendQueue& q, std::uint16_t from, std::uint16_t length) {
    Connection& c = h.c;
    rte_mbuf* const unit = q.unsent;
    if (!transmit(h, unit, from, length)) return false;
    c.snd_nxt += length;
    if (from + length == meta(unit).length) q.unsent = meta(unit).next;
    if (q.unsent == nullptr && c.has(kFinQueued)) fin_sent(c);
    return true;
}

// Whole segments, as Nagle's algorithm is off; a part only when the window is as open as ever half (RFC 9293
// section 3.8.6.2.1), and the persist timer overrides.
bool Tcp::window_admits(const Connection& c, std::uint32_t& length) const {
    const Seq edge = c.snd_una + c.snd_wnd;
    if (edge <= c.snd_nxt) return false;
    const std::uint32_t usable = edge - c.snd_nxt;
    if (length <= usable) return true;
    if (usable < c.max_send_window() / 2) return false;
    length = usable;
    return true;
}

// The pool is dry: what is in flight will be acknowledged and bring us back; else the timer does.
Tcp::Emitted Tcp::retry_later(Handle h) {
    if (!h.c.has(kRexmitTimer)) arm_persist(h);
    return Emitted::kAll;
}

std::uint16_t Tcp::header_bytes(const Connection& c) const {
    return kMinHeader + (c.has(kTimestamps) ? kTimestampBytes : 0);
}

void Tcp::write_header(Connection& c, rte_mbuf* packet, std::uint8_t flags, Seq seq) {
    auto* header = rte_pktmbuf_mtod(packet, rte_tcp_hdr*);
    header->src_port = rte_cpu_to_be_16(c.local_port);
    header->dst_port = rte_cpu_to_be_16(c.remote_port);
    header->sent_seq = rte_cpu_to_be_32(seq.value);
    header->recv_ack = rte_cpu_to_be_32(c.rcv_nxt.value);
    header->data_off = static_cast<std::uint8_t>(header_bytes(c) / 4 << 4);
    header->tcp_flags = flags;
    header->rx_win = rte_cpu_to_be_16(advertise(c));
    header->cksum = 0;
    header->tcp_urp = 0;
    if (c.has(kTimestamps))
        write_timestamps(reinterpret_cast<std::uint8_t*>(header + 1), now_ms_ + c.ts_offset, c.ts_recent);
    // This segment is the ACK that was owed.
    c.last_ack_sent = c.rcv_nxt;
    if (c.quick_acks > 0 && c.has(kAckNow | kAckPending)) --c.quick_acks;
    c.clear(kAckNow | kAckPending | kAckTimer);
}

void Tcp::push_segment(rte_mbuf* packet, const Connection& c, std::uint16_t header_bytes) {
    ++counters_.out_segments;
    if (config_.large_send > 1 && packet->pkt_len > header_bytes) {
        const AddressPair ends = addresses(c);
        if (tx_.extend_last({packet, ends.local, ends.remote, header_bytes}, c.mss, config_.large_send))
            return;
    }
    if (c.has(kIpv6)) {
        const AddressPair& ends = address_pairs_[slab_.number_of(c)];
        return tx_.push({packet, ends.local, ends.remote, header_bytes});
    }
    // Built in place: read back as one, addresses that were just written in parts would stall the loads.
    tx_.push({packet, c.local_ip, c.remote_ip, header_bytes});
}

rte_mbuf* Tcp::header_mbuf() {
    rte_mbuf* packet = rte_pktmbuf_alloc(header_pool_);
    if (packet == nullptr) ++counters_.header_pool_dry;
    return packet;
}

// A unit's payload behind a TCP header, to be written. Usually the header goes into the unit's own headroom,
// and a second reference keeps the unit ours while the port has it; it is this shard's alone, so the count is
// a plain store. While the port still holds an earlier transmission, for a part behind unacknowledged bytes,
// and for payload that is itself a reference, a header mbuf is chained to a reference to the bytes. Nothing
// is copied.
rte_mbuf* Tcp::frame_unit(Connection& c, rte_mbuf* unit, std::uint16_t from, std::uint16_t length) {
    const TxMeta& m = meta(unit);
    const std::uint16_t header = header_bytes(c);
    const bool ours_alone = rte_mbuf_refcnt_read(unit) == 1;
    if (ours_alone && RTE_MBUF_DIRECT(unit) && from == 0) {
        unit->data_off = static_cast<std::uint16_t>(m.offset + from - header);
        unit->data_len = header + length;
        unit->pkt_len = unit->data_len;
        unit->nb_segs = 1;
        unit->next = nullptr;
        unit->ol_flags = 0;
        rte_mbuf_refcnt_set(unit, 2);
        return unit;
    }
    rte_mbuf* packet = header_mbuf();
    if (packet == nullptr) return nullptr;
    rte_mbuf* body = unit;
    if (ours_alone && !RTE_MBUF_DIRECT(unit)) {
        rte_mbuf_refcnt_set(unit, 2);
    } else {
        body = header_mbuf();
        if (body == nullptr) {
            rte_pktmbuf_free(packet);
            return nullptr;
        }
        net::attach(body, unit);
    }
    body->data_off = static_cast<std::uint16_t>(m.offset + from);
    body->data_len = length;
    packet->data_len = header;
    packet->pkt_len = header + length;
    packet->nb_segs = 2;
    packet->next = body;
    return packet;
}

// Sends payload of a unit, the FIN with it when it is the last. False when the pool is dry.
bool Tcp::transmit(Handle h, rte_mbuf* unit, std::uint16_t from, std::uint16_t length) {
    Connection& c = h.c;
    rte_mbuf* packet = frame_unit(c, unit, from, length);
    if (packet == nullptr) return false;
    TxMeta& m = meta(unit);
    const Seq seq = m.seq + from;
    std::uint8_t flags = kAck;
    if (seq + length == send_queues_[c.send_queue].end) flags |= c.has(kFinQueued) ? kPsh | kFin : kPsh;
    write_header(c, packet, flags, seq);
    m.sent_at = now_us_;
    send_queues_[c.send_queue].sending(now_us_);
    if (seq < c.snd_nxt) ++counters_.retransmitted_segments;
    if (c.has(kRecovery)) send_queues_[c.send_queue].prr.out += length;
    push_segment(packet, c, header_bytes(c));
    c.last_sent = now_us_;
    if (c.has(kExtra)) note_probe(h, seq + length, length);
    return true;
}

// RFC 6298 (5.1): the timer runs while anything is unacknowledged. Where it can be the probe's, new data put
// it off.
void Tcp::timed_send(Handle h) {
    if (may_probe(h.c)) return put_off_probe(h);
    if (!h.c.has(kRexmitTimer) || h.c.has(kPersistTimer)) arm_rexmit(h, rto(h.c));
}

void Tcp::fin_sent(Connection& c) {
    c.clear(kFinDue);
    if (c.has(kFinSent)) return;
    c.set(kFinSent);
    c.snd_nxt += 1;
}

// A FIN by itself, once everything before it has been sent.
void Tcp::send_fin(Handle h) {
    Connection& c = h.c;
    if (c.send_queue != kNoBlock && send_queues_[c.send_queue].unsent != nullptr) return;
    const Seq seq = c.has(kFinSent) ? c.snd_nxt - 1 : c.snd_nxt;
    if (c.has(kFinSent)) ++counters_.retransmitted_segments;
    if (send_bare(h, kFin | kAck, seq)) fin_sent(c);
    c.last_sent = now_us_;
    if (!c.has(kRexmitTimer) || c.has(kPersistTimer)) arm_rexmit(h, rto(c));
}

// A segment without payload. False when the pool is dry or the list is full: an ACK is then still owed.
bool Tcp::send_bare(Handle h, std::uint8_t flags, Seq seq, SackBlock duplicate) {
    rte_mbuf* packet = tx_.room() > 0 ? header_mbuf() : nullptr;
    if (packet == nullptr) return false;
    write_header(h.c, packet, flags, seq);
    auto* header = rte_pktmbuf_mtod(packet, rte_tcp_hdr*);
    std::uint16_t bytes = header_bytes(h.c);
    if (h.c.has(kSack) && !(flags & kRst)) {
        bytes += write_sack_blocks(h.c, reinterpret_cast<std::uint8_t*>(header) + bytes, duplicate);
        header->data_off = static_cast<std::uint8_t>(bytes / 4 << 4);
    }
    packet->data_len = bytes;
    packet->pkt_len = bytes;
    push_segment(packet, h.c, bytes);
    return true;
}

// SYN, or SYN-ACK once the peer's SYN has been seen.
void Tcp::send_syn(Handle h) {
    Connection& c = h.c;
    c.clear(kSynDue);
    if (c.state == State::kSynSent && c.retries == 0)
        c.last_sent = now_us_;  // it may have waited until its address was ours
    if (!c.has(kRexmitTimer)) arm_rexmit(h, rto(c));
    const bool answer = c.state == State::kSynReceived;
    const Options options{.ts_value = now_ms_ + c.ts_offset,
                          .ts_echo = c.ts_recent,
                          .mss = local_mss(c.has(kIpv6)),
                          .window_scale = receive_scale_,
                          .has_timestamps = !answer || c.has(kTimestamps),
                          .has_window_scale = !answer || c.has(kWindowScaling),
                          .sack_permitted = answer ? c.has(kSack) : config_.sack};
    push_syn(peer(h.id()), local(h.id()), answer ? kSyn | kAck : kSyn, c.snd_una, c.rcv_nxt, options);
}

// Of a connection, or of none (syn_cookie.h). What finds no mbuf is lost, as any segment may be.
void Tcp::push_syn(SocketAddress remote, SocketAddress local, std::uint8_t flags, Seq seq, Seq ack,
                   const Options& options) {
    rte_mbuf* packet = tx_.room() > 0 ? header_mbuf() : nullptr;
    if (packet == nullptr) return;
    auto* header = rte_pktmbuf_mtod(packet, rte_tcp_hdr*);
    const std::uint16_t bytes =
        kMinHeader + write_syn_options(reinterpret_cast<std::uint8_t*>(header + 1), options);
    *header = {.src_port = rte_cpu_to_be_16(local.port),
               .dst_port = rte_cpu_to_be_16(remote.port),
               .sent_seq = rte_cpu_to_be_32(seq.value),
               .recv_ack = rte_cpu_to_be_32(ack.value),
               .data_off = static_cast<std::uint8_t>(bytes / 4 << 4),
               .tcp_flags = flags,
               .rx_win = rte_cpu_to_be_16(syn_window())};
    packet->data_len = bytes;
    packet->pkt_len = bytes;
    ++counters_.out_segments;
    tx_.push({packet, local.ip, remote.ip, bytes});
}

// The window of a SYN is never scaled (RFC 7323 section 2.2).
std::uint16_t Tcp::syn_window() const {
    return static_cast<std::uint16_t>(std::min<std::uint32_t>(first_window(), 0xffff));
}

}  // namespace millrace::tcp
