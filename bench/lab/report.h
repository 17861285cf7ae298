#pragma once
// What a shard puts down on Order::kReport.

#include <cstdint>
#include <map>
#include <string>

namespace millrace::bench {

struct Report {
    std::uint64_t memory_in_use = 0;  // bytes: carrier and endpoint, measured
    std::uint64_t connections = 0;
    std::map<std::string, std::uint64_t> counters;  // the carrier's and the endpoint's
};

template <class Carrier, class Endpoint>
Report make_report(const Carrier& carrier, const Endpoint& endpoint) {
    Report report;
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
