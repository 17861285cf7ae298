#include "bench/latency/options.h"

#include "bench/load/words.h"

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
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    if (ping_pong && (!words.rate.empty() || app.count("--schedule") != 0))
        return fail("--ping-pong sends when it was answered: leave out --rate and --schedule");
    if (ping_pong)
        words.in_flight = "1";
    else if (words.rate.empty())
        words.rate = "1k";
    options.cores_given = app.count("--cores") != 0;
    if (auto values = words.values_of(options); !values) return tl::unexpected(values.error());
    return options;
}

}  // namespace millrace::bench
