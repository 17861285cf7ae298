// A message in the engine, without netstack: frames become messages (session decode), messages become frames
// (encode), and the unmasking inside. Nanoseconds a frame; frames lie back to back, as in a busy segment.

#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <vector>

#include "bench/micro/per_item.h"
#include "engine/frame/encode.h"
#include "engine/mask/key_source.h"
#include "engine/mask/mask.h"
#include "engine/session/session.h"

namespace {

using namespace millrace;

constexpr std::size_t kFrames = 64;

std::vector<std::byte> masked_frames(ws::Opcode opcode, std::size_t payload) {
    std::mt19937 random(1);
    std::vector<std::byte> frames;
    for (std::size_t i = 0; i < kFrames; ++i) {
        std::byte header[ws::kMaxHeader];
        const std::size_t n = ws::encode_header(header, opcode, true, payload, random());
        frames.insert(frames.end(), header, header + n);
        frames.resize(frames.size() + payload, std::byte{'a'});
    }
    return frames;
}

// Decoding in place unmasks, and decoding again masks: for binary messages every round is alike.
void session_decode(benchmark::State& state) {
    auto carries = ws::CarryPool::create(16);
    ws::SessionShared shared{16u << 20, *carries};
    ws::Session session;
    session.open(ws::Role::kServer);
    auto frames = masked_frames(ws::Opcode::kBinary, static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        std::span<std::byte> in(frames);
        for (;;) {
            ws::Step step = session.next(in, shared);
            if (step.kind == ws::StepKind::kNeedMore) break;
            benchmark::DoNotOptimize(step);
        }
    }
    bench::per_item(state, "frame", kFrames);
}
BENCHMARK(session_decode)->Name("codec/session_decode")->Arg(0)->Arg(8)->Arg(32)->Arg(125)->Arg(1000);

// Header and payload copied into the outgoing segment, as a server and as a client (masked on the way).
template <bool kMasked>
void encode(benchmark::State& state) {
    const auto size = static_cast<std::size_t>(state.range(0));
    const std::vector<std::byte> payload(size, std::byte{'a'});
    std::vector<std::byte> out(kFrames * (size + ws::kMaxHeader));
    auto keys = ws::KeySource::create();
    for (auto _ : state) {
        std::byte* at = out.data();
        for (std::size_t i = 0; i < kFrames; ++i) {
            if constexpr (kMasked) {
                const ws::MaskKey key = keys->next();
                at += ws::encode_header(at, ws::Opcode::kBinary, true, size, key);
                ws::copy_masked(payload, at, key);
            } else {
                at += ws::encode_header(at, ws::Opcode::kBinary, true, size, std::nullopt);
                std::memcpy(at, payload.data(), size);
            }
            at += size;
        }
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    bench::per_item(state, "frame", kFrames);
}
BENCHMARK(encode<false>)->Name("codec/encode_server")->Arg(32)->Arg(125)->Arg(1000);
BENCHMARK(encode<true>)->Name("codec/encode_client")->Arg(32)->Arg(125)->Arg(1000);

void unmask(benchmark::State& state) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        ws::apply_mask(bytes, 0x12345678);
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(unmask)->Name("codec/unmask")->Arg(8)->Arg(32)->Arg(125)->Arg(1400)->Arg(16384);

}  // namespace
