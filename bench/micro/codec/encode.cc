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
void encode(benchmark::State& state, std::size_t header, Write&& write) {
    const auto size = static_cast<std::size_t>(state.range(0));
    std::mt19937 random(1);
    std::vector<std::byte> payloads(kFrames * size);
    for (std::byte& b : payloads)
        b = static_cast<std::byte>(random());
    std::vector<std::byte> out(kFrames * (size + ws::kMaxHeader));
    bench::Samples samples;
    for (auto _ : state) {
        samples.start();
        std::byte* at = out.data();
        for (std::size_t i = 0; i < kFrames; ++i)
            at += write(at, std::span<const std::byte>(payloads).subspan(i * size, size));
        benchmark::ClobberMemory();
        samples.stop();
    }
    for (std::size_t i = 0; i < kFrames; ++i) {
        const auto frame = std::span(out).subspan(i * (header + size), header + size);
        if (header > 4) {  // masked
            ws::MaskKey key;
            std::memcpy(&key, &frame[header - sizeof key], sizeof key);
            ws::apply_mask_scalar(frame.subspan(header), key);
        }
        if (std::memcmp(&frame[header], &payloads[i * size], size) != 0)
            return state.SkipWithError("a frame is wrong");
    }
    state.counters["ns"] = samples.median_ns() / static_cast<double>(kFrames);
}

void server(benchmark::State& state) {
    encode(state, ws::header_size(static_cast<std::uint64_t>(state.range(0)), false),
           [](std::byte* out, std::span<const std::byte> payload) {
               const std::size_t header =
                   ws::encode_header(out, ws::Opcode::kBinary, true, payload.size(), std::nullopt);
               std::memcpy(out + header, payload.data(), payload.size());
               return header + payload.size();
           });
}

void client(benchmark::State& state) {
    auto keys = ws::KeySource::create();
    encode(state, ws::header_size(static_cast<std::uint64_t>(state.range(0)), true),
           [&keys](std::byte* out, std::span<const std::byte> payload) {
               const ws::MaskKey key = keys->next();
               const std::size_t header =
                   ws::encode_header(out, ws::Opcode::kBinary, true, payload.size(), key);
               ws::copy_masked(payload, out + header, key);
               return header + payload.size();
           });
}

void payload_alone(benchmark::State& state) {
    encode(state, 0, [](std::byte* out, std::span<const std::byte> payload) {
        std::memcpy(out, payload.data(), payload.size());
        return payload.size();
    });
}

void sizes(benchmark::internal::Benchmark* b) {
    for (const std::int64_t size : {8, 32, 125, 1000})
        b->Arg(size);
}
BENCHMARK(server)->Name("encode/server")->Apply(sizes);
BENCHMARK(client)->Name("encode/client")->Apply(sizes);
BENCHMARK(payload_alone)->Name("encode/memcpy")->Apply(sizes);

}  // namespace
