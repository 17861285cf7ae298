#pragma once
// The command line of `millrace-bench load`.

#include <optional>
#include <string>
#include <vector>

#include "bench/load/threshold.h"
#include "bench/timing/schedule.h"
#include "bench/traffic/content.h"
#include "engine/client/dialer.h"
#include "engine/client/url.h"
#include "engine/run/ground_options.h"
#include "engine/tls/client_context.h"

namespace millrace::bench {

enum class LoadMode : std::uint8_t {
    kClosedLoop,  // each connection always has the same number of messages under way
    kOpenLoop,    // messages leave by a timetable (schedule.h), answered or not
    kListen,      // nothing is sent, what comes is counted
    kChurn,       // connect, upgrade, one echo, close, and again
};

// max_connections is of a shard, as everywhere; the other numbers are of all shards together.
struct LoadOptions : GroundOptions {
    client::Url url;
    client::DialOptions dial;
    tls::ClientConfig tls;
    std::uint64_t connections = 100;
    double connect_rate = 0;  // openings a second; 0: as fast as they are answered
    LoadMode mode = LoadMode::kClosedLoop;
    std::uint64_t in_flight = 1;  // closed loop: messages a connection
    double rate = 0;              // open loop: messages a second
    Arrivals arrivals = Arrivals::kConstant;
    bool echo = true;  // the server says again what it hears
    ContentOptions content;
    std::string subscribe;  // said first by each connection, with its number for {n}; empty: nothing
    Duration duration = 10s;
    Duration warm_up = 1s;
    // uring: our addresses, in turn; unspecified: the kernel chooses.
    net::IpAddress first_source, last_source;
    unsigned processes = 1;             // that do it together, as asked for
    unsigned processes_here = 1;        // likewise, on this machine, whoever started them (part.h)
    unsigned processes_on_sources = 1;  // of them, those that connect from the same addresses
    bool cores_given = false;           // else several processes share all CPUs
    std::vector<Threshold> thresholds;
    bool find_rate = false;  // the highest rate at which `slo` holds, from `rate` on
    std::vector<Threshold> slo;
    std::optional<std::string> json;  // "-": standard output

    std::uint64_t sources() const { return last_source.low - first_source.low + 1; }
};

// What the command line means, or one sentence about what is wrong with it. `--help` prints and ends the
// process.
Expected<LoadOptions> parse_load_options(int argc, const char* const* argv);

}  // namespace millrace::bench
