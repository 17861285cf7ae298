#include "netstack/tcp/send_queue.h"

#include <algorithm>
#include <utility>

namespace millrace::tcp {
namespace {

void free_list(rte_mbuf* unit) {
    while (unit != nullptr)
        rte_pktmbuf_free_seg(std::exchange(unit, meta(unit).next));
}

}  // namespace

std::uint16_t SendQueue::tail_room(Seq snd_nxt, std::uint16_t mss) const {
    if (unsent == nullptr || snd_nxt > meta(tail).seq || !RTE_MBUF_DIRECT(tail)) return 0;
    const TxMeta& m = meta(tail);
    const std::uint16_t most = std::min<std::uint16_t>(mss, tail->buf_len - m.offset);
    return m.length < most ? most - m.length : 0;
}

void SendQueue::push(rte_mbuf* unit, std::uint16_t length) {
    TxMeta& m = meta(unit);
    m = {.next = nullptr,
         .seq = end,
         .sent_at = 0,
         .offset = unit->data_off,
         .length = length,
         .transmissions = 0};
    if (tail != nullptr) {
        meta(tail).next = unit;
    } else {
        head = unit;
    }
    tail = unit;
    if (unsent == nullptr) unsent = unit;
    end += length;
}

SendQueue::Acked SendQueue::acknowledge(Seq una) {
    Acked acked;
    while (head != nullptr && end_of(head) <= una) {
        const TxMeta& m = meta(head);
        acked.any = true;
        acked.retransmitted |= m.transmissions > 1;
        acked.sent_at = m.sent_at;
        if (head == unsent) unsent = m.next;
        if (head == lost) lost = m.next;
        rte_pktmbuf_free_seg(std::exchange(head, m.next));
    }
    if (head == nullptr) tail = nullptr;
    if (lost_seq < una) lost_seq = una;
    if (lost_end < lost_seq) lost_end = lost_seq;
    if (lost_seq == lost_end) lost = nullptr;
    return acked;
}

void SendQueue::mark_lost(Seq una, Seq snd_nxt) {
    lost = head;
    lost_seq = una;
    lost_end = min(snd_nxt, end);
}

void SendQueue::free_spares() {
    free_list(std::exchange(spare, nullptr));
}

void SendQueue::free_all() {
    free_spares();
    free_list(head);
    *this = {};
}

}  // namespace millrace::tcp
