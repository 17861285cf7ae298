// What TLS costs: a server's whole way of an echo over a cable with and without it, a handshake, and what an
// idle secured connection holds. Both ends in one thread; nanoseconds of the server's turns alone.

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <memory>
#include <vector>

#include "bench/micro/stopwatch.h"
#include "engine/endpoint/endpoint.h"
#include "engine/tls/tls_carrier.h"
#include "netstack/base/clock.h"
#include "netstack/port/cable.h"
#include "netstack/stack/dpdk_carrier.h"
#include "tests/unit/tls/certificates.h"

namespace {

using namespace millrace;

constexpr net::SocketAddress kServer{net::Ipv4{0x0a000001}, 9001};
constexpr unsigned kBurst = 32;

struct Echo {
    void on_message(auto& ws, const Message& message) { ws.send(message); }
};
struct Caller {
    std::vector<net::ConnId>* open;
    std::uint64_t* heard;
    void on_open(auto& ws) { open->push_back(ws.id()); }
    void on_message(auto&, const Message&) { ++*heard; }
};

const tls::CertificateFiles& certificate(bool rsa) {
    using test::certificates;
    static const auto ec = certificates().make({.name = "bench-ec", .hosts = {"DNS:bench.example"}});
    static const auto rsa2048 =
        certificates().make({.name = "bench-rsa", .hosts = {"DNS:bench.example"}, .rsa = true});
    return rsa ? rsa2048 : ec;
}

std::shared_ptr<tls::ClientContext> trusting() {
    return *tls::ClientContext::create({.host = "bench.example", .ca = test::certificates().ca()});
}

std::unique_ptr<net::DpdkCarrier> make_stack(net::Port& port, std::uint32_t ip, std::size_t connections) {
    return *net::DpdkCarrier::create({.addresses = {{.first = net::Ipv4{ip}}},
                                      .tcp = {.max_connections = connections + 64},
                                      .neighbours = {.tentative = {}}},
                                     port, 0, nullptr);
}

// One end: its stack, and TLS over it where it is wanted.
template <bool kSecure>
struct End;

template <>
struct End<false> {
    using Carrier = net::DpdkCarrier;
    End(net::Port& port, std::uint32_t ip, std::size_t connections)
        : stack(make_stack(port, ip, connections)) {}
    Carrier& carrier() { return *stack; }
    void listen() { (void)stack->listen(kServer); }
    std::unique_ptr<net::DpdkCarrier> stack;
};

template <>
struct End<true> {
    using Carrier = tls::TlsCarrier<net::DpdkCarrier>;
    End(net::Port& port, std::uint32_t ip, std::size_t connections, bool rsa = false)
        : stack(make_stack(port, ip, connections)), tls(*Carrier::create(*stack, {})) {
        static const tls::TicketKeys tickets;
        tls->set_server_context(
            *tls::ServerContext::create({.certificates = {certificate(rsa)}, .client_ca = {}}, tickets));
    }
    Carrier& carrier() { return *tls; }
    void listen() { (void)tls->listen_secure(kServer); }
    std::unique_ptr<net::DpdkCarrier> stack;
    std::unique_ptr<Carrier> tls;
};

template <bool kSecure>
void echo(benchmark::State& state) {
    const auto payload = static_cast<std::size_t>(state.range(0));
    const auto cable = *net::Cable::create({});
    const TscClock clock;
    End<kSecure> server_end(cable->a(), 0x0a000001, kBurst), client_end(cable->b(), 0x0a000002, kBurst);
    server_end.listen();
    std::vector<net::ConnId> open;
    std::uint64_t heard = 0;
    using Carrier = typename End<kSecure>::Carrier;
    auto server = *Endpoint<Carrier, Echo>::create(server_end.carrier(), {}, app(route("/", Echo{})));
    auto client =
        *Endpoint<Carrier, Caller>::create(client_end.carrier(), {}, app(route("/", Caller{&open, &heard})));
    ClientTarget target{.host = "bench.example"};
    if (kSecure) target.tls = trusting();
    const auto to = client->template add_target<Caller>(std::move(target));
    const auto turn = [&](auto& end, auto& endpoint) {
        const Time now = clock.now();
        endpoint.handle(end.carrier().poll(now), now);
        endpoint.tick(now);
        end.carrier().flush(now);
    };
    for (unsigned i = 0; i < kBurst; ++i)
        client->connect(kServer, to, clock.now());
    for (unsigned turns = 0; open.size() < kBurst; ++turns) {
        turn(client_end, *client);
        turn(server_end, *server);
        if (turns > 1'000'000) return state.SkipWithError("connections do not open");
    }
    const std::vector<std::byte> message(payload, std::byte{'x'});
    bench::Stopwatch watch({"server"}, kBurst);
    std::uint64_t said = 0;
    for (auto _ : state) {
        for (const net::ConnId id : open)
            said += client->template socket<Caller>(id).send_binary(message) == SendStatus::kSent;
        client_end.carrier().flush(clock.now());
        watch.start();
        turn(server_end, *server);
        watch.lap(0);
        // Longer messages take several turns.
        for (unsigned turns = 0; heard < said && turns < 10'000; ++turns) {
            turn(client_end, *client);
            if (heard < said) turn(server_end, *server);
        }
    }
    if (heard != said) state.SkipWithError("messages were lost on the way");
    watch.report(state);
}
BENCHMARK(echo<false>)->Name("tls/echo/plain")->Arg(32)->Arg(1024);
BENCHMARK(echo<true>)->Name("tls/echo/secured")->Arg(32)->Arg(1024);

// Full handshakes, or resumed ones, one after the other.
void handshake(benchmark::State& state, bool rsa, bool resumed) {
    const auto cable = *net::Cable::create({});
    const TscClock clock;
    End<true> server(cable->a(), 0x0a000001, 64, rsa), client(cable->b(), 0x0a000002, 64);
    server.listen();
    auto with = trusting();
    bench::Stopwatch watch({"server"}, 1);
    std::uint64_t done = 0;
    Duration spent{};
    for (auto _ : state) {
        auto fresh = resumed ? nullptr : trusting();
        const net::ConnId id = client.tls->connect_secure(kServer, resumed ? *with : *fresh, clock.now());
        net::ConnId accepted = net::kNoConn;
        bool connected = false, ticket = false;
        for (unsigned turns = 0; turns < 100'000 && !(connected && accepted != net::kNoConn && ticket);
             ++turns) {
            Time now = clock.now();
            for (auto& event : client.tls->poll(now))
                connected |= event.kind == net::EventKind::kConnected;
            client.tls->flush(now);
            ticket = turns > 20;
            now = clock.now();
            for (auto& event : server.tls->poll(now))
                if (event.kind == net::EventKind::kAccepted) accepted = event.conn;
            server.tls->flush(now);
            spent += clock.now() - now;
        }
        done += connected;
        client.tls->abort(id);
        for (int i = 0; i < 4; ++i) {
            client.tls->poll(clock.now());
            client.tls->flush(clock.now());
            server.tls->poll(clock.now());
            server.tls->flush(clock.now());
        }
    }
    const auto& counters = server.tls->tls_counters();
    if (done != static_cast<std::uint64_t>(state.iterations()) ||
        (resumed ? counters.resumed.value() + 1 < done : counters.resumed.value() != 0))
        return state.SkipWithError("handshakes failed, or were not of the kind");
    const double us = static_cast<double>(spent.count()) / 1000 / static_cast<double>(done);
    state.counters["server_us"] = us;
    state.counters["a_second"] = 1e6 / us;
}
BENCHMARK_CAPTURE(handshake, ecdsa, false, false)->Name("tls/handshake/ecdsa_p256");
BENCHMARK_CAPTURE(handshake, rsa, true, false)->Name("tls/handshake/rsa_2048");
BENCHMARK_CAPTURE(handshake, resumed, false, true)->Name("tls/handshake/resumed");

// Bytes that the server's OpenSSL holds for an idle connection, by the allocator's count.
void idle(benchmark::State& state) {
    constexpr std::size_t kConnections = 2'000;
    double bytes = 0;
    for (auto _ : state) {
        const auto cable = *net::Cable::create({});
        const TscClock clock;
        End<true> server(cable->a(), 0x0a000001, kConnections);
        server.listen();
        std::size_t before = 0, accepted = 0, connected = 0, asked = 0;
        {
            auto with = trusting();
            End<true> client(cable->b(), 0x0a000002, kConnections);
            for (unsigned turns = 0; turns < 10'000'000 && accepted + connected < 2 * kConnections; ++turns) {
                const Time now = clock.now();
                if (turns == 100) before = mallinfo2().uordblks;
                if (turns > 100 && asked < kConnections && asked < connected + 4)
                    asked += client.tls->connect_secure(kServer, *with, now) != net::kNoConn;
                for (auto& event : client.tls->poll(now))
                    connected += event.kind == net::EventKind::kConnected;
                client.tls->flush(now);
                for (auto& event : server.tls->poll(now))
                    accepted += event.kind == net::EventKind::kAccepted;
                server.tls->flush(now);
            }
        }
        if (accepted != kConnections) return state.SkipWithError("connections do not open");
        bytes = (static_cast<double>(mallinfo2().uordblks) - static_cast<double>(before)) / kConnections;
    }
    state.counters["openssl_bytes"] = bytes;
    state.counters["slot_bytes"] = sizeof(tls::Connection);
}
BENCHMARK(idle)->Name("tls/idle_connection")->Iterations(1);

}  // namespace
