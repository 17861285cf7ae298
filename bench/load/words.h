#pragma once
// What a load is asked for, as it is written on a command line, whatever the command calls it. For option
// parsers only, as ground_words.h.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "bench/load/options.h"
#include "engine/run/client_words.h"
#include "engine/run/ground_words.h"

namespace millrace::bench {

// Kept as text until all options are known; values_of() then turns them into values.
struct LoadWords {
    GroundWords ground;
    ClientWords client;
    std::string connections = "100";
    std::string connect_rate = "0";
    std::string in_flight;
    std::string rate;
    std::string rate_each;
    std::string schedule = "constant";
    std::string duration = "10s";
    std::string warm_up = "1s";
    std::string sizes = "32B";
    std::string text;
    std::string file;
    std::string subscribe;
    std::string source;
    std::string processes = "1";
    std::string seed = "1";
    std::vector<std::string> thresholds;
    std::vector<std::string> slo;
    bool no_echo = false;
    bool churn = false;

    // What every load has: server, carrier, connections, how long, and what is said. `app` parses into this
    // and `options`, which stay where they are until then.
    void add_to(CLI::App& app, LoadOptions& options);
    Expected<void> values_of(LoadOptions& options) const;
};

}  // namespace millrace::bench
