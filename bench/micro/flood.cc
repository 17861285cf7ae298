// What a SYN of a flood costs, once the half-open bound is reached, beside a data segment in order and a pure
// ACK: TCP alone, from input() to the segment that answers, ns each. All of them in bursts of 32.

#include <benchmark/benchmark.h>

#include <random>

#include "bench/micro/per_item.h"
#include "bench/micro/tcp_server.h"

namespace {

using namespace millrace;
using bench::SegmentBurst;
using bench::TcpServer;
using net::Ipv4;
using net::SocketAddress;

constexpr unsigned kBurst = SegmentBurst::kMost;
constexpr SocketAddress kClient{Ipv4{0x0a000002}, 4000};
constexpr std::size_t kMostHalfOpen = 1024;

void poll(TcpServer& server, SegmentBurst& burst) {
    server.tcp().begin_poll();
    server.look_up(burst);
    server.input(burst);
    server.flush();
}

void flooded_syn(benchmark::State& state) {
    TcpServer server({.max_connections = 4096, .max_half_open = kMostHalfOpen});
    std::mt19937 random(1);
    SegmentBurst burst;
    const auto flood = [&] {
        for (unsigned i = 0; i < kBurst; ++i) {
            burst.from[i] = {Ipv4{static_cast<std::uint32_t>(random())},
                             static_cast<std::uint16_t>(1024 + random() % 60000)};
            burst.packets[i] =
                server.segment(burst.from[i], tcp::kSyn, static_cast<std::uint32_t>(random()), 0, 0);
        }
        poll(server, burst);
    };
    while (server.tcp().half_open() < kMostHalfOpen)
        flood();
    for (auto _ : state)
        flood();
    bench::per_item(state, "segment", kBurst);
}
BENCHMARK(flooded_syn)->Name("flood/syn answered by cookie");

// `payload` bytes on one established connection, each segment following the last.
void established(benchmark::State& state) {
    TcpServer server({.max_connections = 4096});
    const auto payload = static_cast<std::uint16_t>(state.range(0));
    const std::uint32_t ack = server.open(kClient, 0).isn + 1;
    std::mt19937 random(1);
    SegmentBurst burst;
    burst.from.fill(kClient);
    std::uint32_t seq = 1;
    unsigned unused = 0;
    const std::uint64_t before = server.tcp().counters().fast_path.value();
    for (auto _ : state) {
        for (rte_mbuf*& packet : burst.packets) {
            unused += static_cast<unsigned>(random() + random() + random());  // as the flood's addresses cost
            packet = server.segment(kClient, tcp::kAck, seq, ack, payload);
            seq += payload;
        }
        poll(server, burst);
    }
    benchmark::DoNotOptimize(unused);
    if (server.tcp().counters().fast_path.value() - before !=
        kBurst * static_cast<std::uint64_t>(state.iterations()))
        state.SkipWithError("not all took the fast path");
    bench::per_item(state, "segment", kBurst);
}
BENCHMARK(established)->Name("flood/beside, established")->ArgName("payload")->Arg(0)->Arg(38)->Arg(1448);

}  // namespace
