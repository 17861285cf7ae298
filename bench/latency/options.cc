#include "bench/latency/options.h"

#include "bench/load/words.h"
#include "engine/options/units.h"

namespace millrace::bench {

Expected<LatencyOptions> parse_latency_options(int argc, const char* const* argv) {
    LoadWords words;
    LatencyOptions options;
    bool ping_pong = false;
    words.connections = "1";
    CLI::App app{"How long a WebSocket server's answers take, of messages that leave by a timetable",
                 "millrace-bench latency"};
    words.add_to(app, options);
    app.add_option("-r,--rate", words.rate, "messages a second in all, answered or not (default 1k)");
    app.add_flag("--ping-pong", ping_pong,
                 "instead: one message under way on each connection, the next when it is answered");
    std::string repeat = "1", versus;
    app.add_option("--repeat", repeat, "so many runs; with --vs in turns with those of the other")
        ->capture_default_str();
    app.add_option("--vs", versus, "the URL of a server that is compared with this one");
    app.add_option("--hgrm", options.hgrm,
                   "write the percentiles here, as HdrHistogram's plotter reads them");
    app.add_option("--hlog", options.hlog, "write an HdrHistogram log here (V2, compressed)");
    app.add_option("--csv", options.csv, "write the histograms here as a table");
    app.add_option("--html", options.html, "write a page with charts here, which needs nothing else");
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    if (ping_pong && (!words.rate.empty() || app.count("--schedule") != 0))
        return fail("--ping-pong sends when it was answered: leave out --rate and --schedule");
    if (ping_pong)
        words.in_flight = "1";
    else if (words.rate.empty())
        words.rate = "1k";
    options.cores_given = app.count("--cores") != 0;
    if (auto values = words.values_of(options); !values) return tl::unexpected(values.error());
    if (auto count = parse_one("--repeat", repeat, parse_count, options.repeat); !count)
        return tl::unexpected(count.error());
    if (options.repeat == 0 || options.repeat > 1000) return fail("--repeat must be between 1 and 1,000");
    if (!versus.empty()) {
        auto url = client::parse_url(versus);
        if (!url) return fail("--vs: " + url.error().message);
        options.versus = std::move(*url);
    }
    if ((options.repeat > 1 || options.versus) && options.net == Net::kDpdk)
        return fail(
            "--repeat and --vs belong to --net uring: over DPDK make single runs, and compare their "
            "--json files with millrace-bench report");
    return options;
}

}  // namespace millrace::bench
