#pragma once
// The carrier over the kernel's TCP, by io_uring: the same concept as the userspace stack's, for machines and
// networks where the kernel keeps the NIC, and as the honest comparison. One carrier, one ring, one thread.
//
// The way in: ring (one burst of completions) -> buffer_ring (bytes in place) -> event.
// The way out: prepare/append (send_queue, of send_blocks) -> flush (one submission a connection) -> ring.
//
// poll() only reads completions and flush() only writes submissions, so a turn of the shard's loop costs one
// system call under load: what flush() submits and what has completed meanwhile cross the border together.
// A slot states what its connection wants (connection.h), flush() asks the kernel for what is missing, and
// what finds no room in the submission queue is asked for in the next flush.
//
// Kept out after thought: zero-copy send (the kernel copies it on loopback anyway, and completes twice, which
// costs more than copying the 16 KiB that a block holds), and registered descriptors (before Linux 6.7 they
// can neither be reset nor asked for their peer).

#include <array>
#include <memory>
#include <vector>

#include "netstack/base/reserved_array.h"
#include "netstack/base/slot_list.h"
#include "netstack/carrier.h"
#include "netstack/timer/wheel.h"
#include "netstack/uring/buffer_ring.h"
#include "netstack/uring/connection.h"
#include "netstack/uring/counters.h"
#include "netstack/uring/listener.h"
#include "netstack/uring/operation.h"
#include "netstack/uring/ring.h"
#include "netstack/uring/send_blocks.h"
#include "netstack/uring/send_scratch.h"
#include "netstack/uring/socket.h"

namespace millrace::net {

struct UringConfig {
    std::size_t max_connections = 65536;
    // Unsent bytes a connection, from which on prepare() and append() refuse: the last message may go beyond.
    std::uint32_t send_limit = 1u << 20;
    uring::BlockCounts send_blocks = {.small = 32768, .large = 4096, .references = 262144};
    unsigned submissions = 1024;      // between two enters of the kernel
    unsigned events = 256;            // a poll, at most
    unsigned ring_buffers = 512;      // receive buffers in the kernel's hands; a power of two
    unsigned receive_buffers = 8192;  // all of them; memory is taken as they are used
    unsigned buffer_size = 8192;      // bytes
    Duration connect_timeout = 10s;
    uring::Patience patience;
    int backlog = 4096;       // of a listener; the sysctl net.core.somaxconn bounds it
    bool share_port = false;  // SO_REUSEPORT: every shard listens on the port, the kernel spreads connections
    // Addresses that connect() to their family binds to in turn: each has all ports. Unspecified: the kernel
    // chooses.
    IpAddress first_source{};
    IpAddress last_source{};
};

class UringCarrier {
  public:
    using Bytes = uring::Bytes;
    using Shared = uring::Shared;
    using Event = net::Event<Bytes>;

    static Expected<std::unique_ptr<UringCarrier>> create(const UringConfig& config);
    // Ends every connection. Bytes and Shared must be gone.
    ~UringCarrier();

    // --- the loop ---
    // The events are valid until the next poll, Bytes that were not moved out of them too. With an idle wait
    // set, a poll that finds nothing sleeps; it then returns nothing, so that what woke it is handled at a
    // fresh `now`.
    std::span<Event> poll(Time now);
    void flush(Time now);
    // How long poll() may sleep when there is nothing to do; zero (the default) never. Timers wake it in
    // time.
    void set_idle_wait(Duration bound) { idle_wait_ = bound; }
    // Ends the sleep, or keeps the next one from starting. From any thread, and from a signal handler.
    void wake() const;

    // --- opening ---
    // Up to kMaxListeners addresses. With port 0 the kernel chooses one: see listening_on().
    Expected<void> listen(SocketAddress address);
    void stop_listening();
    // The address of the latest listen(), with its real port.
    SocketAddress listening_on() const { return listening_on_; }
    ConnId connect(SocketAddress address, Time now);

    // --- ending ---
    // close() resumes a paused connection: it could not see its end otherwise.
    void close(ConnId id);
    void abort(ConnId id);

    // --- sending ---
    // Prepared room lasts until the next flush().
    bool prepare(ConnId id, std::size_t n);
    std::span<std::byte> room(ConnId id) { return slots_[index(id)].queue.room(blocks_); }
    void commit(ConnId id, std::size_t n) { slots_[index(id)].queue.commit(blocks_, n); }
    Shared make_shared(std::span<const std::byte> copy);
    bool append(ConnId id, const Shared& shared);
    template <class Visitor>
    void visit_shared(const Shared& shared, Visitor&& visitor) const {
        shared.visit(visitor);
    }
    std::size_t unsent(ConnId id) const { return slots_[index(id)].queue.unsent(); }

    // --- receiving ---
    // A paused connection does not notice its peer's FIN or RST before it is resumed.
    void pause(ConnId id);
    void resume(ConnId id);

    // --- the rest ---
    void set_timer(ConnId id, Time deadline);
    void cancel_timer(ConnId id);
    SocketAddress peer(ConnId id) const { return slots_[index(id)].peer; }
    SocketAddress local(ConnId id) const;  // a system call
    std::size_t connections() const { return used_slots_; }
    std::size_t max_connections() const { return config_.max_connections; }
    static constexpr std::size_t idle_bytes() { return sizeof(uring::Connection); }
    void populate(std::size_t connections) { slots_.populate(connections); }
    bool under_pressure() const { return blocks_.under_pressure(); }
    // Not the kernel's own memory for the sockets: that is 3 to 4 KiB a connection more.
    std::size_t memory_in_use() const;
    template <class Visitor>
    void visit_counters(Visitor&& visitor) const {
        for (const uring::CounterName& name : uring::kCounterNames)
            visitor(name.name, (counters_.*name.counter).value());
    }
    template <class Visitor>
    void visit_own_counters(Visitor&& visitor) const {
        visit_counters(visitor);
    }

    static constexpr std::size_t kMaxListeners = 16;

  private:
    using Connection = uring::Connection;
    template <Link Connection::*Member>
    using List = SlotList<Connection, Member>;

    explicit UringCarrier(const UringConfig& config);
    Expected<void> open();

    // uring_carrier.cc: slots and ends
    std::uint32_t take_slot(int fd, uring::State state);
    void free_slot(std::uint32_t i);
    void recycle_slots();
    IpAddress next_source(const IpAddress& remote);
    bool live(const Connection& c) const {
        return c.state == uring::State::kConnecting || c.state == uring::State::kOpen;
    }
    void end(std::uint32_t i);
    void release_held(Connection& c);
    bool may_queue(std::uint32_t i);
    void pool_refused(std::uint32_t i);

    // completions.cc: what poll() does
    std::size_t event_room() const { return config_.events - count_; }
    void emit(std::uint32_t i, EventKind kind, CloseReason reason = CloseReason::kNone, Bytes bytes = {});
    void clear_events();
    void tell_held();
    void tell_room();
    void tell_timers(Time now);
    bool may_sleep() const;
    Duration sleep_bound(Time now) const;
    void reap(Time now);
    void complete(const io_uring_cqe& cqe, Time now);
    void on_accept(std::uint32_t place, const io_uring_cqe& cqe, Time now);
    void on_connect(std::uint32_t i, int result);
    void on_receive(std::uint32_t i, const io_uring_cqe& cqe);
    void on_bytes(std::uint32_t i, uring::BufferId buffer);
    void on_receive_end(std::uint32_t i, int result);
    void on_send(std::uint32_t i, int result);
    void refuse(int fd);
    void lose(std::uint32_t i, CloseReason reason);
    void conclude(std::uint32_t i);

    // submissions.cc: what flush() does
    bool submit_more(unsigned n);
    void request(std::uint32_t i);
    void request_of_open(std::uint32_t i);
    void request_connect(std::uint32_t i);
    void request_receive(std::uint32_t i);
    void request_send(std::uint32_t i);
    void request_end(std::uint32_t i);
    void request_accepts(Time now);
    void request_wake();
    void feed_starved();
    io_uring_sqe& submission(uring::Operation operation, std::uint32_t i);

    UringConfig config_;
    uring::Ring ring_;  // first of all to come and last to go: the rest is lent to it
    uring::BufferRing buffers_;
    uring::SendBlocks blocks_;
    uring::SendScratch scratch_;
    Wheel timers_;

    ReservedArray<Connection> slots_;
    // Free slots, then those that become free with the next poll.
    ReservedArray<std::uint32_t> free_slots_;
    std::size_t free_count_ = 0;
    std::size_t freed_count_ = 0;
    std::size_t fresh_slots_ = 0;  // slots from here on have never been used
    std::size_t used_slots_ = 0;

    List<&Connection::dirty> dirty_{slots_};
    List<&Connection::ready> ready_{slots_};
    List<&Connection::starved> starved_{slots_};
    List<&Connection::waiting> waiting_{slots_};

    std::vector<Event> events_;
    std::size_t count_ = 0;

    std::array<uring::Listener, kMaxListeners> listeners_;
    SocketAddress listening_on_;
    IpAddress source_;  // the latest that next_source() gave
    __kernel_timespec connect_timeout_{};

    Duration idle_wait_{};
    int wake_fd_ = -1;
    std::uint64_t wake_value_ = 0;  // where the ring reads the eventfd
    bool wake_armed_ = false;
    uring::Counters counters_;
};

static_assert(Carrier<UringCarrier>);

}  // namespace millrace::net
