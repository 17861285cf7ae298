// A packet's way below TCP, ns a packet by step: IPv4 output with checksums, the transmit burst onto a cable
// (which copies, as a NIC's DMA does), the receive burst, IPv4 input with checksums verified, the mbuf's
// return.

#include <benchmark/benchmark.h>
#include <rte_mbuf.h>

#include <array>
#include <cstring>

#include "bench/micro/stopwatch.h"
#include "netstack/ip/input.h"
#include "netstack/ip/output.h"
#include "netstack/port/cable.h"
#include "netstack/port/mbuf.h"

namespace {

using namespace millrace;
using namespace millrace::net;

constexpr unsigned kBurst = 32;
constexpr Ipv4 kSender{0x0a000001};
constexpr Ipv4 kReceiver{0x0a000002};
constexpr std::uint16_t kTcpHeader = 32;  // with timestamps

// What sends at one end of a cable and what receives at the other, as a shard's stack would.
struct Wired {
    std::unique_ptr<Cable> cable;
    LocalAddresses sender, receiver;
    Pool data, headers;
    Neighbours neighbours;
    IpOutput output;
    IpInput input;

    explicit Wired(bool offload)
        : cable(*Cable::create({.checksum_offload = offload})),
          sender(*LocalAddresses::create({{.first = kSender}}, {})),
          receiver(*LocalAddresses::create({{.first = kReceiver}}, {})),
          data(*Pool::create({.purpose = "micro-data", .mbufs = 4096})),
          headers(*Pool::create({.purpose = "micro-headers", .mbufs = 4096, .data_room = kHeaderRoom})),
          neighbours(*Neighbours::create({}, cable->a().mac(), sender)),
          output(sender, neighbours, cable->a().offloads(), cable->a().mac(), headers.get(), data.get()),
          input(receiver, cable->b().mac(), 1500, false) {
        // One packet asks for the receiver's address, and gets it.
        output.send(segment(0), kProtocolTcp, kTcpHeader, kSender, kReceiver, Time{});
        neighbours.input({.operation = ArpOperation::kReply,
                          .sender_mac = cable->b().mac(),
                          .sender = kReceiver,
                          .target_mac = cable->a().mac(),
                          .target = kSender},
                         Time{});
        output.send_neighbour_actions();
        for (rte_mbuf* frame : output.burst())
            release(frame);
        output.sent(output.burst().size());
    }

    rte_mbuf* segment(std::uint16_t payload) {
        rte_mbuf* packet = rte_pktmbuf_alloc(data.get());
        std::memset(rte_pktmbuf_append(packet, kTcpHeader + payload), 0, kTcpHeader);
        *rte_pktmbuf_mtod_offset(packet, std::uint8_t*, 12) = kTcpHeader / 4 << 4;
        return packet;
    }
};

void way(benchmark::State& state) {
    const auto payload = static_cast<std::uint16_t>(state.range(0));
    Wired wired(state.range(1) != 0);
    bench::Stopwatch watch({"1 alloc", "2 ip out", "3 tx", "4 rx", "5 ip in", "6 free"}, kBurst);
    std::array<rte_mbuf*, kBurst> made, received;
    std::uint64_t packets = 0, accepted = 0;
    for (auto _ : state) {
        watch.start();
        for (rte_mbuf*& packet : made)
            packet = wired.segment(payload);
        watch.lap(0);
        for (rte_mbuf* packet : made)
            wired.output.send(packet, kProtocolTcp, kTcpHeader, kSender, kReceiver, Time{});
        watch.lap(1);
        wired.output.sent(wired.cable->a().queue(0).transmit(wired.output.burst()));
        watch.lap(2);
        const unsigned n = wired.cable->b().queue(0).receive(received);
        watch.lap(3);
        IpArrival arrival;
        for (unsigned i = 0; i < n; ++i)
            accepted += wired.input.accept(received[i], arrival) == IpVerdict::kTcp;
        watch.lap(4);
        for (unsigned i = 0; i < n; ++i)
            release(received[i]);
        watch.lap(5);
        packets += kBurst;
    }
    if (accepted != packets) state.SkipWithError("packets were lost or refused on the way");
    watch.report(state);
}
BENCHMARK(way)
    ->Name("packet/way")
    ->ArgNames({"payload", "offload"})
    ->Args({38, 0})
    ->Args({38, 1})
    ->Args({1448, 0})
    ->Args({1448, 1});

void checksum(benchmark::State& state) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)), std::byte{0x5a});
    for (auto _ : state) {
        auto sum = checksum_sum(bytes);
        benchmark::DoNotOptimize(sum);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(checksum)->Name("packet/checksum")->Arg(20)->Arg(70)->Arg(1480);

}  // namespace
