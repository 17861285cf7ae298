#pragma once
// Two carriers that can reach one another, as the conformance suite drives them: through the concept alone. A
// pair says how its carriers are made, where the server is reached, and how time passes for it.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/base/time.h"
#include "netstack/carrier.h"

namespace millrace::net::test {

struct PairLimits {
    std::size_t server_connections = 64;
    std::size_t client_connections = 64;
    std::uint32_t send_limit = 256 * 1024;  // bytes, of either
};

template <class P>
concept CarrierPair = Carrier<typename P::Carrier> && requires(P pair, const PairLimits limits) {
    P(limits);
    { pair.server() } -> std::same_as<typename P::Carrier&>;
    { pair.client() } -> std::same_as<typename P::Carrier&>;
    // The server listens; where the client finds it.
    { pair.listen() } -> std::same_as<SocketAddress>;
    // Of the server's machine, and nobody listens there.
    { pair.closed_port() } -> std::same_as<SocketAddress>;
    // The time for the next turn of both loops: at least a little later than the last.
    { pair.next_time() } -> std::same_as<Time>;
};

// What the events have said of one connection.
struct Seen {
    ConnId id = kNoConn;
    bool open = false;
    bool peer_closed = false;
    std::optional<CloseReason> closed;
    int writable = 0;
    std::vector<Time> timers;
    std::vector<std::byte> received;
};

// One end: a carrier, its loop, and what has been seen. A slot that is used again begins a new Seen.
template <class C>
class End {
  public:
    explicit End(C& its_carrier) : carrier(its_carrier) {}

    // One turn of the loop; true when something happened.
    bool turn(Time now) {
        const auto events = carrier.poll(now);
        for (auto& event : events)
            take(event, now);
        carrier.flush(now);
        return !events.empty();
    }

    ConnId connect(SocketAddress address, Time now) {
        const ConnId id = carrier.connect(address, now);
        if (id != kNoConn) begin(id);
        return id;
    }

    Seen& operator[](ConnId id) { return all[current.at(index(id))]; }

    // Bytes are moved here instead of being given back, while set.
    std::vector<typename C::Bytes>* keep = nullptr;

    C& carrier;
    std::vector<ConnId> accepted;
    std::vector<Seen> all;
    std::map<std::uint32_t, std::size_t> current;  // by index of ConnId: place in `all`
    std::size_t strays = 0;                        // events of connections that are over: there must be none

  private:
    void begin(ConnId id) {
        current[index(id)] = all.size();
        all.push_back({.id = id});
    }

    void take(Event<typename C::Bytes>& event, Time now) {
        if (event.kind == EventKind::kAccepted) {
            begin(event.conn);
            accepted.push_back(event.conn);
        }
        if (!current.count(index(event.conn)) || (*this)[event.conn].closed) {
            ++strays;
            return;
        }
        Seen& seen = (*this)[event.conn];
        switch (event.kind) {
            case EventKind::kAccepted:
            case EventKind::kConnected:
                seen.open = true;
                break;
            case EventKind::kReceived: {
                const auto bytes = event.bytes.bytes();
                seen.received.insert(seen.received.end(), bytes.begin(), bytes.end());
                if (keep) keep->push_back(std::move(event.bytes));
                break;
            }
            case EventKind::kWritable:
                ++seen.writable;
                break;
            case EventKind::kPeerClosed:
                seen.peer_closed = true;
                break;
            case EventKind::kClosed:
                seen.closed = event.reason;
                break;
            case EventKind::kTimer:
                seen.timers.push_back(now);
                break;
        }
    }
};

// The byte at `offset` of a stream: any that is lost, doubled or swapped shows.
inline std::byte stream_byte(std::uint64_t seed, std::uint64_t offset) {
    const std::uint64_t x = (offset + seed * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
    return static_cast<std::byte>(x >> 56);
}

inline std::vector<std::byte> stream_bytes(std::uint64_t seed, std::uint64_t offset, std::size_t n) {
    std::vector<std::byte> out(n);
    for (std::size_t i = 0; i < n; ++i)
        out[i] = stream_byte(seed, offset + i);
    return out;
}

// The first `n` bytes of the stream, and nothing else?
inline bool is_stream(std::uint64_t seed, std::span<const std::byte> bytes, std::size_t n) {
    if (bytes.size() != n) return false;
    for (std::size_t i = 0; i < n; ++i)
        if (bytes[i] != stream_byte(seed, i)) return false;
    return true;
}

// All or nothing, as prepare() has it; through room() and commit() in whatever pieces the carrier gives.
template <class C>
bool write(C& carrier, ConnId id, std::span<const std::byte> bytes) {
    if (!carrier.prepare(id, bytes.size())) return false;
    while (!bytes.empty()) {
        const auto room = carrier.room(id);
        const std::size_t n = std::min(room.size(), bytes.size());
        if (n == 0) return false;
        std::copy_n(bytes.begin(), n, room.begin());
        carrier.commit(id, n);
        bytes = bytes.subspan(n);
    }
    return true;
}

// Sends a stream as fast as the carrier takes it: after a refusal it waits for kWritable.
template <class C>
struct Source {
    std::uint64_t seed;
    std::uint64_t total;
    std::uint64_t sent = 0;
    bool refused = false;
    int writable_then = 0;  // kWritable events when it was refused

    void pump(End<C>& end, ConnId id) {
        if (refused && end[id].writable == writable_then) return;
        refused = false;
        while (sent < total) {
            const std::size_t n = std::min<std::uint64_t>(total - sent, 1 + (sent * 7919) % 40000);
            if (!write(end.carrier, id, stream_bytes(seed, sent, n))) {
                refused = true;
                writable_then = end[id].writable;
                return;
            }
            sent += n;
        }
    }
};

}  // namespace millrace::net::test
