// A segment's way into TCP, ns each, in bursts of 32 from as many connections: a pure ACK of 32 bytes, text
// in order, text beyond a gap, and the text that fills the gap and brings what was held together. Connections
// have their turns in random order: of 32 all is in the cache, of 100,000 nothing but what the burst's
// prefetching brings, and the header, which the layers below have read before.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "bench/micro/stopwatch.h"
#include "bench/micro/tcp_server.h"

namespace {

using namespace millrace;
using namespace millrace::tcp;
using bench::SegmentBurst;
using bench::TcpServer;

constexpr unsigned kBurst = SegmentBurst::kMost;
constexpr std::uint16_t kMss = TcpServer::kMss;

// A server and its peers, which are what their next segments bear.
class Peers {
  public:
    using Turn = std::array<std::uint32_t, kBurst>;

    explicit Peers(std::size_t connections)
        : server_({.max_connections = connections + 64}), peers_(connections), order_(connections) {
        std::iota(order_.begin(), order_.end(), 0u);
        for (std::uint32_t i = 0; i < connections; ++i) {
            const auto [isn, conn] = server_.open(address(i), kFirst - 1);
            peers_[i] = {.ack = isn + 1, .conn = conn};
            if (i % 64 == 0) server_.now += 1ms;
        }
        std::shuffle(order_.begin(), order_.end(), std::mt19937(1));
    }

    Tcp& tcp() { return server_.tcp(); }
    const Counters& counters() { return server_.tcp().counters(); }
    bool all_open() { return tcp().connections() == order_.size(); }

    // Those whose turn it is; a new poll begins.
    Turn turn() {
        Turn turn;
        for (std::uint32_t& peer : turn)
            peer = order_[next_++ % order_.size()];
        server_.now += 10us;
        tcp().begin_poll();
        return turn;
    }
    // The server says so much to each. False when it could not.
    bool answer(const Turn& turn, std::uint16_t bytes) {
        for (const std::uint32_t peer : turn) {
            const ConnId conn = peers_[peer].conn;
            if (!tcp().prepare(conn, bytes)) return false;
            std::memset(tcp().room(conn).data(), 0, bytes);
            tcp().commit(conn, bytes);
            peers_[peer].ack += bytes;
        }
        server_.flush();
        server_.now += 10us;
        return true;
    }
    // Of each a segment with `bytes` of text that begins `beyond` bytes after what was said.
    SegmentBurst say(const Turn& turn, std::uint32_t beyond, std::uint16_t bytes) {
        SegmentBurst burst;
        for (unsigned i = 0; i < kBurst; ++i) {
            const Peer& peer = peers_[turn[i]];
            burst.from[i] = address(turn[i]);
            burst.packets[i] = server_.segment(burst.from[i], kAck, peer.seq + beyond, peer.ack, bytes);
        }
        return burst;
    }
    void said(const Turn& turn, std::uint32_t bytes) {
        for (const std::uint32_t peer : turn)
            peers_[peer].seq += bytes;
    }
    void arrive(SegmentBurst& burst, bench::Stopwatch& watch, std::size_t lookup, std::size_t input) {
        watch.start();
        server_.look_up(burst);
        watch.lap(lookup);
        server_.input(burst);
        watch.lap(input);
    }
    void flush() { server_.flush(); }

  private:
    static constexpr std::uint32_t kFirst = 1000;
    struct Peer {
        std::uint32_t seq = kFirst;
        std::uint32_t ack = 0;
        ConnId conn = net::kNoConn;
    };

    static SocketAddress address(std::uint32_t peer) {
        return {Ipv4{0x0b000000 + peer / 50'000}, static_cast<std::uint16_t>(1024 + peer % 50'000)};
    }

    TcpServer server_;
    std::vector<Peer> peers_;
    std::vector<std::uint32_t> order_;
    std::size_t next_ = 0;
};

std::uint64_t segments(const benchmark::State& state) {
    return kBurst * static_cast<std::uint64_t>(state.iterations());
}

void pure_ack(benchmark::State& state) {
    Peers peers(static_cast<std::size_t>(state.range(0)));
    if (!peers.all_open()) return state.SkipWithError("connections do not open");
    bench::Stopwatch watch({"1 lookup", "2 input"}, kBurst);
    const std::uint64_t before = peers.counters().fast_path.value();
    bool answered = true;
    for (auto _ : state) {
        const Peers::Turn turn = peers.turn();
        answered = answered && peers.answer(turn, 32);
        SegmentBurst acks = peers.say(turn, 0, 0);
        peers.arrive(acks, watch, 0, 1);
        peers.flush();
    }
    if (!answered || peers.tcp().send_queues() != 0 ||
        peers.counters().fast_path.value() - before != segments(state))
        state.SkipWithError("not all were acknowledgments of something");
    watch.report(state);
}

void in_order(benchmark::State& state) {
    Peers peers(static_cast<std::size_t>(state.range(0)));
    if (!peers.all_open()) return state.SkipWithError("connections do not open");
    bench::Stopwatch watch({"1 lookup", "2 input"}, kBurst);
    const std::uint64_t before = peers.counters().fast_path.value();
    for (auto _ : state) {
        const Peers::Turn turn = peers.turn();
        SegmentBurst text = peers.say(turn, 0, kMss);
        peers.said(turn, kMss);
        peers.arrive(text, watch, 0, 1);
        peers.flush();
    }
    if (peers.counters().fast_path.value() - before != segments(state))
        state.SkipWithError("not all were the next in order");
    watch.report(state);
}

void out_of_order(benchmark::State& state) {
    Peers peers(static_cast<std::size_t>(state.range(0)));
    if (!peers.all_open()) return state.SkipWithError("connections do not open");
    bench::Stopwatch watch({"1 lookup", "2 beyond a gap", "3 lookup again", "4 fills the gap"}, kBurst);
    const std::uint64_t before = peers.counters().out_of_order.value();
    bool held = true;
    for (auto _ : state) {
        const Peers::Turn turn = peers.turn();
        SegmentBurst beyond = peers.say(turn, kMss, kMss);
        SegmentBurst filling = peers.say(turn, 0, kMss);
        peers.said(turn, 2 * kMss);
        peers.arrive(beyond, watch, 0, 1);
        held = held && peers.tcp().reassemblies() == kBurst;
        peers.arrive(filling, watch, 2, 3);
        held = held && peers.tcp().reassemblies() == 0;
        peers.flush();
    }
    if (!held || peers.counters().out_of_order.value() - before != segments(state))
        state.SkipWithError("not all were beyond a gap, and then filled it");
    watch.report(state);
}

BENCHMARK(pure_ack)->Name("tcp/pure_ack")->Arg(kBurst)->Arg(100'000);
BENCHMARK(in_order)->Name("tcp/in_order")->Arg(kBurst)->Arg(100'000);
BENCHMARK(out_of_order)->Name("tcp/out_of_order")->Arg(kBurst)->Arg(100'000);

}  // namespace
