// Where the time goes: an unpipelined echo of 32 bytes through a server shard, ns a message by step, from the
// receive burst to the transmit burst. The parts are those of netstack/stack and engine/endpoint, called in
// the same order; the client at the other end of the cable is a whole stack, and is not timed.

#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "bench/micro/stopwatch.h"
#include "engine/frame/encode.h"
#include "engine/session/session.h"
#include "netstack/base/clock.h"
#include "netstack/port/cable.h"
#include "netstack/port/mbuf.h"
#include "netstack/stack/dpdk_carrier.h"

namespace {

using namespace millrace;
using namespace millrace::net;

constexpr unsigned kBurst = 32;
constexpr std::size_t kPayload = 32;
constexpr SocketAddress kServer{Ipv4{0x0a000001}, 9001};
constexpr Ipv4 kClient{0x0a000002};

enum Step : std::size_t {
    kFree,
    kRx,
    kIpIn,
    kLookup,
    kTcpIn,
    kDecode,
    kEncode,
    kTimers,
    kTcpOut,
    kIpOut,
    kTx
};

const std::vector<std::string> kSteps{"a free",   "b rx",     "c ip in",   "d lookup", "e tcp in", "f decode",
                                      "g encode", "h timers", "i tcp out", "j ip out", "k tx"};

// A server's shard in its parts.
class Server {
  public:
    Server(Port& port, std::size_t connections)
        : port_(port),
          local_(*LocalAddresses::create({{.first = kServer.ip}}, {})),
          data_(
              *Pool::create({.purpose = "path-data", .mbufs = 8192, .private_bytes = tcp::kTxPrivateBytes})),
          headers_(*Pool::create({.purpose = "path-head",
                                  .mbufs = 8192,
                                  .data_room = tcp::Tcp::kHeaderPoolRoom,
                                  .private_bytes = tcp::kTxPrivateBytes})),
          neighbours_(*Neighbours::create({.tentative = {}}, port.mac(), local_)),
          input_(local_, port.mac(), port.mtu(), false),
          output_(local_, neighbours_, port.offloads(), port.mac(), headers_.get(), data_.get()),
          carries_(*ws::CarryPool::create(64)),
          sessions_(connections + 64),
          tcp_(*tcp::Tcp::create({.max_connections = connections + 64}, data_.get(), headers_.get(),
                                 {{kServer.ip, 1}}, port.rss(), 0)) {
        neighbours_.follow(local_);
        for (ws::Session& session : sessions_)
            session.open(ws::Role::kServer);
        (void)tcp_->listen(kServer);
    }

    // One poll; returns the number of messages echoed.
    unsigned poll(Time now, bench::Stopwatch& watch) {
        watch.start();
        tcp_->begin_poll();
        watch.lap(kFree);
        const unsigned n = port_.queue(0).receive(frames_);
        watch.lap(kRx);
        const unsigned segments = ip_in(n, now);
        watch.lap(kIpIn);
        for (unsigned i = 0; i < segments; ++i) {
            hashes_[i] = tcp_->flow_hash(frames_[i], arrivals_[i].source, arrivals_[i].destination);
            tcp_->prefetch_table(hashes_[i]);
        }
        for (unsigned i = 0; i < segments; ++i)
            tcp_->prefetch_connection(hashes_[i]);
        watch.lap(kLookup);
        for (unsigned i = 0; i < segments; ++i)
            tcp_->input(frames_[i], arrivals_[i].source, arrivals_[i].destination, hashes_[i], now);
        watch.lap(kTcpIn);
        tcp_->run_timers(now);
        watch.lap(kTimers);
        const unsigned messages = decode();
        watch.lap(kDecode);
        for (unsigned i = 0; i < messages; ++i)
            echo(messages_[i]);
        watch.lap(kEncode);
        send(now, watch);
        return messages;
    }

  private:
    struct Message {
        ConnId conn;
        std::span<const std::byte> payload;
    };

    unsigned ip_in(unsigned n, Time now) {
        unsigned segments = 0;
        for (unsigned i = 0; i < n; ++i)
            rte_prefetch0(rte_pktmbuf_mtod(frames_[i], void*));
        for (unsigned i = 0; i < n; ++i) {
            rte_mbuf* const frame = frames_[i];
            const IpVerdict verdict = input_.accept(frame, arrivals_[segments]);
            if (verdict == IpVerdict::kTcp) {
                frames_[segments++] = frame;
                continue;
            }
            if (verdict == IpVerdict::kArp)
                if (const auto packet = parse_arp(frame)) neighbours_.input(*packet, now);
            release(frame);
        }
        return segments;
    }

    unsigned decode() {
        unsigned messages = 0;
        ws::SessionShared shared{16u << 20, carries_};
        for (tcp::Event& event : tcp_->events()) {
            if (event.kind != EventKind::kReceived) continue;
            std::span<std::byte> in = event.bytes.bytes();
            for (;;) {
                const ws::Step step = sessions_[index(event.conn)].next(in, shared);
                if (step.kind != ws::StepKind::kData) break;
                messages_[messages++] = {event.conn, step.payload};
            }
        }
        return messages;
    }

    void echo(const Message& message) {
        const std::size_t bytes = ws::header_size(message.payload.size(), false) + message.payload.size();
        if (!tcp_->prepare(message.conn, bytes)) return;
        std::byte* const at = tcp_->room(message.conn).data();
        const std::size_t header =
            ws::encode_header(at, ws::Opcode::kBinary, true, message.payload.size(), std::nullopt);
        std::memcpy(at + header, message.payload.data(), message.payload.size());
        tcp_->commit(message.conn, bytes);
    }

    void send(Time now, bench::Stopwatch& watch) {
        tcp_->flush(now);
        watch.lap(kTcpOut);
        for (const tcp::TxSegment& s : tcp_->segments())
            output_.send(s.packet, kProtocolTcp, s.header_bytes, s.source, s.destination, now);
        tcp_->clear_segments();
        if (neighbours_.has_actions()) {
            output_.send_neighbour_actions();
            neighbours_.clear();
        }
        watch.lap(kIpOut);
        output_.sent(port_.queue(0).transmit(output_.burst()));
        watch.lap(kTx);
    }

    Port& port_;
    LocalAddresses local_;
    Pool data_, headers_;
    Neighbours neighbours_;
    IpInput input_;
    IpOutput output_;
    ws::CarryPool carries_;
    std::vector<ws::Session> sessions_;
    std::unique_ptr<tcp::Tcp> tcp_;
    std::array<rte_mbuf*, 2 * kBurst> frames_{};
    std::array<IpArrival, 2 * kBurst> arrivals_{};
    std::array<std::uint32_t, 2 * kBurst> hashes_{};
    std::array<Message, 2 * kBurst> messages_{};
};

// A client that sends one masked frame on each of the next kBurst connections.
class Client {
  public:
    Client(Port& port, std::size_t connections)
        : carrier_(*DpdkCarrier::create(
              {.addresses = {{.first = kClient, .count = 4}},
               // Its acknowledgments ride on its next message, as those of a client do that answers at once.
               .tcp = {.max_connections = connections + 64, .delayed_ack = std::chrono::seconds(1)},
               .neighbours = {.tentative = {}}},
              port, 0, nullptr)) {
        std::array<std::byte, kPayload> payload{};
        const std::size_t header =
            ws::encode_header(frame_.data(), ws::Opcode::kBinary, true, kPayload, 0x11223344);
        ws::copy_masked(payload, frame_.data() + header, 0x11223344);
        frame_bytes_ = header + kPayload;
    }

    void connect(Time now) { carrier_->connect(kServer, now); }
    void poll(Time now) {
        for (const tcp::Event& event : carrier_->poll(now))
            if (event.kind == EventKind::kConnected) open_.push_back(event.conn);
    }
    void say(Time now) {
        for (unsigned i = 0; i < kBurst; ++i) {
            const ConnId conn = open_[next_++ % open_.size()];
            if (!carrier_->prepare(conn, frame_bytes_)) continue;
            std::memcpy(carrier_->room(conn).data(), frame_.data(), frame_bytes_);
            carrier_->commit(conn, frame_bytes_);
        }
        carrier_->flush(now);
    }
    void flush(Time now) { carrier_->flush(now); }
    std::size_t open() const { return open_.size(); }

  private:
    std::unique_ptr<DpdkCarrier> carrier_;
    std::vector<ConnId> open_;
    std::size_t next_ = 0;
    std::array<std::byte, 64> frame_{};
    std::size_t frame_bytes_ = 0;
};

void echo(benchmark::State& state) {
    const auto connections = static_cast<std::size_t>(state.range(0));
    const auto cable = *Cable::create({});
    const TscClock clock;
    Server server(cable->a(), connections);
    Client client(cable->b(), connections);
    bench::Stopwatch unused(kSteps, kBurst);
    for (std::size_t tried = 0, turns = 0; client.open() < connections; ++turns) {
        const Time now = clock.now();
        for (unsigned i = 0; i < kBurst && tried < connections && tried < client.open() + 256; ++i, ++tried)
            client.connect(now);
        client.flush(now);
        server.poll(now, unused);
        client.poll(now);
        if (turns > 1'000'000) return state.SkipWithError("connections do not open");
    }

    bench::Stopwatch watch(kSteps, kBurst);
    std::uint64_t echoed = 0, said = 0;
    for (auto _ : state) {
        const Time now = clock.now();
        client.poll(now);
        client.say(now);
        echoed += server.poll(now, watch);
        said += kBurst;
    }
    if (echoed < said - kBurst) state.SkipWithError("messages were lost on the way");
    watch.report(state);
}
BENCHMARK(echo)->Name("path/echo")->Arg(1'000)->Arg(100'000);

}  // namespace
