#include "bench/latency/latency.h"

#include <cstdio>
#include <utility>

#include "bench/control/interrupt.h"
#include "bench/export/csv.h"
#include "bench/export/hdr_log.h"
#include "bench/export/percentile_text.h"
#include "bench/load/load.h"
#include "bench/report/page.h"
#include "bench/report/recorded.h"
#include "bench/report/report.h"
#include "bench/result/outcome.h"
#include "bench/result/result_file.h"
#include "bench/result/table.h"

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

Expected<Result> run_once(const LatencyOptions& options, int argc, const char* const* argv) {
    auto result = run_load(options, argc, argv);
    if (!result) return result;
    result->program = "millrace-bench latency";
    if (result->load) result->latency = latency_of(options, std::move(*result->load));
    result->load.reset();
    return result;
}

// What other tools read. Of several runs: of the last.
Expected<void> write_exports(const LatencyOptions& options, const Result& run) {
    if (!run.latency) return {};
    const LatencyResult& latency = *run.latency;
    if (options.hgrm)
        if (auto written = write_text(percentile_text(latency.latencies.rtt()), *options.hgrm); !written)
            return written;
    if (options.hlog)
        if (auto written =
                write_text(hdr_log(latency.latencies, latency.measured_at, latency.seconds), *options.hlog);
            !written)
            return written;
    if (options.csv) return write_text(csv(latency.latencies), *options.csv);
    return {};
}

// The runs are compared as their result file has them: the report of the file says the same.
int conclude_several(const LatencyOptions& options, const std::vector<Result>& runs) {
    // Standard output is for one of the two, as in conclude().
    std::FILE* const out = options.json == "-" ? stderr : stdout;
    for (const Result& run : runs)
        std::fputs(table(run).c_str(), out);
    if (options.json)
        if (const auto written = write_text(text_of(runs), *options.json); !written)
            return complain("millrace-bench", written.error().message);
    const auto contenders = read_contenders(text_of(runs), "the run");
    if (!contenders) return complain("millrace-bench", contenders.error().message);
    return show_report(*contenders, options.html, out);
}

int conclude_one(const LatencyOptions& options, const Result& run) {
    const int status = conclude("millrace-bench", run, options.json);
    if (!options.html || status == kUsage || !run.latency) return status;
    const auto contenders = read_contenders(text_of(run), "the run");
    if (!contenders) return complain("millrace-bench", contenders.error().message);
    const auto written = write_text(page(*contenders, {}), *options.html);
    return written ? status : complain("millrace-bench", written.error().message);
}

}  // namespace

Expected<std::vector<Result>> run_latency(const LatencyOptions& options, int argc, const char* const* argv) {
    std::vector<Result> runs;
    for (std::uint64_t n = 0; n < options.repeat; ++n) {
        std::vector<LatencyOptions> turn(options.versus ? 2 : 1, options);
        if (options.versus) turn.back().url = *options.versus;
        for (const LatencyOptions& one : turn) {
            auto run = run_once(one, argc, argv);
            if (!run) return tl::unexpected(run.error());
            runs.push_back(std::move(*run));
            if (interrupted()) return runs;
        }
    }
    return runs;
}

int latency_command(int argc, const char* const* argv) {
    const auto options = parse_latency_options(argc, argv);
    if (!options) return complain("millrace-bench", options.error().message);
    const auto runs = run_latency(*options, argc + 1, argv - 1);  // the result shows the whole command
    if (!runs) return complain("millrace-bench", runs.error().message);
    if (const auto written = write_exports(*options, runs->back()); !written)
        return complain("millrace-bench", written.error().message);
    return runs->size() == 1 ? conclude_one(*options, runs->front()) : conclude_several(*options, *runs);
}

}  // namespace millrace::bench
