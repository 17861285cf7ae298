// The opening handshake of one connection at the server: a request of the size that plain clients send,
// parsed, judged and answered.

#include "engine/handshake/handshake.h"

#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>

#include "engine/http/message.h"

namespace {

using namespace millrace;

std::string plain_request() {
    return "GET /echo HTTP/1.1\r\n"
           "Host: 10.0.0.1:9001\r\n"
           "Upgrade: websocket\r\n"
           "Connection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Version: 13\r\n"
           "\r\n";
}

void parse(benchmark::State& state) {
    const std::string text = plain_request();
    const auto request = std::make_unique<http::Request>();
    for (auto _ : state) {
        auto result = http::parse_request(text, *request, {});
        benchmark::DoNotOptimize(result);
    }
}
BENCHMARK(parse)->Name("handshake/parse_request");

void accept_key(benchmark::State& state) {
    std::array<char, 28> out;
    for (auto _ : state) {
        ws::accept_key("dGhlIHNhbXBsZSBub25jZQ==", out);
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK(accept_key)->Name("handshake/accept_key");

void upgrade(benchmark::State& state) {
    const std::string text = plain_request();
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
    }
}
BENCHMARK(upgrade)->Name("handshake/upgrade");

}  // namespace
