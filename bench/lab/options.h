#pragma once
// The lab's command line.

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/timing/schedule.h"
#include "netstack/base/error.h"
#include "netstack/base/time.h"
#include "netstack/tcp/config.h"

namespace millrace::bench {

struct LabOptions {
    std::uint64_t connections = 100'000;
    std::uint64_t echo_connections = 1'000;
    std::uint64_t payload = 32;   // bytes
    std::uint64_t in_flight = 1;  // messages a connection
    Duration duration = 5s;       // of the echo and of the latency stage each, warm-up not counted
    double rate = 0;              // of the latency stage, messages a second; zero: ping-pong
    Arrivals arrivals = Arrivals::kConstant;
    Duration ping_interval{};  // of the server's pings to silent connections; zero: none
    Duration hold_for{};       // how long the hold stage holds them all
    bool fanout = false;
    std::uint64_t fanout_subscribers = 10'000;
    std::uint64_t fanout_topics = 1;
    std::uint64_t fanout_each = 1;       // topics of a subscriber
    std::uint64_t fanout_payload = 128;  // bytes
    std::uint64_t fanout_burst = 16;     // messages at once, in the turn where they share segments
    std::uint64_t fanout_stalled = 0;    // subscribers that stop reading, in a turn more
    double fanout_rate = 0;              // messages a second; 0: as many as there is time for
    bool connect = true, hold = true, echo = true, scatter = true, latency = true, churn = true, close = true;
    std::vector<unsigned> server_cores;  // one shard each; a core may be named more than once
    std::vector<unsigned> client_cores;
    std::uint64_t seed = 1;
    bool checksums = true;
    bool ipv6 = false;
    tcp::Preset tcp = tcp::Preset::kLatency;  // of both ends
    std::string eal;                          // empty: the embedded default
    std::optional<std::string> json;          // "-": standard output
};

// As typed, before it is judged as a whole.
struct LabArguments {
    LabOptions options;
    std::optional<std::uint64_t> connections, echo_connections, rate;
    std::vector<std::string> stages;
    std::vector<unsigned> cores;
};

// Adds the options to `command`; CLI11 reports what it cannot read.
void add_lab_options(CLI::App& command, LabArguments& arguments);

// Judges the options together and fills in what was left open, for a process that may run on `cpus`.
Expected<LabOptions> resolve(const LabArguments& arguments, const std::vector<unsigned>& cpus);

}  // namespace millrace::bench
