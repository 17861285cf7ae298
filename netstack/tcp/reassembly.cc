#include "netstack/tcp/reassembly.h"

#include <cstring>
#include <utility>

namespace millrace::tcp {
namespace {

// Small segments in a row share an mbuf: a copy of at most what one buffer has left, so that a sender of tiny
// segments to a paused reader cannot make each byte cost a buffer.
bool join(rte_mbuf* held, rte_mbuf* packet) {
    if (!RTE_MBUF_DIRECT(held) || rte_mbuf_refcnt_read(held) != 1) return false;
    if (packet->data_len > rte_pktmbuf_tailroom(held)) return false;
    std::memcpy(rte_pktmbuf_mtod_offset(held, char*, held->data_len), rte_pktmbuf_mtod(packet, const char*),
                packet->data_len);
    held->data_len += packet->data_len;
    held->pkt_len = held->data_len;
    rte_pktmbuf_free(packet);
    return true;
}

}  // namespace

int Reassembly::insert(rte_mbuf* packet, Seq seq, Seq rcv_nxt) {
    packet->hash.usr = seq.value;
    if (tail != nullptr && held_end(tail) == seq && join(tail, packet)) return 0;

    // The last held mbuf that begins at or before the newcomer.
    rte_mbuf* before = nullptr;
    if (tail != nullptr && held_seq(tail) <= seq) {
        before = tail;
    } else {
        before = ready_tail;
        for (rte_mbuf* at = before ? before->next : head; at && held_seq(at) <= seq; at = at->next)
            before = at;
    }
    const Seq from = before ? max(held_end(before), rcv_nxt) : rcv_nxt;
    if (held_end(packet) <= from) {
        rte_pktmbuf_free(packet);
        return 0;
    }
    if (seq < from) {
        rte_pktmbuf_adj(packet, static_cast<std::uint16_t>(from - seq));
        packet->hash.usr = from.value;
    }

    int more = 1;
    rte_mbuf* after = before ? before->next : head;
    // Between the two there may be no gap, where they could not be joined.
    if (after != nullptr && held_seq(after) == held_seq(packet) && held_end(packet) <= held_end(after)) {
        rte_pktmbuf_free(packet);
        return 0;
    }
    while (after != nullptr && held_end(after) <= held_end(packet)) {
        // One buffer for all, with the bytes that came first.
        std::memcpy(rte_pktmbuf_mtod_offset(packet, char*, held_seq(after) - held_seq(packet)),
                    rte_pktmbuf_mtod(after, const char*), after->data_len);
        rte_pktmbuf_free_seg(std::exchange(after, after->next));
        --more;
    }
    if (after != nullptr && held_seq(after) < held_end(packet))
        rte_pktmbuf_trim(packet, static_cast<std::uint16_t>(held_end(packet) - held_seq(after)));

    packet->next = after;
    (before ? before->next : head) = packet;
    if (after == nullptr) tail = packet;
    count = static_cast<std::uint32_t>(static_cast<int>(count) + more);
    return more;
}

Seq Reassembly::advance(Seq rcv_nxt) {
    if (ready_tail) rcv_nxt = max(rcv_nxt, held_end(ready_tail));
    for (rte_mbuf* at = ready_tail ? ready_tail->next : head; at && held_seq(at) <= rcv_nxt; at = at->next) {
        rcv_nxt = held_end(at);
        ready_tail = at;
    }
    return rcv_nxt;
}

rte_mbuf* Reassembly::pop_ready() {
    if (ready_tail == nullptr) return nullptr;
    rte_mbuf* first = head;
    head = first->next;
    if (first == ready_tail) ready_tail = nullptr;
    if (head == nullptr) tail = nullptr;
    first->next = nullptr;
    --count;
    return first;
}

void Reassembly::free_all() {
    while (head != nullptr)
        rte_pktmbuf_free_seg(std::exchange(head, head->next));
    *this = {};
}

rte_mbuf* trim_front(rte_mbuf* packet, std::uint32_t bytes) {
    while (bytes >= packet->data_len) {
        rte_mbuf* rest = packet->next;
        bytes -= packet->data_len;
        rest->pkt_len = packet->pkt_len - packet->data_len;
        rest->nb_segs = packet->nb_segs - 1;
        rte_pktmbuf_free_seg(packet);
        packet = rest;
    }
    rte_pktmbuf_adj(packet, static_cast<std::uint16_t>(bytes));
    return packet;
}

void trim_back(rte_mbuf* packet, std::uint32_t bytes) {
    std::uint32_t keep = packet->pkt_len - bytes;
    packet->pkt_len = keep;
    rte_mbuf* last = packet;
    while (keep > last->data_len) {
        keep -= last->data_len;
        last = last->next;
    }
    last->data_len = static_cast<std::uint16_t>(keep);
    for (rte_mbuf* rest = std::exchange(last->next, nullptr); rest != nullptr;) {
        --packet->nb_segs;
        rte_pktmbuf_free_seg(std::exchange(rest, rest->next));
    }
}

}  // namespace millrace::tcp
