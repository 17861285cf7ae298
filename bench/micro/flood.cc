// What a SYN of a flood costs, once the half-open bound is reached, beside a data segment in order and a pure
// ACK: TCP alone, from input() to the segment that answers, ns each. All of them in bursts of 32.

#include <benchmark/benchmark.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>

#include "bench/micro/per_item.h"
#include "netstack/port/pools.h"
#include "netstack/tcp/tcp.h"

namespace {

using namespace millrace;
using net::Ipv4;
using net::SocketAddress;

constexpr unsigned kBurst = 32;
constexpr SocketAddress kServer{Ipv4{0x0a000001}, 80};
constexpr SocketAddress kClient{Ipv4{0x0a000002}, 4000};

struct Server {
    net::Pool data =
        *net::Pool::create({.purpose = "flood-data", .mbufs = 4096, .private_bytes = tcp::kTxPrivateBytes});
    net::Pool headers = *net::Pool::create({.purpose = "flood-head",
                                            .mbufs = 4096,
                                            .data_room = tcp::Tcp::kHeaderPoolRoom,
                                            .private_bytes = tcp::kTxPrivateBytes});
    net::Rss rss{1};
    std::unique_ptr<tcp::Tcp> tcp = *tcp::Tcp::create({.max_connections = 4096, .max_half_open = 1024},
                                                      data.get(), headers.get(), {{kServer.ip, 1}}, rss, 0);
    Time now{1h};
    std::uint32_t isn = 0;  // ours, of the last SYN-ACK

    Server() { (void)tcp->listen(kServer); }

    rte_mbuf* segment(SocketAddress from, std::uint8_t flags, std::uint32_t seq, std::uint32_t ack,
                      std::uint16_t payload) {
        rte_mbuf* packet = rte_pktmbuf_alloc(data.get());
        auto* header = reinterpret_cast<rte_tcp_hdr*>(
            rte_pktmbuf_append(packet, static_cast<std::uint16_t>(sizeof(rte_tcp_hdr) + 12 + payload)));
        *header = {.src_port = rte_cpu_to_be_16(from.port),
                   .dst_port = rte_cpu_to_be_16(kServer.port),
                   .sent_seq = rte_cpu_to_be_32(seq),
                   .recv_ack = rte_cpu_to_be_32(ack),
                   .data_off = 8 << 4,
                   .tcp_flags = flags,
                   .rx_win = 0xffff};
        tcp::write_timestamps(reinterpret_cast<std::uint8_t*>(header + 1), 1, 0);
        return packet;
    }

    void input(rte_mbuf* const* packets, const SocketAddress* from, unsigned n) {
        std::uint32_t hashes[kBurst];
        tcp->begin_poll();
        for (unsigned i = 0; i < n; ++i) {
            hashes[i] = tcp->flow_hash(packets[i], from[i].ip, kServer.ip);
            tcp->prefetch_table(hashes[i]);
        }
        for (unsigned i = 0; i < n; ++i)
            tcp->prefetch_connection(hashes[i]);
        for (unsigned i = 0; i < n; ++i)
            tcp->input(packets[i], from[i].ip, kServer.ip, hashes[i], now);
        tcp->run_timers(now);
        (void)tcp->events();
        tcp->flush(now);
        for (const tcp::TxSegment& s : tcp->segments()) {
            const auto* header = rte_pktmbuf_mtod(s.packet, const rte_tcp_hdr*);
            if (header->tcp_flags & tcp::kSyn) isn = rte_be_to_cpu_32(header->sent_seq);
            rte_pktmbuf_free(s.packet);
        }
        tcp->clear_segments();
    }
    void input(rte_mbuf* packet, SocketAddress from) { input(&packet, &from, 1); }
};

void flooded_syn(benchmark::State& state) {
    Server server;
    std::mt19937 random(1);
    rte_mbuf* packets[kBurst];
    SocketAddress from[kBurst];
    const auto burst = [&] {
        for (unsigned i = 0; i < kBurst; ++i) {
            from[i] = {Ipv4{static_cast<std::uint32_t>(random())},
                       static_cast<std::uint16_t>(1024 + random() % 60000)};
            packets[i] = server.segment(from[i], tcp::kSyn, static_cast<std::uint32_t>(random()), 0, 0);
        }
    };
    while (server.tcp->half_open() < 1024) {
        burst();
        server.input(packets, from, kBurst);
    }
    for (auto _ : state) {
        burst();
        server.input(packets, from, kBurst);
    }
    bench::per_item(state, "segment", kBurst);
}
BENCHMARK(flooded_syn)->Name("flood/syn answered by cookie");

// `payload` bytes on one established connection, each segment following the last.
void established(benchmark::State& state) {
    Server server;
    const auto payload = static_cast<std::uint16_t>(state.range(0));
    server.input(server.segment(kClient, tcp::kSyn, 0, 0, 0), kClient);
    server.input(server.segment(kClient, tcp::kAck, 1, server.isn + 1, 0), kClient);
    std::mt19937 random(1);
    rte_mbuf* packets[kBurst];
    SocketAddress from[kBurst];
    std::fill_n(from, kBurst, kClient);
    std::uint32_t seq = 1;
    unsigned unused = 0;
    for (auto _ : state) {
        for (rte_mbuf*& packet : packets) {
            unused += static_cast<unsigned>(random() + random() + random());  // as the flood's addresses cost
            packet = server.segment(kClient, tcp::kAck, seq, server.isn + 1, payload);
            seq += payload;
        }
        server.input(packets, from, kBurst);
    }
    benchmark::DoNotOptimize(unused);
    if (server.tcp->counters().fast_path.value() == 0) state.SkipWithError("nothing took the fast path");
    bench::per_item(state, "segment", kBurst);
}
BENCHMARK(established)->Name("flood/beside, established")->ArgName("payload")->Arg(0)->Arg(38)->Arg(1448);

}  // namespace
