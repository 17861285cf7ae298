// Encoding, ns a frame: header and payload into the buffer that leaves, as a server and as a client (masked
// on the way), beside the copy of the payload alone.

#include "engine/frame/encode.h"

#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <vector>

#include "bench/micro/codec/samples.h"
#include "engine/mask/key_source.h"
#include "engine/mask/mask.h"

namespace {

using namespace millrace;

constexpr std::size_t kFrames = 128;

// `write(out, payload)` writes a frame's bytes and returns their number.
template <class Write>
void encode(benchmark::State& state, bool masked, Write&& write) {
    const auto size = static_cast<std::size_t>(state.range(0));
    const std::size_t header = ws::header_size(size, masked);
    std::mt19937 random(1);
    std::vector<std::byte> payloads(kFrames * size);
    for (std::byte& b : payloads)
        b = static_cast<std::byte>(random());
    std::vector<std::byte> out(kFrames * (size + ws::kMaxHeader));
    std::vector<std::byte> copied(out.size());
    const auto time = [&](bench::Samples& samples, std::byte* at, auto& work) {
        samples.start();
        for (std::size_t i = 0; i < kFrames; ++i)
            at += work(at, std::span<const std::byte>(payloads).subspan(i * size, size));
        benchmark::ClobberMemory();
        samples.stop();
    };
    auto copy = [](std::byte* to, std::span<const std::byte> payload) {
        std::memcpy(to, payload.data(), payload.size());
        return payload.size();
    };
    bench::Samples frames, copies;
    for (auto _ : state) {
        time(frames, out.data(), write);
        time(copies, copied.data(), copy);
    }
    for (std::size_t i = 0; i < kFrames; ++i) {
        const auto frame = std::span(out).subspan(i * (header + size), header + size);
        if (masked) {
            ws::MaskKey key;
            std::memcpy(&key, &frame[header - sizeof key], sizeof key);
            ws::apply_mask_scalar(frame.subspan(header), key);
        }
        if (std::memcmp(&frame[header], &payloads[i * size], size) != 0)
            return state.SkipWithError("a frame is wrong");
    }
    state.counters["ns"] = frames.median_ns() / static_cast<double>(kFrames);
    state.counters["copy ns"] = copies.median_ns() / static_cast<double>(kFrames);
    state.counters["more ns"] = frames.excess_ns(copies) / static_cast<double>(kFrames);
}

void server(benchmark::State& state) {
    encode(state, false, [](std::byte* out, std::span<const std::byte> payload) {
        return ws::encode_frame(out, ws::Opcode::kBinary, payload, std::nullopt);
    });
}

void client(benchmark::State& state) {
    auto keys = ws::KeySource::create();
    encode(state, true, [&keys](std::byte* out, std::span<const std::byte> payload) {
        return ws::encode_frame(out, ws::Opcode::kBinary, payload, keys->next());
    });
}

void sizes(benchmark::internal::Benchmark* b) {
    for (const std::int64_t size : {8, 32, 125, 1000})
        b->Arg(size);
}
BENCHMARK(server)->Name("encode/server")->Apply(sizes);
BENCHMARK(client)->Name("encode/client")->Apply(sizes);

}  // namespace
