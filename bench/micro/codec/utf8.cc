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

void validate(benchmark::State& state) {
    std::string text = text_of(static_cast<Script>(state.range(0)), static_cast<std::size_t>(state.range(1)));
    std::string bad = text;
    bad[bad.size() / 2] = '\xFF';
    const auto ours = [](const std::string& s) { return ws::is_utf8(std::as_bytes(std::span(s))); };
    const auto simdjson = [](const std::string& s) { return simdjson::validate_utf8(s.data(), s.size()); };
    if (!ours(text) || ours(bad)) return state.SkipWithError("the wrong answer");
    const std::size_t rounds = std::max<std::size_t>(1, (64 << 10) / text.size());
    const auto time = [&](bench::Samples& samples, const auto& valid) {
        samples.start();
        for (std::size_t i = 0; i < rounds; ++i)
            benchmark::DoNotOptimize(valid(text));
        samples.stop();
    };
    bench::Samples of_ours, of_simdjson;
    for (auto _ : state) {
        time(of_ours, ours);
        time(of_simdjson, simdjson);
    }
    bench::report_rates(state, rounds * text.size(), of_ours, of_simdjson);
}

// One frame, at an odd place as a header leaves it: as the session takes it, and in two passes.
void unmask_and_validate(benchmark::State& state) {
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
    const auto right = [&] { return std::memcmp(payload.data(), text.data(), text.size()) == 0; };
    bench::Samples fused, two_passes;
    for (auto _ : state) {
        ws::apply_mask(payload, kKey);
        std::span<std::byte> in(wire);
        fused.start();
        const ws::Step step = session.next(in, shared);
        fused.stop();
        if (!step.last || step.payload.size() != text.size() || !right())
            return state.SkipWithError("no message, or a wrong one");
        ws::apply_mask(payload, kKey);
        two_passes.start();
        ws::apply_mask(payload, kKey);
        const bool valid = ws::is_utf8(payload);
        two_passes.stop();
        if (!valid || !right()) return state.SkipWithError("valid text was refused, or changed");
    }
    bench::report_rates(state, text.size(), fused, two_passes);
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
BENCHMARK(validate)->Name("utf8")->Apply(short_and_long);
BENCHMARK(unmask_and_validate)->Name("unmask_text")->Apply(beyond_caches);

}  // namespace
