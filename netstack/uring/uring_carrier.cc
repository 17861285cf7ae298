#include "netstack/uring/uring_carrier.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

#include "netstack/uring/socket.h"

namespace millrace::net {

using namespace uring;

// --- set-up ---

Expected<std::unique_ptr<UringCarrier>> UringCarrier::create(const UringConfig& config) {
    if (config.max_connections == 0 || config.max_connections > (1u << 31))
        return fail("the number of connections must be between 1 and 2147483648: mend --max-connections");
    if (config.submissions < 2 || config.submissions > 4096 || config.events < 4)
        return fail("an io_uring carrier needs 2 to 4096 submissions and at least 4 events a poll");
    if (config.last_source < config.first_source)
        return fail("the range of source addresses ends before it begins: write the lower address first");
    auto carrier = std::unique_ptr<UringCarrier>(new UringCarrier(config));
    if (auto opened = carrier->open(); !opened) return tl::unexpected(opened.error());
    return carrier;
}

UringCarrier::UringCarrier(const UringConfig& config)
    : config_(config),
      scratch_(std::bit_ceil(config.submissions)),
      events_(config.events),
      source_(config.last_source) {
    connect_timeout_.tv_sec = config.connect_timeout / 1s;
    connect_timeout_.tv_nsec = (config.connect_timeout % 1s).count();
}

Expected<void> UringCarrier::open() {
    auto slots = ReservedArray<Connection>::create(config_.max_connections);
    auto free_slots = ReservedArray<std::uint32_t>::create(config_.max_connections);
    if (!slots) return tl::unexpected(slots.error());
    if (!free_slots) return tl::unexpected(free_slots.error());
    slots_ = std::move(*slots);
    free_slots_ = std::move(*free_slots);
    auto timers = Wheel::create(config_.max_connections);
    if (!timers) return tl::unexpected(timers.error());
    timers_ = std::move(*timers);
    if (auto done = blocks_.open(config_.send_blocks); !done) return done;
    if (auto done = ring_.open(std::bit_ceil(config_.submissions)); !done) return done;
    if (auto done = buffers_.open(ring_, config_.ring_buffers, config_.receive_buffers, config_.buffer_size);
        !done)
        return done;
    wake_fd_ = ::eventfd(0, EFD_CLOEXEC);
    if (wake_fd_ < 0) return tl::unexpected(explain_setup_failure(errno));
    return {};
}

UringCarrier::~UringCarrier() {
    clear_events();
    // The ring lets go of its sockets some time after it is closed. shutdown() acts at once: ports are free
    // and peers know.
    for (Listener& listener : listeners_) {
        if (listener.fd < 0) continue;
        ::shutdown(listener.fd, SHUT_RDWR);
        ::close(listener.fd);
    }
    for (std::size_t i = 0; i < fresh_slots_; ++i) {
        if (slots_[i].state == State::kFree) continue;
        ::shutdown(slots_[i].fd, SHUT_RDWR);
        ::close(slots_[i].fd);
    }
    if (wake_fd_ >= 0) ::close(wake_fd_);
}

void UringCarrier::wake() const {
    const std::uint64_t one = 1;
    // It can only fail because the count is full, and then a wake-up is pending.
    [[maybe_unused]] const auto written = ::write(wake_fd_, &one, sizeof one);
}

std::size_t UringCarrier::memory_in_use() const {
    return slots_.resident_bytes() + free_slots_.resident_bytes() + timers_.resident_bytes() +
           buffers_.memory_in_use() + blocks_.memory_in_use();
}

// --- slots ---

// kNoConn's index when all are in use. The kernel's descriptor is the slot's from here on.
std::uint32_t UringCarrier::take_slot(int fd, State state) {
    std::uint32_t i;
    if (free_count_ != 0) {
        i = free_slots_[--free_count_];
        if (freed_count_ != 0) free_slots_[free_count_] = free_slots_[free_count_ + freed_count_];
    } else if (fresh_slots_ < config_.max_connections) {
        i = static_cast<std::uint32_t>(fresh_slots_++);
    } else {
        return index(kNoConn);
    }
    const std::uint32_t generation = slots_[i].generation;
    Connection& c = slots_[i] = {};
    c.fd = fd;
    c.generation = (generation + 1) & kGenerationMask;
    c.state = state;
    c.timer = kNoTimer;
    c.held_first = c.held_last = kNoBuffer;
    ++used_slots_;
    dirty_.push_back(i);
    return i;
}

void UringCarrier::free_slot(std::uint32_t i) {
    slots_[i].state = State::kFree;
    free_slots_[free_count_ + freed_count_++] = i;
    --used_slots_;
}

void UringCarrier::recycle_slots() {
    free_count_ += std::exchange(freed_count_, 0);
}

// The engine has been told, or has said so itself, that the connection is over: what flush() has left to do
// is to get the kernel's operations back and to close the descriptor.
void UringCarrier::end(std::uint32_t i) {
    Connection& c = slots_[i];
    c.state = State::kOver;
    release_held(c);
    if (!c.sending) c.queue.clear(blocks_);
    cancel_timer(ConnId{i});
    ready_.remove(i);
    starved_.remove(i);
    waiting_.remove(i);
    dirty_.push_back(i);
}

void UringCarrier::release_held(Connection& c) {
    while (c.held_first != kNoBuffer) {
        const BufferId buffer = c.held_first;
        c.held_first = buffers_.next(buffer);
        buffers_.give_back(buffer);
    }
    c.held_last = kNoBuffer;
}

// --- opening ---

Expected<void> UringCarrier::listen(SocketAddress address) {
    const auto place =
        std::find_if(listeners_.begin(), listeners_.end(), [](const Listener& l) { return l.fd < 0; });
    if (place == listeners_.end())
        return fail("cannot listen on " + to_string(address) + ": " + std::to_string(kMaxListeners) +
                    " addresses are the most; leave one out");
    auto fd = open_listener(address, config_.share_port, config_.backlog, config_.patience);
    if (!fd) return tl::unexpected(fd.error());
    *place = Listener{.fd = *fd, .bound = local_address(*fd)};
    listening_on_ = place->bound;
    return {};
}

void UringCarrier::stop_listening() {
    for (Listener& listener : listeners_) {
        if (listener.fd < 0 || listener.stopping) continue;
        listener.stopping = true;
        ::shutdown(listener.fd, SHUT_RDWR);  // frees the port now, and ends the multishot accept
        if (!listener.accepting) ::close(std::exchange(listener.fd, -1));
    }
}

IpAddress UringCarrier::next_source(const IpAddress& remote) {
    if (config_.last_source.is_unspecified() || config_.last_source.is_v4() != remote.is_v4()) return {};
    source_ = source_ >= config_.last_source ? config_.first_source : source_.plus(1);
    return source_;
}

ConnId UringCarrier::connect(SocketAddress address, Time) {
    if (free_count_ == 0 && fresh_slots_ == config_.max_connections) {
        ++counters_.connect_no_slot;
        return kNoConn;
    }
    const int fd = open_client(address.ip, next_source(address.ip), config_.patience);
    if (fd < 0) {
        ++(reason_of(-fd) == CloseReason::kNoMemory ? counters_.connect_no_memory : counters_.local_errors);
        return kNoConn;
    }
    const std::uint32_t i = take_slot(fd, State::kConnecting);
    slots_[i].peer = address;
    return ConnId{i};
}

// --- ending ---

void UringCarrier::close(ConnId id) {
    Connection& c = slots_[index(id)];
    if (c.state == State::kConnecting) return abort(id);  // nothing was sent that could end in order
    if (c.state != State::kOpen || c.closing) return;
    c.closing = true;
    waiting_.remove(index(id));
    dirty_.push_back(index(id));
    resume(id);
}

void UringCarrier::abort(ConnId id) {
    Connection& c = slots_[index(id)];
    if (!live(c)) return;
    if (!reset_on_close(c.fd)) ++counters_.local_errors;
    ++counters_.aborted;
    end(index(id));
}

// --- sending ---

bool UringCarrier::may_queue(std::uint32_t i) {
    Connection& c = slots_[i];
    if (!live(c) || c.closing) return false;
    if (c.queue.unsent() < config_.send_limit) return true;
    ++counters_.send_limit;
    c.wants_writable = true;
    return false;
}

void UringCarrier::pool_refused(std::uint32_t i) {
    ++counters_.send_pool_dry;
    waiting_.push_back(i);
}

bool UringCarrier::prepare(ConnId id, std::size_t n) {
    const std::uint32_t i = index(id);
    if (!may_queue(i)) return false;
    dirty_.push_back(i);
    if (slots_[i].queue.prepare(blocks_, n)) return true;
    pool_refused(i);
    return false;
}

Shared UringCarrier::make_shared(std::span<const std::byte> copy) {
    const BlockId first = blocks_.share(copy);
    if (first != kNoBlock) return Shared(blocks_, first, static_cast<std::uint32_t>(copy.size()));
    ++counters_.send_pool_dry;
    return {};
}

bool UringCarrier::append(ConnId id, const Shared& shared) {
    const std::uint32_t i = index(id);
    if (!may_queue(i)) return false;
    dirty_.push_back(i);
    if (slots_[i].queue.append(blocks_, shared)) return true;
    pool_refused(i);
    return false;
}

// --- receiving ---

void UringCarrier::pause(ConnId id) {
    Connection& c = slots_[index(id)];
    if (!live(c)) return;
    c.paused = true;
    ready_.remove(index(id));
    starved_.remove(index(id));
    dirty_.push_back(index(id));
}

void UringCarrier::resume(ConnId id) {
    Connection& c = slots_[index(id)];
    if (!live(c) || !c.paused) return;
    c.paused = false;
    ready_.push_back(index(id));
    dirty_.push_back(index(id));
}

SocketAddress UringCarrier::local(ConnId id) const {
    return local_address(slots_[index(id)].fd);
}

// --- timers ---

void UringCarrier::set_timer(ConnId id, Time deadline) {
    Connection& c = slots_[index(id)];
    if (!live(c)) return;
    if (c.timer == kNoTimer)
        c.timer = timers_.arm(index(id), 0, deadline);  // never kNoTimer: there is one for every slot
    else
        timers_.move(c.timer, deadline);
}

void UringCarrier::cancel_timer(ConnId id) {
    Connection& c = slots_[index(id)];
    if (c.timer != kNoTimer) timers_.cancel(std::exchange(c.timer, kNoTimer));
}

}  // namespace millrace::net
