// The `millrace-bench` program. Its exit statuses: result/outcome.h.

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "bench/bulk/bulk.h"
#include "bench/bulk/options.h"
#include "bench/lab/lab.h"
#include "bench/lab/options.h"
#include "bench/latency/latency.h"
#include "bench/load/load.h"
#include "bench/load/options.h"
#include "bench/report/report.h"
#include "bench/result/outcome.h"
#include "netstack/eal/eal.h"

namespace {

using namespace millrace;
using namespace millrace::bench;

int complain(const std::string& sentence) {
    return bench::complain("millrace-bench", sentence);
}

template <class Options, class Run>
int measure(const Expected<Options>& options, Run run, int argc, char** argv) {
    if (!options) return complain(options.error().message);
    return conclude("millrace-bench", run(*options, argc, argv), options->json);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "load")
        return measure(parse_load_options(argc - 1, argv + 1), run_load, argc, argv);
    if (argc > 1 && std::string_view(argv[1]) == "latency") return latency_command(argc - 1, argv + 1);
    if (argc > 1 && std::string_view(argv[1]) == "report") return report_command(argc - 1, argv + 1);
    CLI::App app("Measures WebSocket engines: connections, throughput, latency.", "millrace-bench");
    app.require_subcommand(1);
    LabArguments lab_arguments;
    CLI::App* const lab =
        app.add_subcommand("lab", "both ends in one process, joined by a cable instead of a network");
    add_lab_options(*lab, lab_arguments);
    BulkArguments bulk_arguments;
    CLI::App* const bulk = app.add_subcommand("bulk", "bytes over one TCP connection, joined as in the lab");
    add_bulk_options(*bulk, bulk_arguments);
    app.add_subcommand("load", "connections and messages against any WebSocket server");
    app.add_subcommand("latency",
                       "how long any WebSocket server's answers take, with a verdict on the run itself");
    app.add_subcommand("report", "result files of latency runs, compared, and as a page with charts");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        const char* command = lab->parsed() ? "lab " : bulk->parsed() ? "bulk " : "";
        return complain(error.what() + std::string("; see millrace-bench ") + command + "--help");
    }
    const auto cpus = net::allowed_cpus();
    if (bulk->parsed()) return measure(resolve(bulk_arguments, cpus), run_bulk, argc, argv);
    return measure(resolve(lab_arguments, cpus), run_lab, argc, argv);
}
