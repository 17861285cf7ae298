// permessage-deflate of market data, a message at a time: ns, and the compressed size to the plain one, with
// takeover and without. The messages are the recording that is beside the repository or that
// MILLRACE_RECORDING names; where there is none, generated ones of its shape.

#include <benchmark/benchmark.h>
#include <zlib.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "engine/deflate/compression.h"

namespace {

using namespace millrace;
using namespace millrace::ws;

constexpr std::size_t kMessages = 20'000;

std::vector<std::string> recorded() {
    const char* named = std::getenv("MILLRACE_RECORDING");
    const gzFile file = gzopen(named ? named : "../shared/data/binance-spot-ethusdt-20240808.gz", "rb");
    std::vector<std::string> messages;
    if (file == nullptr) return messages;
    std::vector<char> line(1 << 20);
    while (messages.size() < kMessages &&
           gzgets(file, line.data(), static_cast<int>(line.size())) != nullptr) {
        const std::string_view text(line.data());
        const std::size_t space = text.find(' ');  // behind the time of its arrival
        messages.emplace_back(text.substr(space + 1, text.size() - space - 2));
    }
    gzclose(file);
    return messages;
}

std::vector<std::string> generated() {
    std::mt19937_64 random(20240808);
    std::vector<std::string> messages;
    std::uint64_t update = 35346513501;
    for (std::size_t i = 0; i < kMessages; ++i) {
        update += random() % 9;
        const auto price =
            std::to_string(2683 + random() % 5) + "." + std::to_string(10 + random() % 90) + "000000";
        messages.push_back(R"({"stream":"ethusdt@bookTicker","data":{"u":)" + std::to_string(update) +
                           R"(,"s":"ETHUSDT","b":")" + price + R"(","B":"3.02920000","a":")" + price +
                           R"(","A":"31.43950000"}})");
    }
    return messages;
}

const std::vector<std::string>& messages() {
    static const std::vector<std::string> all = [] {
        auto found = recorded();
        return found.empty() ? generated() : found;
    }();
    return all;
}

// One connection's compression of `takeover`.
struct End {
    explicit End(bool takeover) : compression(*Compression::create(8 << 20, 1 << 20)) {
        DeflateParameters parameters{.server_takeover = takeover, .client_takeover = takeover};
        compression.agree(state, Role::kServer, parameters);
    }
    std::span<std::byte> compress(const std::string& message) {
        const std::span<std::byte> part(reinterpret_cast<std::byte*>(const_cast<char*>(message.data())),
                                        message.size());
        return compression.compress(state, std::span(&part, 1), message.size());
    }
    Compression compression;
    DeflateState state;
};

void deflate_market(benchmark::State& state) {
    End end(state.range(0) != 0);
    std::size_t next = 0, plain = 0, sent = 0;
    for (auto _ : state) {
        const std::string& message = messages()[next++ % messages().size()];
        const auto compressed = end.compress(message);
        plain += message.size();
        sent += compressed.empty() ? message.size() : compressed.size();
    }
    state.counters["ratio"] = static_cast<double>(sent) / static_cast<double>(plain);
    state.counters["bytes"] = static_cast<double>(plain) / static_cast<double>(state.iterations());
}
BENCHMARK(deflate_market)->Name("deflate/market_data")->ArgName("takeover")->Arg(0)->Arg(1);

// What every message becomes, in the order in which it was compressed; empty where it is sent plain.
std::vector<std::vector<std::byte>> compressed_messages(bool takeover) {
    End sender(takeover);
    std::vector<std::vector<std::byte>> all;
    for (const std::string& message : messages()) {
        const auto compressed = sender.compress(message);
        all.emplace_back(compressed.begin(), compressed.end());
    }
    return all;
}

void inflate_market(benchmark::State& state) {
    const bool takeover = state.range(0) != 0;
    const auto wire = compressed_messages(takeover);
    End end(takeover);
    std::vector<std::byte> room(1 << 20);
    std::size_t next = 0;
    for (auto _ : state) {
        const std::size_t at = next++ % wire.size();
        if (at == 0 && takeover) end.compression.inflater(end.state)->begin(15);
        if (wire[at].empty()) continue;
        Inflater* const inflater = end.compression.inflater(end.state);
        std::span<const std::byte> in(wire[at]);
        std::span<std::byte> out(room);
        const bool good =
            inflater->take(in, out) == InflateStatus::kTaken && inflater->end(out) == InflateStatus::kTaken;
        const std::string_view text(reinterpret_cast<const char*>(room.data()), room.size() - out.size());
        if (!good || text != messages()[at]) return state.SkipWithError("not the message that was sent");
        end.compression.message_ended(end.state);
    }
}
BENCHMARK(inflate_market)->Name("inflate/market_data")->ArgName("takeover")->Arg(0)->Arg(1);

}  // namespace
