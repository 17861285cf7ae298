#include "bench/export/csv.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::bench {

std::string csv(const Latencies& latencies) {
    std::string text = "histogram,value_ns,count,percentile\n";
    const auto add = [&text](std::string_view name, const Histogram& histogram) {
        const auto all = static_cast<double>(histogram.count());
        std::uint64_t so_far = 0;
        histogram.visit([&](std::uint64_t end, std::uint64_t count) {
            so_far += count;
            text += fmt::format("{},{},{},{:.9g}\n", name, std::min(end, histogram.max()), count,
                                100 * static_cast<double>(so_far) / all);
        });
    };
    add("rtt", latencies.rtt());
    add("service", latencies.service);
    add("send_lag", latencies.send_lag);
    return text;
}

}  // namespace millrace::bench
