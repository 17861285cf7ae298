#include "bench/load/options.h"

#include "bench/load/words.h"

namespace millrace::bench {
namespace {

void add_traffic_options(CLI::App& app, LoadWords& words, LoadOptions& options) {
    app.add_option("--in-flight", words.in_flight,
                   "closed loop: messages under way on each connection (default 1)");
    app.add_option("-R,--rate", words.rate,
                   "open loop: messages a second in all, latency from when each was due");
    app.add_option("-r,--rate-each", words.rate_each, "the same, of each connection");
    app.add_flag("--churn", words.churn, "connect, upgrade, one echo, close, again and again");
    app.add_flag("--no-echo", words.no_echo, "the server is no echo server: count what comes");
    app.add_option("--subscribe", words.subscribe,
                   "a file that each connection sends first, with its number for {n}; implies --no-echo");
    app.add_option("--processes", words.processes,
                   "uring: share it among so many processes, each of which may open so many files")
        ->capture_default_str();
    app.add_flag("--find-max-rate", options.find_rate,
                 "raise --rate from run to run, to the highest at which every --slo holds");
    app.add_option("--slo", words.slo, "what --find-max-rate has to keep, 'p99<1ms', repeatable");
}

}  // namespace

Expected<LoadOptions> parse_load_options(int argc, const char* const* argv) {
    LoadWords words;
    LoadOptions options;
    CLI::App app{"Connections and messages against any WebSocket server", "millrace-bench load"};
    words.add_to(app, options);
    add_traffic_options(app, words, options);
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    options.cores_given = app.count("--cores") != 0;
    if (auto values = words.values_of(options); !values) return tl::unexpected(values.error());
    return options;
}

}  // namespace millrace::bench
