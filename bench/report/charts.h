#pragma once
// The report's pictures. Each is an <svg> with a title, units, and values to be pointed at.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/report/recorded.h"

namespace millrace::bench {

// Latency by percentile, the tail drawn out: each nine takes as much room as the one before. `service`:
// dashed.
struct Curve {
    std::string name;
    Histogram rtt, service;
};
std::string percentile_chart(const std::vector<Curve>& curves);

// Of one run's latency stage: how often each latency occurred over the time, and below it, on the same axis,
// the gaps that each core's idle loop noted.
std::string heat_chart(const nlohmann::json& latency, const std::string& title);

// Messages a second over the time, answered, by when they were due.
std::string throughput_chart(const std::vector<const nlohmann::json*>& latencies,
                             const std::vector<std::string>& names);

}  // namespace millrace::bench
