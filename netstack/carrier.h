#pragma once
// The carrier concept: all that the engine asks of a side that carries bytes, be it the userspace TCP over
// DPDK (netstack/stack) or kernel sockets over io_uring (netstack/uring). One carrier belongs to one shard
// and is used by that shard's thread only.
//
// The shard's loop, the same for both:
//
//     for (;;) {
//         const Time now = clock.now();              // once a poll
//         for (auto& event : carrier.poll(now))      // receive one burst, run due timers
//             endpoint.handle(event, now);           // sessions, application; calls back into nobody
//         carrier.flush(now);                        // one transmit burst
//     }
//
// Actions come out as values: the carrier never calls the engine. A batch of events is bounded by the
// burst, and a connection's slot is not given to another before the next poll, so an event that follows
// an abort() within one batch names a connection that the engine already knows to be over.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "netstack/base/address.h"
#include "netstack/base/error.h"
#include "netstack/base/time.h"

namespace millrace::net {

// A connection is its index in the shard's slab: dense, small, reused. The engine keeps its own state in an
// array with the same index.
enum class ConnId : std::uint32_t {};

constexpr std::uint32_t index(ConnId id) {
    return static_cast<std::uint32_t>(id);
}

inline constexpr ConnId kNoConn{0xffffffff};

enum class EventKind : std::uint8_t {
    kAccepted,    // a peer's connection to a listener is established
    kConnected,   // our connect() is established
    kReceived,    // `bytes`: the next bytes of the stream, in order
    kWritable,    // the unsent bytes, which had reached the bound, have fallen below half of it
    kPeerClosed,  // the peer will send no more (FIN); we may still send
    kClosed,      // the connection is over for the reason given; its slot is free after this batch
    kTimer,       // the time given to set_timer() has come
};

enum class CloseReason : std::uint8_t {
    kNone,
    kFinished,     // both ends closed in order
    kReset,        // the peer sent a valid RST
    kRefused,      // our SYN was answered with RST
    kTimedOut,     // retransmissions unanswered (SYN or data), or persist/keep-alive exhausted
    kUnreachable,  // ICMP or the neighbour table says that the peer cannot be reached
    kNoMemory,     // a bound was reached while the connection was set up
    kLocalError,   // the carrier's own fault (e.g. a failed system call), counted
    kTlsFailed,    // TLS could not be established, or a record was not what it should be
    kTruncated,    // with kPeerClosed, under TLS: the peer's TCP ended without a word that this was all
};

constexpr std::string_view to_string(CloseReason reason) {
    switch (reason) {
        case CloseReason::kNone:
            return "none";
        case CloseReason::kFinished:
            return "finished";
        case CloseReason::kReset:
            return "reset by peer";
        case CloseReason::kRefused:
            return "refused";
        case CloseReason::kTimedOut:
            return "timed out";
        case CloseReason::kUnreachable:
            return "unreachable";
        case CloseReason::kNoMemory:
            return "out of memory";
        case CloseReason::kLocalError:
            return "local error";
        case CloseReason::kTlsFailed:
            return "TLS failed";
        case CloseReason::kTruncated:
            return "cut off";
    }
    return "unknown";
}

// Received bytes and the right to keep them: mutable (frames are unmasked in place), move-only, given back to
// the carrier's pool by the destructor.
template <class B>
concept ReceivedBytes =
    std::movable<B> && !std::copyable<B> && std::default_initializable<B> && requires(const B bytes) {
    { bytes.bytes() } -> std::same_as<std::span<std::byte>>;
};

template <class Bytes>
struct Event {
    ConnId conn = kNoConn;
    EventKind kind{};
    CloseReason reason{};
    Bytes bytes{};
};

template <class C>
concept Carrier = ReceivedBytes<typename C::Bytes> && std::copyable<typename C::Shared> &&
    requires(C carrier, const C view, ConnId id, Time now, std::size_t n, std::span<const std::byte> copy,
             const typename C::Shared& shared, SocketAddress address) {
    // --- the loop ---
    { carrier.poll(now) } -> std::same_as<std::span<Event<typename C::Bytes>>>;
    carrier.flush(now);

    // --- opening ---
    // Listens on `address`; kAccepted events follow.
    { carrier.listen(address) } -> std::same_as<Expected<void>>;
    carrier.stop_listening();
    // Starts a connection to `address`: kConnected or kClosed follows. kNoConn when a bound was reached
    // (no slot, no port), which is counted.
    { carrier.connect(address, now) } -> std::same_as<ConnId>;

    // --- ending ---
    // Sends what is queued, then FIN. Received bytes are still delivered until kClosed. No more may be
    // appended.
    carrier.close(id);
    // Ends at once, with RST where the protocol calls for one. No event follows; the slot is free after
    // this batch.
    carrier.abort(id);

    // --- sending: all or nothing, then written in place ---
    // Makes room for `n` more bytes. False when unsent bytes have reached the bound or the pool is dry:
    // then nothing has changed, and kWritable tells when to try again. True: room() and commit() cannot
    // fail for `n` bytes.
    { carrier.prepare(id, n) } -> std::same_as<bool>;
    // The next contiguous place to write, of at least one byte while prepared bytes remain.
    { carrier.room(id) } -> std::same_as<std::span<std::byte>>;
    // The first `n` bytes of room() are written; they leave with the next flush().
    carrier.commit(id, n);
    // Bytes built once and sent to many by reference. make_shared() gives an empty Shared when the pool
    // is dry; append() is all or nothing, as prepare() is.
    { carrier.make_shared(copy) } -> std::same_as<typename C::Shared>;
    { carrier.append(id, shared) } -> std::same_as<bool>;
    // Calls visitor(std::span<const std::byte>) for each part of a Shared, in order.
    view.visit_shared(shared, [](std::span<const std::byte>) {});
    // Bytes appended and not yet taken by the peer's TCP (DPDK: unacknowledged) or by the kernel (io_uring).
    { view.unsent(id) } -> std::same_as<std::size_t>;

    // --- receiving ---
    // A paused connection delivers nothing; its window closes, so the peer slows down.
    carrier.pause(id);
    carrier.resume(id);

    // --- the rest ---
    // One timer a connection; a later call replaces an earlier one. kTimer comes at or after `now`.
    carrier.set_timer(id, now);
    carrier.cancel_timer(id);
    // Of whatever connection this batch names, be it over by now.
    { view.peer(id) } -> std::same_as<SocketAddress>;
    // Our end of an established connection: the listener's address, or where the listener took any, which.
    { view.local(id) } -> std::same_as<SocketAddress>;
    { view.connections() } -> std::same_as<std::size_t>;      // in use, half-open ones included
    { view.max_connections() } -> std::same_as<std::size_t>;  // every ConnId's index is below this
    // Takes the memory now that so many idle connections will need, idle_bytes() each, which it takes
    // otherwise as they come. For set-up.
    carrier.populate(std::size_t{});
    { C::idle_bytes() } -> std::same_as<std::size_t>;
    // True while the send pool is below its low-water mark: the engine then takes in no new work.
    { view.under_pressure() } -> std::same_as<bool>;
    // Bytes that this shard's connections, tables and pools hold now. Not for the hot path.
    { view.memory_in_use() } -> std::same_as<std::size_t>;
    // Calls visitor(std::string_view name, std::uint64_t value) for each counter; safe from any thread.
    view.visit_counters([](std::string_view, std::uint64_t) {});
};

}  // namespace millrace::net
