// What the engine sends: bytes written in place into fresh mbufs, or references to bytes shared with others.

#include <cstring>

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
// Up to here a copy into a segment that others of this poll share is cheaper than two mbufs for a reference.
constexpr std::size_t kCopyBelow = 256;
// An mbuf's reference count has 16 bits. A buffer that is referred to so often is copied for further
// receivers.
constexpr std::uint16_t kMostReferences = 60000;
constexpr unsigned kBulk = 64;
}  // namespace

bool Tcp::may_append(const Connection& c) const {
    if (c.has(kFinQueued)) return false;
    return c.state == State::kEstablished || c.state == State::kCloseWait || c.state == State::kSynSent ||
           c.state == State::kSynReceived;
}

std::size_t Tcp::unsent(ConnId id) const {
    const Connection& c = connection(id);
    if (c.send_queue == kNoBlock) return 0;
    const SendQueue& q = send_queues_[c.send_queue];
    return q.head == nullptr ? 0 : q.end - max(c.snd_una, meta(q.head).seq);
}

// The send queue, if the connection may append to it; null, and kWritable is owed, if not.
SendQueue* Tcp::queue_to_append(Handle h) {
    Connection& c = h.c;
    if (!may_append(c)) return nullptr;
    if (unsent(h.id()) >= config_.send_limit) {
        c.set(kSendRefused);
        return nullptr;
    }
    if (c.send_queue == kNoBlock) {
        c.send_queue = send_queues_.take();
        send_queues_[c.send_queue].begin(c.snd_nxt);
    }
    mark_dirty(h);  // an empty queue, and mbufs prepared in vain, are given back there
    return &send_queues_[c.send_queue];
}

// What was refused for is looked at again with the next count, so that a dry pool does not cost one each
// time.
bool Tcp::may_take(PoolBudget& budget, std::size_t mbufs) {
    if (!under_pressure_ && !budget.spares(mbufs)) {
        budget.recount();
        under_pressure_ = !budget.spares(mbufs);
    }
    return budget.take(mbufs);
}

void Tcp::refuse_for_want_of_mbufs(Handle h) {
    under_pressure_ = true;
    h.c.set(kSendRefused | kPoolRefused);
    mark_ready(h);
}

// When the queue has fallen below half of its bound, and the pool, if it was the reason, has recovered.
void Tcp::wake_writer(Handle h) {
    Connection& c = h.c;
    if (c.has(kPoolRefused) && under_pressure()) return mark_ready(h);
    if (unsent(h.id()) >= std::max(config_.send_limit / 2, 1u)) {
        c.clear(kPoolRefused);  // acknowledgments will ask again
        return;
    }
    c.clear(kSendRefused | kPoolRefused);
    push_event(h, EventKind::kWritable);
}

bool Tcp::prepare(ConnId id, std::size_t bytes) {
    Handle h = handle(id);
    SendQueue* q = queue_to_append(h);
    if (q == nullptr) return false;
    std::size_t room = q->tail_room(h.c.snd_nxt, h.c.mss);
    for (rte_mbuf* spare = q->spare; spare != nullptr; spare = meta(spare).next)
        room += h.c.mss;
    if (bytes <= room) return true;
    if (add_spares(*q, (bytes - room + h.c.mss - 1) / h.c.mss)) return true;
    refuse_for_want_of_mbufs(h);
    return false;
}

// All or nothing.
bool Tcp::add_spares(SendQueue& q, std::size_t count) {
    if (!may_take(data_budget_, count)) {
        ++counters_.data_pool_dry;
        return false;
    }
    rte_mbuf* first = nullptr;
    while (count > 0) {
        rte_mbuf* fresh[kBulk];
        const auto part = static_cast<unsigned>(std::min<std::size_t>(count, kBulk));
        if (rte_pktmbuf_alloc_bulk(data_pool_, fresh, part) != 0) {
            ++counters_.data_pool_dry;
            free_list(first);
            return false;
        }
        for (unsigned i = 0; i < part; ++i) {
            meta(fresh[i]).next = first;
            first = fresh[i];
        }
        count -= part;
    }
    rte_mbuf** last = &q.spare;
    while (*last != nullptr)
        last = &meta(*last).next;
    *last = first;
    return true;
}

std::span<std::byte> Tcp::room(ConnId id) {
    Connection& c = handle(id).c;
    if (c.send_queue == kNoBlock) return {};
    SendQueue& q = send_queues_[c.send_queue];
    if (const std::uint16_t left = q.tail_room(c.snd_nxt, c.mss)) {
        const TxMeta& m = meta(q.tail);
        return {static_cast<std::byte*>(q.tail->buf_addr) + m.offset + m.length, left};
    }
    if (q.spare == nullptr) return {};
    return {rte_pktmbuf_mtod(q.spare, std::byte*), c.mss};
}

void Tcp::commit(ConnId id, std::size_t bytes) {
    Connection& c = handle(id).c;
    if (bytes == 0 || c.send_queue == kNoBlock) return;
    SendQueue& q = send_queues_[c.send_queue];
    if (q.tail_room(c.snd_nxt, c.mss) > 0) {
        meta(q.tail).length += static_cast<std::uint16_t>(bytes);
        q.end += static_cast<std::uint32_t>(bytes);
    } else {
        rte_mbuf* unit = std::exchange(q.spare, meta(q.spare).next);
        q.push(unit, static_cast<std::uint16_t>(bytes));
    }
}

// Pieces of one MSS of ours (the smaller of both families), so that each is one unit to every peer whose MSS
// is not smaller.
Tcp::Shared Tcp::make_shared(std::span<const std::byte> bytes) {
    if (!may_take(data_budget_, bytes.size() / shared_unit_ + 1)) {
        ++counters_.data_pool_dry;
        return {};
    }
    rte_mbuf* first = nullptr;
    rte_mbuf** link = &first;
    std::uint16_t segments = 0;
    const std::size_t total = bytes.size();
    do {
        rte_mbuf* packet = rte_pktmbuf_alloc(data_pool_);
        if (packet == nullptr) {
            ++counters_.data_pool_dry;
            rte_pktmbuf_free(first);
            return {};
        }
        const std::size_t part = std::min<std::size_t>(shared_unit_, bytes.size());
        if (part > 0) std::memcpy(rte_pktmbuf_mtod(packet, std::byte*), bytes.data(), part);
        packet->data_len = static_cast<std::uint16_t>(part);
        bytes = bytes.subspan(part);
        *link = packet;
        link = &packet->next;
        ++segments;
    } while (!bytes.empty());
    first->nb_segs = segments;
    first->pkt_len = static_cast<std::uint32_t>(total);
    return Shared(first);
}

bool Tcp::append(ConnId id, const Shared& shared) {
    if (shared.size() <= kCopyBelow) return append_copy(id, shared);
    unsigned units = 0;
    const std::uint16_t mss = handle(id).c.mss;
    for (const rte_mbuf* piece = shared.chain_; piece != nullptr; piece = piece->next) {
        if (rte_mbuf_refcnt_read(piece) > kMostReferences) {
            ++counters_.shared_copies;
            return append_copy(id, shared);
        }
        units += (piece->data_len + mss - 1u) / mss;
    }
    Handle h = handle(id);
    SendQueue* q = queue_to_append(h);
    if (q == nullptr) return false;
    return append_references(h, *q, shared, units);
}

bool Tcp::append_references(Handle h, SendQueue& q, const Shared& shared, unsigned units) {
    if (!may_take(header_budget_, units)) {
        ++counters_.header_pool_dry;
        refuse_for_want_of_mbufs(h);
        return false;
    }
    // All are taken before the first is used: a list through the private areas, which nobody reads yet.
    rte_mbuf* fresh = nullptr;
    for (unsigned i = 0; i < units; ++i) {
        rte_mbuf* reference = header_mbuf();
        if (reference == nullptr) {
            free_list(fresh);
            refuse_for_want_of_mbufs(h);
            return false;
        }
        meta(reference).next = fresh;
        fresh = reference;
    }
    for (rte_mbuf* piece = shared.chain_; piece != nullptr; piece = piece->next) {
        for (std::uint16_t at = 0; at < piece->data_len;) {
            const auto length = std::min<std::uint16_t>(piece->data_len - at, h.c.mss);
            rte_mbuf* unit = std::exchange(fresh, meta(fresh).next);
            net::attach(unit, piece);
            unit->data_off += at;
            unit->data_len = length;
            unit->pkt_len = length;
            q.push(unit, length);
            at += length;
        }
    }
    return true;
}

bool Tcp::append_copy(ConnId id, const Shared& shared) {
    if (!prepare(id, shared.size())) return false;
    for (const rte_mbuf* piece = shared.chain_; piece != nullptr; piece = piece->next) {
        std::span<const std::byte> left(rte_pktmbuf_mtod(piece, const std::byte*), piece->data_len);
        while (!left.empty()) {
            const std::span<std::byte> place = room(id);
            const std::size_t part = std::min(place.size(), left.size());
            std::memcpy(place.data(), left.data(), part);
            commit(id, part);
            left = left.subspan(part);
        }
    }
    return true;
}

}  // namespace millrace::tcp
