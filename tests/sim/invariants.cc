#include "tests/sim/invariants.h"

#include <cstdio>
#include <tuple>
#include <utility>

namespace millrace::tcp {
namespace {

struct Broken {
    std::string what;
};

void require(bool holds, const char* what) {
    if (!holds) throw Broken{what};
}

bool is_opening(State state) {
    return state == State::kSynSent || state == State::kSynReceived;
}
bool is_withdrawn(State state) {
    return state == State::kAborted;
}
// States in which both sequence spaces are in use.
bool is_synchronized(State state) {
    return state >= State::kEstablished && state < State::kTimeWait;
}
bool has_sent_fin_state(State state) {
    return state == State::kFinWait1 || state == State::kClosing || state == State::kLastAck;
}

}  // namespace

std::string Inspector::check() {
    Sums sums;
    std::uint32_t slot = 0;
    marks_.resize(tcp_->slab_.touched());
    try {
        for (; slot < tcp_->slab_.touched(); ++slot)
            check_slot(slot, sums);
        slot = kNoBlock;
        check_sums(sums);
        check_time_wait_list(sums);
    } catch (const Broken& broken) {
        if (slot == kNoBlock) return broken.what;
        return broken.what + " (" + describe(net::ConnId{slot}) + ")";
    }
    return {};
}

std::string Inspector::describe(net::ConnId id) const {
    const Connection& c = tcp_->connection(id);
    char text[300];
    std::snprintf(
        text, sizeof text,
        "slot %u, state %d, flags %06x, snd_una %u, snd_nxt %u, snd_wnd %u, cwnd %u, rcv_nxt %u, rcv_adv %u, "
        "send queue %d, reassembly %d, retries %u, mss %u",
        net::index(id), static_cast<int>(c.state), c.flags, c.snd_una.value, c.snd_nxt.value, c.snd_wnd,
        c.congestion.cwnd, c.rcv_nxt.value, c.rcv_adv.value, static_cast<int>(c.send_queue),
        static_cast<int>(c.reassembly), c.retries, c.mss);
    return text;
}

void Inspector::check_slot(std::uint32_t slot, Sums& sums) {
    const Connection& c = tcp_->slab_[slot];
    sums.dirty += c.has(kInDirtyList);
    sums.ready += c.has(kInReadyList);
    if (c.state == State::kFree) {
        marks_[slot].state = State::kFree;
        return;
    }
    ++sums.in_use;
    sums.withdrawn += is_withdrawn(c.state);
    sums.half_open += c.is_half_open();
    sums.time_wait += c.state == State::kTimeWait;
    sums.timers += (c.timer != net::kNoTimer) + (c.app_timer != net::kNoTimer);
    sums.send_queues += c.send_queue != kNoBlock;
    sums.reassemblies += c.reassembly != kNoBlock;
    check_connection(slot, c);
    check_marks(slot, c);
    check_timers(c);
    if (c.send_queue != kNoBlock) check_send_queue(c);
    if (c.reassembly != kNoBlock) check_reassembly(c, sums);
}

void Inspector::check_connection(std::uint32_t slot, const Connection& c) {
    if (is_withdrawn(c.state)) {
        require(c.send_queue == kNoBlock && c.reassembly == kNoBlock && c.timer == net::kNoTimer,
                "a withdrawn connection holds something");
        require(c.has(kInReadyList), "a withdrawn connection waits for nothing");
        return;
    }
    const SocketAddress remote = tcp_->peer(ConnId{slot});
    const SocketAddress local = tcp_->local(ConnId{slot});
    require(tcp_->find(tcp_->hash_of(remote, local), remote, local) == slot,
            "the table does not lead to the connection");
    if (c.state == State::kTimeWait) {
        // A timer: the last ACK found no mbuf at first, and was to be tried again.
        require(c.send_queue == kNoBlock && c.reassembly == kNoBlock && c.app_timer == net::kNoTimer,
                "TIME-WAIT holds something");
        return;
    }
    require(c.snd_una <= c.snd_nxt, "SND.UNA is beyond SND.NXT");
    if (is_opening(c.state)) {
        require(c.snd_nxt - c.snd_una == 1, "more than a SYN is outstanding in an opening state");
        return;
    }
    require(c.rcv_nxt <= c.rcv_adv, "RCV.NXT is beyond the advertised window");
    // Proportional rate reduction may leave none for a while (RFC 6937).
    require(c.congestion.cwnd > 0 || c.has(kRecovery), "no congestion window");
    require(c.mss > 0, "no MSS");
    const bool unsent = c.send_queue != kNoBlock && tcp_->send_queues_[c.send_queue].unsent != nullptr;
    require(!c.has(kFinSent) || !unsent, "a FIN was sent before what precedes it");
    require(!c.has(kFinSent) || c.has(kFinQueued), "a FIN was sent that nobody asked for");
    require(c.has(kFinQueued) == (has_sent_fin_state(c.state) || c.state == State::kFinWait2),
            "close() and the state disagree");
    require(c.state != State::kFinWait2 || (c.has(kFinSent) && c.snd_una == c.snd_nxt),
            "FIN-WAIT-2 before the FIN's acknowledgment");
    require(!has_sent_fin_state(c.state) || !c.has(kFinSent) || c.snd_una != c.snd_nxt,
            "the FIN's acknowledgment went unnoticed");
}

void Inspector::check_marks(std::uint32_t slot, const Connection& c) {
    Marks& m = marks_[slot];
    const SocketAddress remote = tcp_->peer(ConnId{slot});
    const SocketAddress local = tcp_->local(ConnId{slot});
    const bool same = is_synchronized(m.state) && is_synchronized(c.state) && c.state >= m.state &&
                      m.remote == remote && m.local == local;
    if (same) {
        require(c.snd_una >= m.snd_una, "SND.UNA went back");
        require(c.snd_nxt >= m.snd_nxt, "SND.NXT went back");
        require(c.rcv_nxt >= m.rcv_nxt, "RCV.NXT went back");
        require(c.rcv_adv >= m.rcv_adv, "the window shrank");
    }
    m = {c.state, remote, local, c.snd_una, c.snd_nxt, c.rcv_nxt, c.rcv_adv};
}

// Whatever waits for the peer, or for a time, has a timer.
void Inspector::check_timers(const Connection& c) {
    if (is_withdrawn(c.state) || c.state == State::kTimeWait) return;
    const bool waits = c.has(kRexmitTimer) || c.has(kAckTimer);
    require(!waits || c.timer != net::kNoTimer, "a deadline without a timer");
    const auto no_later = [&](std::uint32_t at) { return static_cast<std::int32_t>(c.timer_at - at) <= 0; };
    require(!c.has(kRexmitTimer) || no_later(c.rexmit_at), "the timer fires after the retransmission's time");
    require(!c.has(kAckTimer) || no_later(c.ack_at), "the timer fires after the delayed ACK's time");
    require(!c.has(kAckPending) || c.has(kAckTimer), "an ACK is owed, and nothing will send it");
    require(!c.has(kAckNow) || c.has(kAckTimer), "an ACK is due, and nothing will send it");
    require(!c.has(kPersistTimer) || c.has(kRexmitTimer), "a persist timer that is not armed");
    const bool outstanding = c.snd_una != c.snd_nxt;
    const bool queued = c.send_queue != kNoBlock;
    require(!outstanding || (c.has(kRexmitTimer) && !c.has(kPersistTimer)),
            "something is outstanding, and no retransmission timer runs");
    require(!queued || c.has(kRexmitTimer) || is_opening(c.state),
            "something waits to be sent, and no timer runs");
    require(!c.has(kFinQueued) || is_opening(c.state) || c.has(kRexmitTimer) || c.state == State::kFinWait2,
            "a FIN waits, and no timer runs");
    require(!c.has(kSendRefused) || outstanding || queued || c.has(kInReadyList),
            "a writer was refused, and nothing will wake it");
}

void Inspector::check_send_queue(const Connection& c) {
    const SendQueue& q = tcp_->send_queues_[c.send_queue];
    require(q.head != nullptr, "an empty send queue");
    require(q.spare == nullptr, "spare mbufs survive the flush");
    const std::uint32_t fin = c.has(kFinSent) ? 1 : 0;
    Seq at = is_opening(c.state) ? c.snd_nxt : c.snd_una;  // the SYN is not queued
    require(meta(q.head).seq == at, "the head does not begin with SND.UNA");
    bool unsent_seen = false, before_lost = q.lost != nullptr;
    std::uint32_t lost_bytes = 0, sacked_bytes = 0, sacked_units = 0;
    const rte_mbuf* last = nullptr;
    for (rte_mbuf* unit = q.head; unit != nullptr; unit = meta(unit).next) {
        const TxMeta& m = meta(unit);
        require(m.seq == at, "a hole in the send queue");
        require(m.length > 0, "an empty unit");
        require(rte_mbuf_refcnt_read(unit) > 0, "a unit that was freed");
        if (unit == q.unsent) {
            unsent_seen = true;
            require(m.seq <= c.snd_nxt && c.snd_nxt < m.end(), "the unsent unit does not hold SND.NXT");
        }
        if (unit == q.lost) before_lost = false;
        if (m.has(kUnitLost)) {
            require(!before_lost && q.lost != nullptr, "a lost unit before the mark of the first");
            require(!m.has(kUnitSacked), "a unit that is both lost and SACKed");
            require(m.seq < c.snd_nxt, "a lost unit that was never sent");
            lost_bytes += SendQueue::sent_bytes(unit, c.snd_nxt);
        }
        if (m.has(kUnitSacked)) {
            require(m.end() <= c.snd_nxt, "a SACKed unit that was never sent");
            sacked_bytes += m.length;
            ++sacked_units;
        }
        require(m.seq < c.snd_nxt || m.marks == 0, "a unit that was never sent has a mark");
        at += m.length;
        last = unit;
    }
    require(last == q.tail && at == q.end, "the send queue's end is elsewhere");
    require(unsent_seen == (q.unsent != nullptr) && !before_lost,
            "a mark is on a unit that has left the queue");
    if (q.unsent == nullptr) require(c.snd_nxt == q.end + fin, "everything is sent, but SND.NXT");
    require(c.snd_nxt <= q.end + fin, "SND.NXT is beyond the queue's end");
    require(lost_bytes == q.lost_bytes, "lost bytes, recounted");
    require(sacked_bytes == q.sacked_bytes && sacked_units == q.sacked_units, "SACKed bytes, recounted");
    require(c.has(kSacked) == (sacked_units > 0), "the flag of SACKed units");
    require(lost_bytes == 0 || c.has(kRecovery | kTimeoutRecovery),
            "something is lost, and nothing recovers it");
    require(tcp_->in_flight(c) <= c.snd_nxt - c.snd_una, "more in flight than outstanding");
}

void Inspector::check_reassembly(const Connection& c, Sums& sums) {
    const Reassembly& r = tcp_->reassemblies_[c.reassembly];
    std::uint32_t count = 0;
    bool ready = r.ready_tail != nullptr;
    const rte_mbuf* last = nullptr;
    for (const rte_mbuf* at = r.head; at != nullptr; at = at->next) {
        ++count;
        require(rte_mbuf_refcnt_read(at) > 0, "a held mbuf that was freed");
        require(at->data_len > 0, "an empty held mbuf");
        if (last != nullptr && ready) require(held_seq(at) == held_end(last), "a gap in what is deliverable");
        if (last != nullptr)
            require(held_seq(at) >= held_end(last), "held bytes overlap or are out of order");
        if (!ready) require(held_seq(at) > c.rcv_nxt, "a gap that is none");
        if (at == r.ready_tail) {
            ready = false;
            require(held_end(at) == c.rcv_nxt, "RCV.NXT is not the end of what is deliverable");
        }
        last = at;
    }
    require(!ready, "the last deliverable mbuf is not held");
    require(last == r.tail, "the held mbufs' tail is elsewhere");
    require(count == r.count, "held mbufs, recounted");
    require(last == nullptr || held_end(last) <= c.rcv_adv, "bytes are held beyond the window");
    require(r.head != nullptr || r.has_fin, "an empty reassembly");
    require(!r.ready_tail || c.has(kPaused) || c.has(kInReadyList), "deliverable bytes wait for nothing");
    sums.held += count;
}

void Inspector::check_sums(const Sums& sums) {
    require(sums.in_use == tcp_->slab_.in_use(), "slots in use, recounted");
    require(sums.in_use - sums.withdrawn == tcp_->table_.size(), "the table's entries, recounted");
    require(sums.half_open == tcp_->half_open_, "half-open connections, recounted");
    require(sums.timers == tcp_->wheel_.armed(), "timers, recounted");
    require(sums.send_queues == tcp_->send_queues_.in_use(), "send queues, recounted");
    require(sums.reassemblies == tcp_->reassemblies_.in_use(), "reassemblies, recounted");
    require(sums.held == tcp_->held_, "held mbufs of all connections, recounted");
    require(sums.dirty == tcp_->dirty_.size() && sums.dirty == 0, "slots are left to be flushed");
    require(sums.ready == tcp_->ready_.size(), "slots that wait for the next poll, recounted");
}

void Inspector::check_time_wait_list(const Sums& sums) {
    std::size_t count = 0;
    std::uint32_t older = kNoBlock;
    for (std::uint32_t at = tcp_->oldest_time_wait_; at != kNoBlock; at = tcp_->slab_[at].time_wait.newer) {
        const Connection& c = tcp_->slab_[at];
        require(c.state == State::kTimeWait, "TIME-WAIT's list leads elsewhere");
        require(c.time_wait.older == older, "TIME-WAIT's list is not the same backwards");
        require(older == kNoBlock || static_cast<std::int32_t>(c.time_wait.entered_ms -
                                                               tcp_->slab_[older].time_wait.entered_ms) >= 0,
                "TIME-WAIT's list is out of order");
        require(++count <= sums.time_wait, "TIME-WAIT's list has a circle");
        older = at;
    }
    require(older == tcp_->newest_time_wait_, "TIME-WAIT's newest is elsewhere");
    require(count == sums.time_wait && count == tcp_->time_wait_count_, "TIME-WAIT, recounted");
}

std::optional<SocketAddress> Inspector::next_local(Tcp& tcp, SocketAddress remote) {
    const auto before = std::pair(tcp.next_tuple_, tcp.choice_);
    const auto found = tcp.choose_local(remote);
    std::tie(tcp.next_tuple_, tcp.choice_) = before;
    if (!found) return std::nullopt;
    return found->local;
}

}  // namespace millrace::tcp
