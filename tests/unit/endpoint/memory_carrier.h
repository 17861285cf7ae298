#pragma once
// A carrier in memory for tests of the engine: two of them joined, bytes handed over at flush() and cut into
// pieces of a chosen size, time given by the test. Simple on purpose: it is not measured.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "netstack/carrier.h"

namespace millrace::test {

class MemoryBytes {
  public:
    MemoryBytes() = default;
    MemoryBytes(std::vector<std::byte> bytes, std::shared_ptr<int> lender)
        : bytes_(std::make_unique<std::vector<std::byte>>(std::move(bytes))), lender_(std::move(lender)) {}
    std::span<std::byte> bytes() const {
        return bytes_ ? std::span<std::byte>(*bytes_) : std::span<std::byte>{};
    }

  private:
    std::unique_ptr<std::vector<std::byte>> bytes_;
    std::shared_ptr<int> lender_;
};

class MemoryCarrier {
  public:
    using Bytes = MemoryBytes;
    using Shared = std::shared_ptr<std::vector<std::byte>>;
    using Event = net::Event<Bytes>;

    std::size_t piece = 1448;           // received bytes come in pieces of at most this size
    std::size_t send_limit = 1u << 20;  // prepare() refuses beyond it
    bool pool_dry = false;              // prepare() and make_shared() refuse
    bool pressed = false;               // under_pressure()
    bool peer_reads = true;             // false: what is flushed stays unsent
    Duration handshake_time{};          // that TLS would have taken

    explicit MemoryCarrier(std::size_t capacity = 1024) : connections_(capacity) {}
    static void join(MemoryCarrier& a, MemoryCarrier& b) { a.other_ = &b, b.other_ = &a; }

    // Bytes on their way to `id`, for who wants to change them.
    std::vector<std::byte>& arriving_at(net::ConnId id) { return connections_[net::index(id)].in; }
    // Received buffers that were not given back yet; those of the last poll among them.
    long lent() const { return lender_.use_count() - 1; }

    std::span<Event> poll(Time now) {
        for (const auto id : freed_)
            connections_[net::index(id)] = Connection{};
        freed_.clear();
        events_.clear();
        std::swap(arriving_, events_);
        for (std::uint32_t i = 0; i < connections_.size(); ++i) {
            Connection& conn = connections_[i];
            if (!conn.used) continue;
            if (conn.timer && *conn.timer <= now) {
                conn.timer.reset();
                events_.push_back({net::ConnId{i}, net::EventKind::kTimer, {}, {}});
            }
            deliver(net::ConnId{i}, conn);
        }
        return events_;
    }

    void flush(Time) {
        for (std::uint32_t i = 0; i < connections_.size(); ++i) {
            Connection& conn = connections_[i];
            if (!conn.used || !conn.peer || !peer_reads) continue;
            Connection& peer = other_->connections_[net::index(*conn.peer)];
            peer.in.insert(peer.in.end(), conn.out.begin(), conn.out.end());
            conn.out.clear();
            if (conn.closing && !conn.fin_sent) {
                conn.fin_sent = true;
                peer.fin_received = true;
            }
        }
    }

    Expected<void> listen(net::SocketAddress) {
        listening_ = true;
        return {};
    }
    void stop_listening() { listening_ = false; }

    net::ConnId connect(net::SocketAddress address, Time) {
        const auto mine = take();
        if (!mine) return net::kNoConn;
        const auto theirs = other_->listening_ ? other_->take() : std::nullopt;
        if (!theirs) {
            arriving_.push_back({*mine, net::EventKind::kClosed, net::CloseReason::kRefused, {}});
            freed_later(*mine);
            return *mine;
        }
        connections_[net::index(*mine)].peer = *theirs;
        connections_[net::index(*mine)].address = address;
        other_->connections_[net::index(*theirs)].peer = *mine;
        other_->connections_[net::index(*theirs)].address = address;
        arriving_.push_back({*mine, net::EventKind::kConnected, {}, {}});
        other_->arriving_.push_back({*theirs, net::EventKind::kAccepted, {}, {}});
        return *mine;
    }

    void close(net::ConnId id) { connections_[net::index(id)].closing = true; }
    void abort(net::ConnId id) {
        Connection& conn = connections_[net::index(id)];
        ++aborts;
        if (conn.peer) {
            Connection& peer = other_->connections_[net::index(*conn.peer)];
            if (peer.used && peer.peer == id) {
                other_->arriving_.push_back(
                    {*conn.peer, net::EventKind::kClosed, net::CloseReason::kReset, {}});
                other_->freed_later(*conn.peer);
            }
        }
        freed_later(id);
    }

    bool prepare(net::ConnId id, std::size_t n) {
        if (pool_dry || unsent(id) >= send_limit) return false;
        connections_[net::index(id)].prepared = n;
        return true;
    }
    // Deliberately small places, so that writers must cope with any cut.
    std::span<std::byte> room(net::ConnId id) {
        return std::span(room_).first(std::min(connections_[net::index(id)].prepared, room_.size()));
    }
    void commit(net::ConnId id, std::size_t n) {
        Connection& conn = connections_[net::index(id)];
        conn.out.insert(conn.out.end(), room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(n));
        conn.prepared -= n;
    }
    Shared make_shared(std::span<const std::byte> bytes) {
        return pool_dry ? nullptr : std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
    }
    bool append(net::ConnId id, const Shared& shared) {
        if (pool_dry || unsent(id) >= send_limit) return false;
        Connection& conn = connections_[net::index(id)];
        conn.out.insert(conn.out.end(), shared->begin(), shared->end());
        return true;
    }
    // As if the peer had read the first `n` unsent bytes.
    void take(net::ConnId id, std::size_t n) {
        auto& out = connections_[net::index(id)].out;
        out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(std::min(n, out.size())));
    }
    template <class Visitor>
    void visit_shared(const Shared& shared, Visitor&& visitor) const {
        if (shared) visitor(std::span<const std::byte>(*shared));
    }
    std::size_t unsent(net::ConnId id) const { return connections_[net::index(id)].out.size(); }

    void pause(net::ConnId id) { connections_[net::index(id)].paused = true; }
    void resume(net::ConnId id) { connections_[net::index(id)].paused = false; }
    bool paused(net::ConnId id) const { return connections_[net::index(id)].paused; }

    void set_timer(net::ConnId id, Time when) { connections_[net::index(id)].timer = when; }
    void cancel_timer(net::ConnId id) { connections_[net::index(id)].timer.reset(); }
    bool has_timer(net::ConnId id) const { return connections_[net::index(id)].timer.has_value(); }
    Duration handshake_took(net::ConnId) const { return handshake_time; }
    net::SocketAddress peer(net::ConnId id) const { return connections_[net::index(id)].address; }
    net::SocketAddress local(net::ConnId id) const { return connections_[net::index(id)].address; }
    std::size_t connections() const {
        return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(),
                                                      [](const auto& conn) { return conn.used; }));
    }
    std::size_t max_connections() const { return connections_.size(); }
    static constexpr std::size_t idle_bytes() { return 0; }
    void populate(std::size_t) {}
    bool under_pressure() const { return pressed; }
    std::size_t memory_in_use() const { return 0; }
    template <class Visitor>
    void visit_counters(Visitor&&) const {}

    int aborts = 0;

  private:
    struct Connection {
        bool used = false, paused = false, closing = false;
        bool fin_sent = false, fin_received = false, fin_told = false;
        std::optional<net::ConnId> peer;
        std::optional<Time> timer;
        std::vector<std::byte> in, out;
        std::size_t prepared = 0;
        net::SocketAddress address;
    };

    std::optional<net::ConnId> take() {
        for (std::uint32_t i = 0; i < connections_.size(); ++i) {
            if (connections_[i].used) continue;
            connections_[i].used = true;
            return net::ConnId{i};
        }
        return std::nullopt;
    }
    void freed_later(net::ConnId id) {
        connections_[net::index(id)].timer.reset();
        connections_[net::index(id)].peer.reset();
        connections_[net::index(id)].in.clear();
        freed_.push_back(id);
    }
    void deliver(net::ConnId id, Connection& conn) {
        if (conn.paused) return;
        const std::span<const std::byte> in(conn.in);
        for (std::size_t at = 0; at < in.size(); at += piece) {
            const auto next = in.subspan(at, std::min(piece, in.size() - at));
            events_.push_back(
                {id, net::EventKind::kReceived, {}, MemoryBytes({next.begin(), next.end()}, lender_)});
        }
        conn.in.clear();
        if (conn.fin_received && !conn.fin_told) {
            conn.fin_told = true;
            events_.push_back({id, net::EventKind::kPeerClosed, {}, {}});
        }
        if (conn.fin_told && conn.fin_sent) {
            events_.push_back({id, net::EventKind::kClosed, net::CloseReason::kFinished, {}});
            freed_later(id);
        }
    }

    MemoryCarrier* other_ = nullptr;
    bool listening_ = false;
    std::shared_ptr<int> lender_ = std::make_shared<int>();
    std::vector<Connection> connections_;
    std::vector<Event> events_, arriving_;
    std::vector<net::ConnId> freed_;
    std::array<std::byte, 37> room_{};
};

static_assert(net::Carrier<MemoryCarrier>);

}  // namespace millrace::test
