// Decoding, ns a frame: frames that lie back to back become messages, unmasked, with every rule checked.

#include <benchmark/benchmark.h>

#include <map>
#include <tuple>

#include "bench/micro/codec/peers/peer.h"
#include "bench/micro/codec/traffic.h"
#include "engine/session/session.h"

namespace {

using namespace millrace;
using bench::Tally;
using bench::Traffic;
using ws::Opcode;

const Traffic& traffic(const benchmark::State& state, ws::Role to = ws::Role::kServer) {
    static std::map<std::tuple<ws::Role, std::int64_t, std::int64_t, std::int64_t>, Traffic> made;
    const auto key = std::tuple(to, state.range(0), state.range(1), state.range(2));
    if (const auto place = made.find(key); place != made.end()) return place->second;
    const bench::Sizes sizes{static_cast<std::size_t>(state.range(1)),
                             static_cast<std::size_t>(state.range(2))};
    return made.emplace(key, Traffic(static_cast<Opcode>(state.range(0)), sizes, to)).first->second;
}

template <ws::Role role>
void session(benchmark::State& state) {
    auto carries = ws::CarryPool::create(16);
    ws::SessionShared shared{16u << 20, *carries};
    ws::Session session;
    session.open(role);
    bench::time_decoding(state, traffic(state, role),
                         [&](std::span<std::byte> in, std::size_t, Tally& tally) {
                             for (;;) {
                                 if (session.batch_ahead(in)) {
                                     ws::SmallMessages messages;
                                     const std::size_t n = session.next_batch(in, shared, messages);
                                     for (std::size_t i = 0; i < n; ++i)
                                         tally.take(messages.payload(i).data(), messages.payload(i).size());
                                     if (n != 0) continue;
                                 }
                                 const ws::Step step = session.next(in, shared);
                                 if (step.kind == ws::StepKind::kNeedMore) break;
                                 tally.take(step.payload.data(), step.payload.size());
                             }
                         });
}

void kinds(benchmark::internal::Benchmark* b) {
    for (const auto opcode : {Opcode::kText, Opcode::kBinary})
        for (const auto& [least, most] :
             {std::pair(0, 0), {8, 8}, {32, 32}, {125, 125}, {1000, 1000}, {2, 125}})
            b->Args({static_cast<std::int64_t>(opcode), least, most});
}
BENCHMARK(session<ws::Role::kServer>)->Name("decode/millrace")->Apply(kinds);
BENCHMARK(session<ws::Role::kClient>)->Name("decode/client")->Apply(kinds);

#ifdef MILLRACE_BENCH_PEERS
template <auto make>
void peer(benchmark::State& state) {
    const auto peer = make();
    bench::time_decoding(state, traffic(state),
                         [&](std::span<std::byte> in, std::size_t frames, Tally& tally) {
                             peer->decode(in.data(), in.size(), frames, tally);
                         });
}
BENCHMARK(peer<bench::make_wslay>)->Name("decode/wslay")->Apply(kinds);
BENCHMARK(peer<bench::make_beast>)->Name("decode/beast")->Apply(kinds);
BENCHMARK(peer<bench::make_websocketpp>)->Name("decode/websocketpp")->Apply(kinds);
BENCHMARK(peer<bench::make_libwebsockets>)->Name("decode/libwebsockets")->Apply(kinds);
#endif

}  // namespace
