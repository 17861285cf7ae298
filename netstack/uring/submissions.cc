// flush(): what the slots want and the kernel has not been asked for yet becomes submissions.

#include <sys/socket.h>

#include "netstack/uring/socket.h"
#include "netstack/uring/uring_carrier.h"

namespace millrace::net {

using namespace uring;

namespace {

// Submissions of one slot in one flush, at most: connect and its timeout, or receive and send.
constexpr unsigned kPerSlot = 2;

}  // namespace

void UringCarrier::flush(Time now) {
    buffers_.refill();
    request_wake();
    request_accepts(now);
    feed_starved();
    while (!dirty_.empty()) {
        const std::uint32_t i = dirty_.front();
        if (!submit_more(kPerSlot)) {
            ++counters_.submissions_full;
            break;
        }
        dirty_.remove(i);
        request(i);
    }
    if (ring_.queued() != 0 && ring_.submit()) scratch_.reset();
}

// Room for `n` submissions, made by submitting those before. False: the kernel takes no more now.
bool UringCarrier::submit_more(unsigned n) {
    if (!scratch_.full() && ring_.has_room(n)) return true;
    if (!ring_.submit()) return false;
    scratch_.reset();
    return true;
}

io_uring_sqe& UringCarrier::submission(Operation operation, std::uint32_t i) {
    io_uring_sqe& sqe = ring_.next();
    // The prep helpers leave user_data alone.
    sqe.user_data = pack({operation, slots_[i].generation, i});
    ++slots_[i].operations;
    return sqe;
}

void UringCarrier::request(std::uint32_t i) {
    switch (slots_[i].state) {
        case State::kFree:
            break;
        case State::kConnecting:
            request_connect(i);
            break;
        case State::kOpen:
            request_of_open(i);
            break;
        case State::kOver:
            request_end(i);
            break;
    }
}

void UringCarrier::request_connect(std::uint32_t i) {
    Connection& c = slots_[i];
    if (c.operations != 0) return;
    const KernelAddress* address = scratch_.address(to_kernel(c.peer));
    io_uring_sqe& connect = submission(Operation::kConnect, i);
    io_uring_prep_connect(&connect, c.fd, &address->any, address->length);
    connect.flags |= IOSQE_IO_LINK;
    io_uring_sqe& timeout = submission(Operation::kConnectTimeout, i);
    io_uring_prep_link_timeout(&timeout, &connect_timeout_, 0);
}

void UringCarrier::request_of_open(std::uint32_t i) {
    Connection& c = slots_[i];
    request_receive(i);
    c.queue.trim(blocks_);
    if (c.sending) return;
    if (c.queue.unsent() != 0) return request_send(i);
    if (!c.closing || c.finished) return;
    finish_sending(c.fd);
    c.finished = true;
    if (!c.paused) ready_.push_back(i);  // if the peer has finished too, it is over
}

// Receiving is armed unless the connection is paused, and is then asked to end.
void UringCarrier::request_receive(std::uint32_t i) {
    Connection& c = slots_[i];
    if (c.paused && c.receiving && !c.receive_cancelled) {
        c.receive_cancelled = true;
        io_uring_sqe& sqe = submission(Operation::kCancel, i);
        io_uring_prep_cancel64(&sqe, pack({Operation::kReceive, c.generation, i}), 0);
    }
    if (c.paused || c.receiving || c.peer_finished || starved_.contains(i)) return;
    c.receiving = true;
    ++counters_.receive_armed;
    io_uring_sqe& sqe = submission(Operation::kReceive, i);
    io_uring_prep_recv_multishot(&sqe, c.fd, nullptr, 0, 0);
    sqe.flags |= IOSQE_BUFFER_SELECT;
    sqe.buf_group = BufferRing::kGroup;
}

void UringCarrier::request_send(std::uint32_t i) {
    Connection& c = slots_[i];
    c.sending = true;
    const std::span<iovec> parts = scratch_.parts();
    const std::size_t count = c.queue.gather(blocks_, parts);
    io_uring_sqe& sqe = submission(Operation::kSend, i);
    if (count == 1)  // the usual case, without a message header to copy in
        io_uring_prep_send(&sqe, c.fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
    else
        io_uring_prep_sendmsg(&sqe, c.fd, scratch_.message(count), MSG_NOSIGNAL);
}

void UringCarrier::request_end(std::uint32_t i) {
    Connection& c = slots_[i];
    if (c.operations != 0) {
        if (c.all_cancelled) return;
        c.all_cancelled = true;
        io_uring_sqe& sqe = submission(Operation::kCancel, i);
        io_uring_prep_cancel_fd(&sqe, c.fd, IORING_ASYNC_CANCEL_ALL);
        return;
    }
    io_uring_sqe& sqe = ring_.next();
    io_uring_prep_close(&sqe, c.fd);
    sqe.user_data = pack({Operation::kClose, 0, 0});
    free_slot(i);
}

void UringCarrier::request_accepts(Time now) {
    for (std::size_t place = 0; place < listeners_.size(); ++place) {
        Listener& listener = listeners_[place];
        if (!listener.should_accept(now) || !submit_more(1)) continue;
        listener.accepting = true;
        io_uring_sqe& sqe = ring_.next();
        io_uring_prep_multishot_accept(&sqe, listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
        sqe.user_data = pack({Operation::kAccept, 0, static_cast<std::uint32_t>(place)});
    }
}

void UringCarrier::request_wake() {
    if (wake_armed_ || !submit_more(1)) return;
    wake_armed_ = true;
    io_uring_sqe& sqe = ring_.next();
    io_uring_prep_read(&sqe, wake_fd_, &wake_value_, sizeof wake_value_, 0);
    sqe.user_data = pack({Operation::kWake, 0, 0});
}

// Buffers are back: connections that found none receive again, one for each buffer.
void UringCarrier::feed_starved() {
    for (unsigned n = buffers_.available(); n != 0 && !starved_.empty(); --n)
        dirty_.push_back(starved_.pop_front());
}

}  // namespace millrace::net
