#pragma once
// What a shard puts down on Order::kReport.

#include <cstdint>
#include <map>
#include <string>

#include "bench/lab/stalls.h"

namespace millrace::bench {

struct Report {
    std::uint64_t memory_in_use = 0;  // bytes: carrier and endpoint, measured
    std::uint64_t connections = 0;
    std::map<std::string, std::uint64_t> counters;  // the carrier's and the endpoint's
    Stalls stalls;                                  // since the last one
};

// What has been measured of the turns is put down and begins anew.
template <class Carrier, class Endpoint, class Meter>
Report make_report(const Carrier& carrier, const Endpoint& endpoint, Meter& meter) {
    Report report;
    report.stalls = meter.stalls();
    meter.reset();
    report.memory_in_use = carrier.memory_in_use() + endpoint.memory_in_use();
    report.connections = carrier.connections();
    const auto add = [&report](std::string_view name, std::uint64_t value) {
        report.counters[std::string(name)] += value;
    };
    carrier.visit_counters(add);
    endpoint.counters().visit(add);
    return report;
}

}  // namespace millrace::bench
