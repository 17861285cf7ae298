// A whole server session by the message: from a received buffer through the endpoint, the session and the
// application's echo to the encoded answer, without a network. Nanoseconds a message; one message to a
// buffer, 32 connections a poll. And what an idle session holds.

#include "engine/endpoint/endpoint.h"

#include <benchmark/benchmark.h>

#include <vector>

#include "bench/micro/flat_carrier.h"
#include "bench/micro/per_item.h"
#include "bench/micro/requests.h"
#include "engine/frame/encode.h"
#include "engine/mask/mask.h"
#include "netstack/base/clock.h"

namespace {

using namespace millrace;
using bench::FlatCarrier;

struct Echo {
    void on_message(auto& ws, const Message& message) { ws.send(message); }
};
using Server = Endpoint<FlatCarrier, Echo>;

std::unique_ptr<Server> opened(FlatCarrier& carrier) {
    auto server = *Server::create(carrier, {}, app(route("/echo", Echo{})));
    const Time now{std::chrono::seconds(1)};
    server->handle(carrier.poll(now), now);
    const std::string request = bench::bare_request();
    carrier.receive(std::as_bytes(std::span(request)));
    server->handle(carrier.poll(now), now);
    return server;
}

// Frames are unmasked where they lie, so that the next poll finds them unmasked, and masks them: with this
// key the payload is ASCII either way.
std::vector<std::byte> frame(ws::Opcode opcode, std::size_t payload) {
    constexpr ws::MaskKey kKey = 0x11223344;
    std::vector<std::byte> bytes(ws::header_size(payload, true) + payload);
    const std::size_t header = ws::encode_header(bytes.data(), opcode, true, payload, kKey);
    const std::vector<std::byte> text(payload, std::byte{'x'});
    ws::copy_masked(text, bytes.data() + header, kKey);
    return bytes;
}

void echo(benchmark::State& state, ws::Opcode opcode) {
    constexpr std::size_t kConnections = 32;
    const auto payload = static_cast<std::size_t>(state.range(0));
    FlatCarrier carrier(kConnections);
    const auto server = opened(carrier);
    carrier.receive(frame(opcode, payload));
    const std::uint64_t before = carrier.written();
    const TscClock clock;
    for (auto _ : state) {
        const Time now = clock.now();
        server->handle(carrier.poll(now), now);
        server->tick(now);
    }
    const std::size_t answer = ws::header_size(payload, false) + payload;
    const auto messages = static_cast<std::uint64_t>(state.iterations()) * kConnections;
    if (carrier.written() - before != messages * answer) state.SkipWithError("answers are missing");
    const char last = std::to_integer<char>(carrier.last(1)[0]);
    if (last != 'x' && last != ('x' ^ 0x11)) state.SkipWithError("another answer");
    bench::per_item(state, "message", kConnections);
}
BENCHMARK_CAPTURE(echo, binary, ws::Opcode::kBinary)->Name("endpoint/echo/binary")->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(echo, text, ws::Opcode::kText)->Name("endpoint/echo/text")->Arg(32)->Arg(1024);

// Opens a hundred thousand sessions, and counts what the endpoint holds for them then and did not before.
void idle(benchmark::State& state) {
    constexpr std::size_t kConnections = 100'000;
    double bytes = 0;
    for (auto _ : state) {
        FlatCarrier carrier(kConnections);
        const auto empty = *Server::create(carrier, {}, app(route("/echo", Echo{})));
        const auto server = opened(carrier);
        if (server->counters().opened.value() != kConnections || carrier.aborts != 0)
            return state.SkipWithError("sessions did not open");
        bytes = static_cast<double>(server->memory_in_use() - empty->memory_in_use()) / kConnections;
    }
    state.counters["bytes"] = bytes;
    if (bytes > 64.1) state.SkipWithError("an idle session holds more than 64 bytes");
}
BENCHMARK(idle)->Name("endpoint/idle_session")->Iterations(1);

}  // namespace
