// Unmasking alone, GB/s: payloads of one size, aligned and not, beside the roofline, memcpy and a peer.
// Payloads lie behind one another, each with a key of its own, and fill a segment of 16 KiB or are longer:
// one that is shorter and unmasked again and again would wait for its own stores.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "bench/micro/codec/peers/peer.h"
#include "bench/micro/codec/roofline.h"
#include "bench/micro/codec/samples.h"
#include "engine/mask/mask.h"

namespace {

using namespace millrace;

constexpr std::size_t kHeader = 6;
constexpr std::size_t kSegment = 16 << 10;
constexpr std::size_t kBytesPerSample = 256 << 10;

// Payloads of `size` bytes in memory that begins at a cache line; `offset`: each begins so many bytes behind
// one, or kPacked: directly behind the header that follows the payload before it.
constexpr std::int64_t kPacked = 64;

class Place {
  public:
    Place(std::size_t size, std::int64_t offset) : size_(size) {
        const std::size_t stride =
            offset == kPacked ? size + kHeader : (size + 63 + static_cast<std::size_t>(offset)) / 64 * 64;
        const std::size_t count = std::max<std::size_t>(1, kSegment / stride);
        memory_.resize(count * stride + 256);
        auto* const line =
            reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(memory_.data()) + 63) / 64 * 64);
        std::mt19937 random(1);
        for (std::size_t i = 0; i < count; ++i)
            payloads_.push_back(
                {line + i * stride + (offset == kPacked ? kHeader : static_cast<std::size_t>(offset)),
                 static_cast<ws::MaskKey>(random())});
    }
    std::size_t count() const { return payloads_.size(); }
    std::size_t rounds() const { return std::max<std::size_t>(1, kBytesPerSample / (size_ * count())); }

    template <class Work>
    void each(Work&& work) {
        for (const auto& [at, key] : payloads_)
            work(std::span(at, size_), key);
    }

    // Whether `work` unmasks; it is left masked twice.
    template <class Work>
    bool verify(Work&& work) {
        bool right = true;
        std::vector<std::byte> expected(size_);
        each([&](std::span<std::byte> bytes, ws::MaskKey key) {
            std::copy(bytes.begin(), bytes.end(), expected.begin());
            ws::apply_mask_scalar(expected, key);
            work(bytes, key);
            right &= std::equal(bytes.begin(), bytes.end(), expected.begin());
            work(bytes, key);
        });
        return right;
    }

  private:
    struct Payload {
        std::byte* at;
        ws::MaskKey key;
    };
    std::size_t size_;
    std::vector<std::byte> memory_;
    std::vector<Payload> payloads_;
};

// Both on the same bytes.
template <class Other>
void unmask_beside(benchmark::State& state, Other&& other) {
    Place place(static_cast<std::size_t>(state.range(0)), state.range(1));
    const auto unmask = [](std::span<std::byte> bytes, ws::MaskKey key) {
        ws::apply_mask(bytes, key);
        benchmark::ClobberMemory();
    };
    if (!place.verify(unmask)) return state.SkipWithError("wrong bytes");
    bench::Samples ours, others;
    const auto time = [&place](bench::Samples& samples, auto& work) {
        samples.start();
        for (std::size_t round = 0; round < place.rounds(); ++round)
            place.each(work);
        samples.stop();
    };
    bool first = true;  // in turn: the second of two passes over DRAM is the faster one
    for (auto _ : state) {
        if (first) time(ours, unmask);
        time(others, other);
        if (!first) time(ours, unmask);
        first = !first;
    }
    bench::report_rates(state, static_cast<std::size_t>(state.range(0)) * place.count() * place.rounds(),
                        ours, others);
}

// The cache lines in which the payload lies, whole.
void roofline(benchmark::State& state) {
    unmask_beside(state, [](std::span<std::byte> bytes, ws::MaskKey) {
        const std::size_t offset = reinterpret_cast<std::uintptr_t>(bytes.data()) % 64;
        bench::xor_with_constant(bytes.data() - offset, (offset + bytes.size() + 63) / 64 * 64);
        benchmark::ClobberMemory();
    });
}

void copy(benchmark::State& state) {
    const auto size = static_cast<std::size_t>(state.range(0));
    Place to(size, 0);
    std::vector<std::byte*> out;
    to.each([&](std::span<std::byte> bytes, ws::MaskKey) { out.push_back(bytes.data()); });
    std::size_t next = 0;
    unmask_beside(state, [&](std::span<std::byte> bytes, ws::MaskKey) {
        std::memcpy(out[next], bytes.data(), bytes.size());
        next = next + 1 == out.size() ? 0 : next + 1;
        benchmark::ClobberMemory();
    });
}

void sizes(benchmark::internal::Benchmark* b, std::initializer_list<std::int64_t> offsets,
           std::int64_t least) {
    for (const std::int64_t size : {4, 8, 16, 32, 64, 125, 256, 1024, 1400, 4096, 16384, 65536, 1 << 20})
        for (const std::int64_t offset : offsets)
            if (size >= least && (size < 1024 || offset != kPacked)) b->Args({size, offset});
}
void beyond_caches(benchmark::internal::Benchmark* b) {
    for (const std::int64_t offset : {0, 1, 38})
        b->Args({64 << 20, offset});
    b->MinTime(0.4);  // some twenty pairs
}
BENCHMARK(roofline)->Name("unmask/roofline")->Apply([](auto* b) { sizes(b, {0, 1, 38}, 1024); });
BENCHMARK(roofline)->Name("unmask/roofline")->Apply(beyond_caches);
BENCHMARK(copy)->Name("unmask/memcpy")->Apply([](auto* b) { sizes(b, {0, kPacked}, 4); });

#ifdef MILLRACE_BENCH_PEERS
void websocketpp(benchmark::State& state) {
    unmask_beside(state, [](std::span<std::byte> bytes, ws::MaskKey key) {
        bench::unmask_by_websocketpp(bytes.data(), bytes.size(), key);
        benchmark::ClobberMemory();
    });
}
BENCHMARK(websocketpp)->Name("unmask/websocketpp")->Apply([](auto* b) {
    for (const std::int64_t size : {4, 8, 16, 32, 64, 125, 256, 4096})
        b->Args({size, size < 1024 ? kPacked : 0});
});
#endif

}  // namespace
