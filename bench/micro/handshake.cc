// The opening handshake of one connection at the server: the request parsed, judged and answered.
// handshake_beast.cc has the same work done by Boost.Beast.

#include "engine/handshake/handshake.h"

#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>

#include "bench/micro/requests.h"
#include "engine/http/message.h"

namespace {

using namespace millrace;

void parse(benchmark::State& state, const std::string& text) {
    const auto request = std::make_unique<http::Request>();
    for (auto _ : state) {
        auto result = http::parse_request(text, *request, {});
        benchmark::DoNotOptimize(result);
    }
}
BENCHMARK_CAPTURE(parse, bare, bench::bare_request())->Name("handshake/parse_request/bare");
BENCHMARK_CAPTURE(parse, browser, bench::browser_request())->Name("handshake/parse_request/browser");

void accept_key(benchmark::State& state) {
    std::array<char, 28> out;
    for (auto _ : state) {
        ws::accept_key("dGhlIHNhbXBsZSBub25jZQ==", out);
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK(accept_key)->Name("handshake/accept_key");

void upgrade(benchmark::State& state, const std::string& text) {
    const auto request = std::make_unique<http::Request>();
    const ws::UpgradePolicy policy;
    std::array<char, 1024> out;
    for (auto _ : state) {
        if (http::parse_request(text, *request, {}).status != http::ParseStatus::kComplete)
            return state.SkipWithError("the request was not taken");
        const ws::Judgement judgement = ws::judge(*request, policy);
        if (judgement.verdict != ws::Verdict::kUpgrade)
            return state.SkipWithError("the upgrade was not taken");
        std::size_t n = ws::write_switching_protocols(out, judgement);
        benchmark::DoNotOptimize(n);
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK_CAPTURE(upgrade, bare, bench::bare_request())->Name("handshake/upgrade/bare");
BENCHMARK_CAPTURE(upgrade, browser, bench::browser_request())->Name("handshake/upgrade/browser");

}  // namespace
