#include "netstack/tcp/send_queue.h"

#include <algorithm>
#include <utility>

#include "netstack/tcp/rto.h"

namespace millrace::tcp {

std::uint16_t SendQueue::tail_room(Seq snd_nxt, std::uint16_t mss) const {
    if (unsent == nullptr || snd_nxt > meta(tail).seq || !RTE_MBUF_DIRECT(tail)) return 0;
    const TxMeta& m = meta(tail);
    const std::uint16_t most = std::min<std::uint16_t>(mss, tail->buf_len - m.offset);
    return m.length < most ? most - m.length : 0;
}

void SendQueue::push(rte_mbuf* unit, std::uint16_t length) {
    TxMeta& m = meta(unit);
    m = {.next = nullptr,
         .run_end = nullptr,
         .seq = end,
         .sent_at = 0,
         .offset = unit->data_off,
         .length = length,
         .marks = 0};
    if (tail != nullptr) {
        meta(tail).next = unit;
    } else {
        head = unit;
    }
    tail = unit;
    if (unsent == nullptr) unsent = unit;
    end += length;
}

// RFC 8985 section 6.2 steps 1 to 3. A unit sent more than once tells its round trip only if the ACK cannot
// be that of an earlier transmission.
void SendQueue::deliver(const TxMeta& m, Arrival& arrival) {
    constexpr std::uint32_t kClock = 1000;  // of timestamps, in microseconds
    arrival.bytes += m.length;
    if (arrival.all && !m.has(kUnitResent)) {
        arrival.once = true;
        arrival.sent_at = m.sent_at;
        return;
    }
    Rack& rack = this->rack();
    const std::uint32_t rtt = std::max(arrival.now - m.sent_at, 1u);
    if (rtt > kMaxRto) return;  // the clock has jumped: that says nothing of the path
    if (m.has(kUnitResent)) {
        arrival.resent = true;
        const bool earlier = arrival.echo_age != Arrival::kNoEcho && arrival.echo_age > rtt + kClock;
        if (earlier || rtt < rack.min_rtt) return;
    } else {
        arrival.once = true;
        arrival.sent_at = m.sent_at;
        arrival.reordered |= sacked_units > 0 && m.end() < rack.fack;
        if (rack.min_rtt == 0 || rtt < rack.min_rtt) rack.min_rtt = rtt;
    }
    rack.delivered(m.sent_at, m.end(), rtt);
}

void SendQueue::acknowledge(Seq una, Seq snd_nxt, Arrival& arrival) {
    while (head != nullptr && end_of(head) <= una) {
        const TxMeta& m = meta(head);
        if (m.has(kUnitSacked)) {
            sacked_bytes -= m.length;
            --sacked_units;
        } else {
            if (m.has(kUnitLost)) lost_bytes -= m.length;
            deliver(m, arrival);
        }
        if (head == unsent) unsent = m.next;
        if (head == lost) lost = m.next;
        net::release_segment(std::exchange(head, m.next));
    }
    // Nothing is left to judge. What is sent next may be so much later that its time of sending seems to be
    // before that of what was delivered last.
    if (una == snd_nxt && has_rack) rack_.rtt = 0;
    if (head == nullptr) {
        tail = nullptr;
        return;
    }
    TxMeta& m = meta(head);
    if (m.seq >= una) return;
    const auto cut = static_cast<std::uint16_t>(una - m.seq);
    m.seq = una;
    m.offset += cut;
    m.length -= cut;
    if (m.has(kUnitSacked)) {
        sacked_bytes -= cut;
        return;
    }
    if (m.has(kUnitLost)) lost_bytes -= cut;
    if (una == snd_nxt) m.marks = 0;  // what is left of it has never been sent
    arrival.bytes += cut;
}

// The first unit behind a run of SACKed ones. Runs remember how far they have been found to reach, or a long
// run would be walked at each ACK.
rte_mbuf* SendQueue::past_sacked(rte_mbuf* unit) {
    rte_mbuf* last = meta(unit).run_end;
    while (rte_mbuf* next = meta(last).next) {
        if (!meta(next).has(kUnitSacked)) break;
        last = meta(next).run_end;
    }
    meta(unit).run_end = last;
    return meta(last).next;
}

void SendQueue::sack(SackBlock block, Arrival& arrival) {
    for (rte_mbuf* unit = head; unit != nullptr && end_of(unit) <= block.to; unit = after(unit)) {
        TxMeta& m = meta(unit);
        if (m.has(kUnitSacked) || m.seq < block.from) continue;
        deliver(m, arrival);
        if (sacked_units == 0 || m.end() > rack().fack) rack().fack = m.end();
        if (m.has(kUnitLost)) lost_bytes -= m.length;
        m.marks = static_cast<std::uint8_t>((m.marks & ~kUnitLost) | kUnitSacked);
        m.run_end = unit;
        sacked_bytes += m.length;
        ++sacked_units;
    }
}

void SendQueue::mark_lost(rte_mbuf* unit, Seq snd_nxt) {
    TxMeta& m = meta(unit);
    if (lost_bytes == 0 || m.seq < meta(lost).seq) lost = unit;
    m.marks |= kUnitLost;
    lost_bytes += sent_bytes(unit, snd_nxt);
}

void SendQueue::mark_all_lost(Seq snd_nxt) {
    mark_older(0, 0, snd_nxt);
}

void SendQueue::mark_older(std::uint32_t now, std::uint32_t age, Seq snd_nxt) {
    for (rte_mbuf* unit = head; unit != nullptr && meta(unit).seq < snd_nxt; unit = after(unit)) {
        const TxMeta& m = meta(unit);
        if (!(m.marks & (kUnitSacked | kUnitLost)) && now - m.sent_at >= age) mark_lost(unit, snd_nxt);
    }
}

// In sequence order. That is the order of sending for what was sent once, so the first such unit that was
// sent too late to be judged ends the walk: all that follow were sent later still.
std::uint32_t SendQueue::detect_losses(std::uint32_t now, std::uint32_t reo_wnd, Seq snd_nxt,
                                       unsigned& lost_again) {
    const Rack& rack = this->rack();
    if (rack.rtt == 0) return 0;
    std::uint32_t timeout = 0;
    for (rte_mbuf* unit = head; unit != nullptr && meta(unit).seq < snd_nxt; unit = after(unit)) {
        const TxMeta& m = meta(unit);
        if (m.marks & (kUnitSacked | kUnitLost)) continue;
        if (!sent_after(rack.xmit_ts, rack.end_seq, m.sent_at, m.end())) {
            if (!m.has(kUnitResent)) break;
            continue;
        }
        const std::uint32_t elapsed = now - m.sent_at;
        if (elapsed < rack.rtt + reo_wnd) {
            timeout = std::max(timeout, rack.rtt + reo_wnd - elapsed);
        } else {
            if (m.has(kUnitResent)) ++lost_again;
            mark_lost(unit, snd_nxt);
        }
    }
    return timeout;
}

rte_mbuf* SendQueue::first_lost() {
    while (!meta(lost).has(kUnitLost))
        lost = after(lost);
    return lost;
}

void SendQueue::clear_lost(rte_mbuf* unit, Seq snd_nxt) {
    TxMeta& m = meta(unit);
    if (!m.has(kUnitLost)) return;
    m.marks &= static_cast<std::uint8_t>(~kUnitLost);
    lost_bytes -= sent_bytes(unit, snd_nxt);
}

void SendQueue::clear_all_lost() {
    for (rte_mbuf* unit = head; unit != nullptr && lost_bytes != 0; unit = meta(unit).next)
        meta(unit).marks &= static_cast<std::uint8_t>(~kUnitLost);
    lost_bytes = 0;
}

void SendQueue::clear_all_sacked() {
    for (rte_mbuf* unit = head; unit != nullptr; unit = meta(unit).next)
        meta(unit).marks &= static_cast<std::uint8_t>(~kUnitSacked);
    sacked_bytes = sacked_units = 0;
}

rte_mbuf* SendQueue::last_sent(Seq snd_nxt) const {
    if (unsent == nullptr) return tail;
    rte_mbuf* last = nullptr;
    for (rte_mbuf* unit = head; unit != nullptr && meta(unit).seq < snd_nxt; unit = meta(unit).next)
        last = unit;
    return last;
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
