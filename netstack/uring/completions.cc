// poll(): completions become events.

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "netstack/uring/socket.h"
#include "netstack/uring/uring_carrier.h"

namespace millrace::net {

using namespace uring;

namespace {

// Slots to touch ahead: their lines arrive while completions before them are worked off.
constexpr unsigned kPrefetch = 4;

// Errors after which the same call may be repeated at once.
bool is_passing(int error) {
    return error == EINTR || error == EAGAIN || error == ECONNABORTED || error == EPROTO;
}

}  // namespace

std::span<UringCarrier::Event> UringCarrier::poll(Time now) {
    clear_events();
    recycle_slots();
    buffers_.refill();
    tell_held();
    tell_room();
    tell_timers(now);
    if (ring_.completions() == 0) {
        if (count_ == 0 && may_sleep()) {
            ++counters_.sleeps;
            ring_.wait(sleep_bound(now));
            return {};
        }
        ring_.get_events();
    }
    reap(now);
    return {events_.data(), count_};
}

// --- events ---

void UringCarrier::emit(std::uint32_t i, EventKind kind, CloseReason reason, Bytes bytes) {
    Event& event = events_[count_++];
    event.conn = ConnId{i};
    event.kind = kind;
    event.reason = reason;
    event.bytes = std::move(bytes);
}

void UringCarrier::clear_events() {
    for (std::size_t i = 0; i < count_; ++i)
        events_[i].bytes.reset();
    count_ = 0;
}

// What was received earlier than it could be delivered, and what followed it.
void UringCarrier::tell_held() {
    while (!ready_.empty()) {
        const std::uint32_t i = ready_.front();
        Connection& c = slots_[i];
        while (c.held_first != kNoBuffer && event_room() > 1) {
            const BufferId buffer = c.held_first;
            c.held_first = buffers_.next(buffer);
            emit(i, EventKind::kReceived, CloseReason::kNone, Bytes(buffers_, buffer));
        }
        if (event_room() <= 1) return;
        c.held_last = kNoBuffer;
        ready_.remove(i);
        conclude(i);
    }
}

// The pool of blocks has recovered: those that it refused may try again.
void UringCarrier::tell_room() {
    while (!waiting_.empty() && event_room() > 1 && !blocks_.under_pressure()) {
        emit(waiting_.pop_front(), EventKind::kWritable);
    }
}

// At most half the batch, so that timers cannot keep completions waiting for ever.
void UringCarrier::tell_timers(Time now) {
    const std::size_t half = config_.events / 2;
    const auto budget = static_cast<unsigned>(event_room() > half ? event_room() - half : 0);
    timers_.advance(now, budget, [this](const Timer& timer) {
        slots_[timer.owner].timer = kNoTimer;
        emit(timer.owner, EventKind::kTimer);
    });
}

// --- sleeping ---

// Not while something waits for a flush or a poll.
bool UringCarrier::may_sleep() const {
    return idle_wait_ > Duration::zero() && wake_armed_ && dirty_.empty() && ready_.empty() &&
           ring_.queued() == 0 && !(buffers_.available() != 0 && !starved_.empty());
}

Duration UringCarrier::sleep_bound(Time now) const {
    Time until = std::min(now + idle_wait_, timers_.next());
    for (const Listener& listener : listeners_)
        if (listener.fd >= 0 && !listener.accepting && !listener.stopping)
            until = std::min(until, listener.retry_at);
    return std::max(until - now, Duration{1});
}

// --- completions ---

void UringCarrier::reap(Time now) {
    if (ring_.overflowed()) ++counters_.completions_full;
    io_uring& ring = ring_.raw();
    const unsigned ready = ring_.completions();
    const unsigned first = *ring.cq.khead;
    unsigned done = 0;
    // A completion yields two events at most.
    for (; done < ready && event_room() >= 2; ++done) {
        if (done + kPrefetch < ready) {
            const auto& ahead = ring.cq.cqes[(first + done + kPrefetch) & ring.cq.ring_mask];
            const std::uint32_t i = unpack(ahead.user_data).index;
            if (i < fresh_slots_) __builtin_prefetch(&slots_[i]);
        }
        complete(ring.cq.cqes[(first + done) & ring.cq.ring_mask], now);
    }
    io_uring_cq_advance(&ring, done);
}

void UringCarrier::complete(const io_uring_cqe& cqe, Time now) {
    const Tag tag = unpack(cqe.user_data);
    switch (tag.operation) {
        case Operation::kWake:
            wake_armed_ = false;
            return;
        case Operation::kAccept:
            return on_accept(tag.index, cqe, now);
        case Operation::kClose:
            return;
        default:
            break;
    }
    const bool more = cqe.flags & IORING_CQE_F_MORE;
    Connection& c = slots_[tag.index];
    // A slot outlives its operations, so this is a second lock on the door.
    const bool stale = c.state == State::kFree || (c.generation & kGenerationMask) != tag.generation;
    if (!stale && !more) --c.operations;
    if (stale || c.state == State::kOver) {
        ++counters_.stale_completions;
        if (cqe.flags & IORING_CQE_F_BUFFER) {
            const auto buffer = static_cast<BufferId>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
            buffers_.taken(buffer, 0);
            buffers_.give_back(buffer);
        }
        if (stale || more) return;
        if (tag.operation == Operation::kSend) {
            c.sending = false;
            c.queue.clear(blocks_);
        }
        dirty_.push_back(tag.index);
        return;
    }
    switch (tag.operation) {
        case Operation::kConnect:
            return on_connect(tag.index, cqe.res);
        case Operation::kReceive:
            return on_receive(tag.index, cqe);
        case Operation::kSend:
            return on_send(tag.index, cqe.res);
        default:
            return;  // a cancellation or a timeout: what it ended says so itself
    }
}

// --- accepting ---

void UringCarrier::on_accept(std::uint32_t place, const io_uring_cqe& cqe, Time now) {
    Listener& listener = listeners_[place];
    if (!(cqe.flags & IORING_CQE_F_MORE)) listener.accepting = false;
    if (cqe.res >= 0) {
        const std::uint32_t i = listener.stopping ? index(kNoConn) : take_slot(cqe.res, State::kOpen);
        if (i == index(kNoConn)) {
            refuse(cqe.res);
        } else {
            slots_[i].peer = peer_address(cqe.res);
            ++counters_.accepted;
            emit(i, EventKind::kAccepted);
        }
    } else if (!listener.stopping && !is_passing(-cqe.res)) {
        ++(is_exhaustion(-cqe.res) ? counters_.accept_no_memory : counters_.accept_errors);
        listener.retry_at = now + Listener::kBackOff;
    }
    if (listener.stopping && !listener.accepting) ::close(std::exchange(listener.fd, -1));
}

// No slot: the peer is told at once, and not left to wait in the backlog for what may never come.
void UringCarrier::refuse(int fd) {
    ++counters_.accept_full;
    reset_on_close(fd);
    ::close(fd);
}

// --- connecting ---

void UringCarrier::on_connect(std::uint32_t i, int result) {
    if (result == 0) {
        slots_[i].state = State::kOpen;
        ++counters_.connected;
        dirty_.push_back(i);
        return emit(i, EventKind::kConnected);
    }
    ++counters_.connect_failed;
    // Cancelled by its linked timeout: abort() would have left kConnecting.
    const int error = result == -ECANCELED ? ETIMEDOUT : -result;
    if (is_exhaustion(error)) ++counters_.connect_no_memory;
    lose(i, reason_of(error));
}

// --- receiving ---

void UringCarrier::on_receive(std::uint32_t i, const io_uring_cqe& cqe) {
    Connection& c = slots_[i];
    if (!(cqe.flags & IORING_CQE_F_MORE)) {
        c.receiving = c.receive_cancelled = false;
        dirty_.push_back(i);
    }
    if (cqe.flags & IORING_CQE_F_BUFFER) {
        const auto buffer = static_cast<BufferId>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
        buffers_.taken(buffer, static_cast<std::uint32_t>(std::max(cqe.res, 0)));
        if (cqe.res > 0) return on_bytes(i, buffer);
        buffers_.give_back(buffer);
    }
    on_receive_end(i, cqe.res);
}

void UringCarrier::on_bytes(std::uint32_t i, BufferId buffer) {
    Connection& c = slots_[i];
    ++counters_.receives;
    counters_.received_bytes.add(buffers_.bytes(buffer).size());
    if (!c.paused && c.held_first == kNoBuffer)
        return emit(i, EventKind::kReceived, CloseReason::kNone, Bytes(buffers_, buffer));
    buffers_.next(buffer) = kNoBuffer;
    (c.held_first == kNoBuffer ? c.held_first : buffers_.next(c.held_last)) = buffer;
    c.held_last = buffer;
}

void UringCarrier::on_receive_end(std::uint32_t i, int result) {
    Connection& c = slots_[i];
    if (result == 0) {
        c.peer_finished = true;
        if (!c.paused && c.held_first == kNoBuffer) conclude(i);
    } else if (result == -ENOBUFS) {
        ++counters_.receive_no_buffers;
        if (!c.paused) starved_.push_back(i);
    } else if (result != -ECANCELED && !is_passing(-result)) {
        lose(i, reason_of(-result));
    }
}

// --- sending ---

void UringCarrier::on_send(std::uint32_t i, int result) {
    Connection& c = slots_[i];
    c.sending = false;
    dirty_.push_back(i);
    if (result < 0) {
        // The kernel is short of memory for the moment: the bytes are still ours, and are sent again.
        if (!is_passing(-result) && !is_exhaustion(-result)) return lose(i, reason_of(-result));
        ++counters_.send_retries;
        return;
    }
    ++counters_.sends;
    counters_.sent_bytes.add(static_cast<std::uint64_t>(result));
    c.queue.consume(blocks_, static_cast<std::size_t>(result));
    if (!c.wants_writable || c.closing || c.queue.unsent() >= config_.send_limit / 2) return;
    c.wants_writable = false;
    emit(i, EventKind::kWritable);
}

// --- ending ---

// The connection is over, but what came before is delivered first if the engine takes it.
void UringCarrier::lose(std::uint32_t i, CloseReason reason) {
    Connection& c = slots_[i];
    c.failure = reason;
    if (c.paused || c.held_first == kNoBuffer) conclude(i);
}

// Tells, once, how the peer's stream ended.
void UringCarrier::conclude(std::uint32_t i) {
    Connection& c = slots_[i];
    const bool both_finished = c.peer_finished && c.finished;
    if (c.failure != CloseReason::kNone || both_finished) {
        emit(i, EventKind::kClosed, both_finished ? CloseReason::kFinished : c.failure);
        ++counters_.closed;
        end(i);
    } else if (c.peer_finished && !c.closing && !c.peer_finish_told) {
        c.peer_finish_told = true;
        emit(i, EventKind::kPeerClosed);
    }
}

}  // namespace millrace::net
