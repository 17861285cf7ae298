// UTF-8 validation, GB/s, beside simdjson's; and unmasking and validating a text, as the session does it and
// in two passes.

#include "engine/utf8/utf8.h"

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "bench/micro/codec/samples.h"
#include "engine/frame/encode.h"
#include "engine/mask/mask.h"
#include "engine/session/session.h"

namespace {

using namespace millrace;

enum Script : std::int64_t { kAscii, kMixed, kCjk };

// At least `size` bytes, ended between two characters. kMixed: words of English, German and Greek, with
// emoji.
std::string text_of(Script script, std::size_t size) {
    static const std::string_view kWords[] = {"price ", "größer ", "hello ", "κόσμε ",
                                              "world ", "straße ", "😀 ",     "ok "};
    static const std::string_view kSigns[] = {"行", "情", "数", "据", "市", "場", "価", "格"};
    std::mt19937 random(1);
    std::string text;
    while (text.size() < size) {
        if (script == kAscii)
            text += static_cast<char>(' ' + random() % 95);
        else
            text += script == kMixed ? kWords[random() % 8] : kSigns[random() % 8];
    }
    return text;
}

std::span<std::byte> bytes_of(std::string& text) {
    return std::as_writable_bytes(std::span(text));
}

template <class Validate>
void validate(benchmark::State& state, Validate&& valid) {
    std::string text = text_of(static_cast<Script>(state.range(0)), static_cast<std::size_t>(state.range(1)));
    std::string bad = text;
    bad[bad.size() / 2] = '\xFF';
    if (!valid(text) || valid(bad)) return state.SkipWithError("the wrong answer");
    const std::size_t rounds = std::max<std::size_t>(1, (64 << 10) / text.size());
    bench::Samples samples;
    for (auto _ : state) {
        samples.start();
        for (std::size_t i = 0; i < rounds; ++i)
            benchmark::DoNotOptimize(valid(text));
        samples.stop();
    }
    state.counters["GB/s"] = static_cast<double>(rounds * text.size()) / samples.median_ns();
}

void millrace_utf8(benchmark::State& state) {
    validate(state, [](const std::string& text) { return ws::is_utf8(std::as_bytes(std::span(text))); });
}
void simdjson_utf8(benchmark::State& state) {
    validate(state,
             [](const std::string& text) { return simdjson::validate_utf8(text.data(), text.size()); });
}

template <class Work>
void unmask_and_validate(benchmark::State& state, Work&& work) {
    std::string text = text_of(static_cast<Script>(state.range(0)), static_cast<std::size_t>(state.range(1)));
    const std::string expected = text;
    constexpr ws::MaskKey kKey = 0x5BC1'9E37;
    bench::Samples samples;
    for (auto _ : state) {
        ws::apply_mask(bytes_of(text), kKey);
        samples.start();
        const bool valid = work(bytes_of(text), kKey);
        samples.stop();
        if (!valid) return state.SkipWithError("valid text was refused");
    }
    if (text != expected) return state.SkipWithError("wrong bytes");
    state.counters["GB/s"] = static_cast<double>(text.size()) / samples.median_ns();
}

void two_passes(benchmark::State& state) {
    unmask_and_validate(state, [](std::span<std::byte> bytes, ws::MaskKey key) {
        ws::apply_mask(bytes, key);
        return ws::is_utf8(bytes);
    });
}

// One frame, at an odd place as a header leaves it.
void session(benchmark::State& state) {
    std::string text = text_of(static_cast<Script>(state.range(0)), static_cast<std::size_t>(state.range(1)));
    constexpr ws::MaskKey kKey = 0x5BC1'9E37;
    std::vector<std::byte> wire(ws::kMaxHeader + text.size());
    wire.resize(ws::encode_header(wire.data(), ws::Opcode::kText, true, text.size(), kKey) + text.size());
    const auto payload = std::span(wire).last(text.size());
    std::memcpy(payload.data(), text.data(), text.size());
    auto carries = ws::CarryPool::create(16);
    ws::SessionShared shared{1u << 30, *carries};
    ws::Session session;
    session.open(ws::Role::kServer);
    bench::Samples samples;
    for (auto _ : state) {
        ws::apply_mask(payload, kKey);
        std::span<std::byte> in(wire);
        samples.start();
        const ws::Step step = session.next(in, shared);
        samples.stop();
        if (!step.last || step.payload.size() != text.size()) return state.SkipWithError("no message");
    }
    if (std::memcmp(payload.data(), text.data(), text.size()) != 0) return state.SkipWithError("wrong bytes");
    state.counters["GB/s"] = static_cast<double>(text.size()) / samples.median_ns();
}

void texts(benchmark::internal::Benchmark* b, std::initializer_list<std::int64_t> sizes) {
    for (const std::int64_t script : {kAscii, kMixed, kCjk})
        for (const std::int64_t size : sizes)
            b->Args({script, size});
}
void short_and_long(benchmark::internal::Benchmark* b) {
    texts(b, {32, 125, 1000, 16384, 1 << 20});
}
void beyond_caches(benchmark::internal::Benchmark* b) {
    texts(b, {16384, 1 << 20, 8 << 20, 64 << 20});
}
BENCHMARK(millrace_utf8)->Name("utf8/millrace")->Apply(short_and_long);
BENCHMARK(simdjson_utf8)->Name("utf8/simdjson")->Apply(short_and_long);
BENCHMARK(session)->Name("unmask_text/millrace")->Apply(beyond_caches);
BENCHMARK(two_passes)->Name("unmask_text/two_passes")->Apply(beyond_caches);

}  // namespace
