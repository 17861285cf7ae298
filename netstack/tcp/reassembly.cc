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

// A held mbuf at or behind this one, with no gap between the two.
rte_mbuf* known_reach(const rte_mbuf* held) {
    return reinterpret_cast<rte_mbuf*>(static_cast<std::uintptr_t>(held->tx_offload));
}
void set_reach(rte_mbuf* held, rte_mbuf* reach) {
    held->tx_offload = reinterpret_cast<std::uintptr_t>(reach);
}

// The last mbuf before the next gap. It is remembered, so that no mbuf is walked over twice for good.
rte_mbuf* last_before_gap(rte_mbuf* held) {
    rte_mbuf* last = known_reach(held);
    while (last->next != nullptr && held_end(last) == held_seq(last->next))
        last = known_reach(last->next);
    set_reach(held, last);
    return last;
}

}  // namespace

std::optional<int> Reassembly::insert(rte_mbuf* packet, Seq seq, Seq rcv_nxt) {
    packet->hash.usr = seq.value;
    if (tail != nullptr && held_end(tail) == seq && join(tail, packet)) return 0;

    // The last held mbuf before a gap that does not begin behind the newcomer's first byte.
    rte_mbuf* before = tail;
    if (tail == nullptr || held_seq(tail) > seq) {
        before = ready_tail;
        unsigned gaps = 0;
        for (rte_mbuf* at = before ? before->next : head; at && held_seq(at) <= seq; at = before->next) {
            if (gaps++ == kMostGaps) {
                rte_pktmbuf_free(packet);
                return std::nullopt;
            }
            before = last_before_gap(at);
        }
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
    while (after != nullptr && held_end(after) <= held_end(packet)) {
        // One buffer for all, with the bytes that came first.
        std::memcpy(rte_pktmbuf_mtod_offset(packet, char*, held_seq(after) - held_seq(packet)),
                    rte_pktmbuf_mtod(after, const char*), after->data_len);
        rte_pktmbuf_free_seg(std::exchange(after, after->next));
        --more;
    }
    if (after != nullptr && held_seq(after) < held_end(packet))
        rte_pktmbuf_trim(packet, static_cast<std::uint16_t>(held_end(packet) - held_seq(after)));

    set_reach(packet, packet);
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
