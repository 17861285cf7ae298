#include "bench/latency/latency.h"

#include <utility>

#include "bench/load/load.h"

namespace millrace::bench {

namespace {

LatencyResult latency_of(const LatencyOptions& options, LoadResult load) {
    const bool open_loop = options.mode == LoadMode::kOpenLoop;
    return {.mode = open_loop ? open_loop_name(options.arrivals) : "ping-pong",
            .url = options.url.text(),
            .connections = load.connections,
            .payload_bytes =
                options.content.text.empty() ? options.content.sizes.most : options.content.text.size(),
            .requested_per_s = load.requested_per_s,
            .rate_per_s = load.messages_per_s,
            .seconds = load.seconds,
            .measured_at = load.measured_at,
            .sent = load.sent,
            .unsent = load.unsent,
            .lost = load.lost,
            .corrupted = load.corrupted,
            .closed = load.closed,
            .retransmits = load.retransmits,
            .rtt_ns = load.rtt_ns,
            .service_ns = load.service_ns,
            .send_lag_ns = load.send_lag_ns,
            .latencies = std::move(load.latencies),
            .polls = std::move(load.polls),
            .missed = std::move(load.missed)};
}

}  // namespace

Expected<Result> run_latency(const LatencyOptions& options, int argc, const char* const* argv) {
    auto result = run_load(options, argc, argv);
    if (!result) return result;
    result->program = "millrace-bench latency";
    if (result->load) result->latency = latency_of(options, std::move(*result->load));
    result->load.reset();
    return result;
}

}  // namespace millrace::bench
