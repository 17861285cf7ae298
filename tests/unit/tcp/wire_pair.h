#pragma once
// Two Tcp joined by a wire in virtual time that loses, duplicates, reorders and delays, from a seed. On each
// end an application sends streams whose bytes are known from their position, in all the ways there are, and
// checks what it receives byte by byte.

#include <queue>
#include <random>

#include "netstack/tcp/tcp.h"
#include "tests/sim/invariants.h"
#include "tests/unit/tcp/pools.h"
#include "tests/unit/tcp/software_nic.h"

namespace millrace::tcp::test {

struct Faults {
    double loss = 0;
    double duplication = 0;
    double reordering = 0;  // so many are held back by up to `jitter`
    Duration delay = 200us;
    Duration jitter = 2ms;
    Duration spacing{};  // between two packets one way: what a line's rate makes of a burst
};

inline std::byte stream_byte(std::uint64_t position, unsigned salt) {
    const std::uint64_t x = (position + 1) * 0x9e3779b97f4a7c15 + salt * 0xd6e8feb86659fd93;
    return static_cast<std::byte>(x >> 56);
}

class WirePair {
  public:
    // What one end does on each of its connections.
    struct Plan {
        std::uint64_t bytes = 100000;  // to send
        std::size_t most_at_once = 5000;
        bool by_reference = false;  // now and then
        bool pauses = false;        // now and then
        bool closes_first = true;   // else after the peer's FIN
    };

    WirePair(std::uint64_t seed, Faults faults, Config client, Config server, Plan client_plan,
             Plan server_plan, unsigned mbufs = 16383)
        : random_(seed), faults_(faults) {
        ends_[0].make(client, {net::Ipv4{0x0a000002}, 1}, rss_, mbufs);
        ends_[1].make(server, {net::Ipv4{0x0a000001}, 1}, rss_, mbufs);
        ends_[0].plan = client_plan;
        ends_[1].plan = server_plan;
        EXPECT_TRUE(ends_[1].tcp->listen({net::Ipv4{0x0a000001}, 80}).has_value());
    }

    ~WirePair() {
        give_back_sent();
        while (!wire_.empty()) {
            rte_pktmbuf_free(wire_.top().packet);
            wire_.pop();
        }
    }

    // Runs until both applications are done with `connections` connections and all timers have run out.
    void run(unsigned connections) {
        for (unsigned i = 0; i < connections; ++i) {
            const ConnId id = ends_[0].tcp->connect({net::Ipv4{0x0a000001}, 80}, now_);
            ASSERT_NE(id, net::kNoConn);
            ends_[0].open(id);
        }
        for (std::uint64_t steps = 0;; ++steps) {
            ASSERT_LT(steps, 20'000'000u) << "the simulation does not end";
            for (unsigned end = 0; end < 2; ++end)
                poll(end);
            Time next = kNever;
            for (End& end : ends_) {
                next = std::min(next, end.tcp->next_timer());
                if (end.busy) next = std::min(next, now_ + 100us);
            }
            if (!wire_.empty()) next = std::min(next, wire_.top().at);
            if (next == kNever) break;
            now_ = std::max(next, now_ + 1us);
        }
        give_back_sent();
        for (End& end : ends_) {
            EXPECT_EQ(end.finished, connections);
            EXPECT_EQ(end.failed, 0u);
            EXPECT_EQ(end.tcp->connections(), 0u);
            EXPECT_EQ(end.tcp->in_time_wait(), 0u);
            EXPECT_EQ(end.tcp->half_open(), 0u);
            EXPECT_EQ(end.tcp->table_size(), 0u);
            EXPECT_EQ(end.tcp->timers_armed(), 0u);
            EXPECT_EQ(end.tcp->send_queues(), 0u);
            EXPECT_EQ(end.tcp->reassemblies(), 0u);
            EXPECT_EQ(end.pools->missing(), 0u);
        }
        EXPECT_EQ(ends_[0].sent, ends_[1].received);
        EXPECT_EQ(ends_[1].sent, ends_[0].received);
        EXPECT_EQ(ends_[0].sent, connections * ends_[0].plan.bytes);
        EXPECT_EQ(ends_[1].sent, connections * ends_[1].plan.bytes);
    }

    Tcp& client() { return *ends_[0].tcp; }
    Tcp& server() { return *ends_[1].tcp; }
    Time now() const { return now_; }
    // When the last byte came to an application of either end.
    Duration transfer_time() const { return last_received_ - Time{1h}; }

  private:
    struct Application {
        bool alive = false;
        bool established = false;
        bool writable = false;
        bool peer_closed = false;
        bool closed = false;
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
    };

    struct End {
        void make(const Config& config, AddressRange address, const net::Rss& rss, unsigned mbufs) {
            pools = std::make_unique<Pools>(mbufs, mbufs);
            auto made = Tcp::create(config, pools->data(), pools->header(), {address}, rss, 0);
            ASSERT_TRUE(made.has_value());
            tcp = std::move(*made);
            inspector = std::make_unique<Inspector>(*tcp);
            apps.resize(config.max_connections);
        }
        void open(ConnId id) { apps[net::index(id)] = {.alive = true, .writable = true}; }

        std::unique_ptr<Pools> pools;
        std::unique_ptr<Tcp> tcp;
        std::unique_ptr<Inspector> inspector;
        std::vector<Application> apps;
        Plan plan;
        std::uint64_t sent = 0, received = 0;
        unsigned finished = 0, failed = 0;
        bool busy = false;
    };

    struct Flying {
        Time at;
        std::uint64_t order;
        unsigned to;
        rte_mbuf* packet;
        IpAddress source, destination;
        bool operator<(const Flying& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    double chance() { return std::uniform_real_distribution<>()(random_); }
    std::size_t below(std::size_t n) { return random_() % n; }

    void poll(unsigned which) {
        End& end = ends_[which];
        end.tcp->begin_poll();
        std::vector<Flying> later;
        while (!wire_.empty() && wire_.top().at <= now_) {
            const Flying f = wire_.top();
            wire_.pop();
            if (f.to != which) {
                later.push_back(f);
                continue;
            }
            end.tcp->input(f.packet, f.source, f.destination,
                           end.tcp->flow_hash(f.packet, f.source, f.destination), now_);
        }
        for (const Flying& f : later)
            wire_.push(f);
        end.tcp->run_timers(now_);
        for (Event& event : end.tcp->events())
            handle(end, which, event);
        end.busy = false;
        for (std::size_t i = 0; i < end.apps.size(); ++i)
            if (end.apps[i].alive) act(end, which, ConnId{static_cast<std::uint32_t>(i)}, end.apps[i]);
        bool more = true;
        while (more) {
            more = end.tcp->flush(now_);
            for (const TxSegment& s : end.tcp->segments())
                transmit(s, which);
            end.tcp->clear_segments();
        }
        ASSERT_EQ(end.inspector->check(), "");
    }

    void handle(End& end, unsigned which, Event& event) {
        Application& app = end.apps[net::index(event.conn)];
        switch (event.kind) {
            case EventKind::kAccepted:
                ASSERT_FALSE(app.alive);
                end.open(event.conn);
                app.established = true;
                break;
            case EventKind::kConnected:
                app.established = true;
                break;
            case EventKind::kReceived:
                ASSERT_TRUE(app.alive);
                for (const std::byte b : event.bytes.bytes())
                    ASSERT_EQ(b, stream_byte(app.received++, 1 - which));
                end.received += event.bytes.bytes().size();
                last_received_ = now_;
                if (end.plan.pauses && below(20) == 0) {
                    end.tcp->pause(event.conn);
                    paused_.push_back({which, event.conn});
                }
                break;
            case EventKind::kWritable:
                app.writable = true;
                break;
            case EventKind::kPeerClosed:
                app.peer_closed = true;
                break;
            case EventKind::kClosed:
                if (event.reason == CloseReason::kFinished)
                    ++end.finished;
                else
                    ++end.failed;
                app = {};
                break;
            case EventKind::kTimer:
                break;
        }
    }

    void act(End& end, unsigned which, ConnId id, Application& app) {
        if (!paused_.empty() && below(50) == 0) {
            for (auto [side, conn] : paused_)
                ends_[side].tcp->resume(conn);
            paused_.clear();
        }
        while (app.writable && app.sent < end.plan.bytes && below(3) != 0) {
            const auto size = static_cast<std::size_t>(
                std::min<std::uint64_t>(1 + below(end.plan.most_at_once), end.plan.bytes - app.sent));
            std::vector<std::byte> bytes(size);
            for (std::size_t i = 0; i < size; ++i)
                bytes[i] = stream_byte(app.sent + i, which);
            if (!send(end, id, bytes)) {
                app.writable = false;
                break;
            }
            app.sent += size;
            end.sent += size;
        }
        if (app.writable && app.sent < end.plan.bytes) end.busy = true;
        if (!paused_.empty()) end.busy = true;
        if (app.established && app.sent == end.plan.bytes && !app.closed &&
            (end.plan.closes_first || app.peer_closed)) {
            end.tcp->close(id);
            app.closed = true;
        }
    }

    bool send(End& end, ConnId id, std::span<const std::byte> bytes) {
        if (end.plan.by_reference && below(2) == 0) {
            const Shared shared = end.tcp->make_shared(bytes);
            return shared && end.tcp->append(id, shared);
        }
        if (!end.tcp->prepare(id, bytes.size())) return false;
        while (!bytes.empty()) {
            const auto room = end.tcp->room(id);
            const std::size_t part = std::min(room.size(), bytes.size());
            if (part == 0) {
                ADD_FAILURE() << "prepared bytes have no room";
                return true;
            }
            std::copy_n(bytes.data(), part, room.data());
            end.tcp->commit(id, part);
            bytes = bytes.subspan(part);
        }
        return true;
    }

    // Copies, as a NIC does, into the other end's pool. The original is given back some time later.
    void transmit(const TxSegment& s, unsigned from) {
        for (const std::string& segment : on_the_wire(s.packet, s.header_bytes))
            fly(s, segment, from);
        rte_pktmbuf_prepend(s.packet, 34);
        if (below(4) == 0) {
            port_.push_back(s.packet);
        } else {
            rte_pktmbuf_free(s.packet);
        }
        if (port_.size() > 8) give_back_sent();
    }

    void fly(const TxSegment& s, const std::string& segment, unsigned from) {
        End& other = ends_[1 - from];
        const int copies = chance() < faults_.loss ? 0 : chance() < faults_.duplication ? 2 : 1;
        for (int i = 0; i < copies; ++i) {
            rte_mbuf* copy = rte_pktmbuf_alloc(other.pools->data());
            if (copy == nullptr) break;  // the receiving port has no mbuf: lost
            std::memcpy(rte_pktmbuf_append(copy, static_cast<std::uint16_t>(segment.size())), segment.data(),
                        segment.size());
            line_free_[from] = std::max(now_, line_free_[from]) + faults_.spacing;
            Time arrival = line_free_[from] + faults_.delay;
            if (chance() < faults_.reordering)
                arrival += Duration(below(static_cast<std::size_t>(faults_.jitter.count())));
            wire_.push({arrival, order_++, 1 - from, copy, s.source, s.destination});
        }
    }

    void give_back_sent() {
        for (rte_mbuf* packet : port_)
            rte_pktmbuf_free(packet);
        port_.clear();
    }

    net::Rss rss_{1};
    std::mt19937_64 random_;
    Faults faults_;
    std::array<End, 2> ends_;
    std::priority_queue<Flying> wire_;
    std::vector<rte_mbuf*> port_;
    std::vector<std::pair<unsigned, ConnId>> paused_;
    std::uint64_t order_ = 0;
    std::array<Time, 2> line_free_{};
    Time now_{1h};
    Time last_received_{1h};
};

}  // namespace millrace::tcp::test
