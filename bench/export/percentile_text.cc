#include "bench/export/percentile_text.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace millrace::bench {

namespace {

constexpr double kUnit = 1000;  // ns in a microsecond

double deviation(const Histogram& histogram) {
    const double mean = histogram.mean();
    double squares = 0;
    histogram.visit([&](std::uint64_t end, std::uint64_t count) {
        const double away = static_cast<double>(end) - mean;
        squares += away * away * static_cast<double>(count);
    });
    const auto n = static_cast<double>(histogram.count());
    return n > 0 ? std::sqrt(squares / n) : 0;
}

// The next percentile above `p` to be told of, in percent.
double next_percentile(double p) {
    constexpr double kTicks = 5;
    const double halvings = std::floor(std::log2(100 / (100 - p))) + 1;
    return p + 100 / (kTicks * std::pow(2, halvings));
}

}  // namespace

std::string percentile_text(const Histogram& histogram) {
    std::string text = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount",
                                   "1/(1-Percentile)");
    const std::uint64_t all = histogram.count();
    double wanted = 0;
    std::uint64_t so_far = 0;
    const auto out = std::back_inserter(text);
    histogram.visit([&](std::uint64_t end, std::uint64_t count) {
        so_far += count;
        const double reached = 100 * static_cast<double>(so_far) / static_cast<double>(all);
        const double value = static_cast<double>(std::min(end, histogram.max())) / kUnit;
        for (; so_far < all && wanted <= reached; wanted = next_percentile(wanted))
            fmt::format_to(out, "{:12.3f} {:2.12f} {:10} {:14.2f}\n", value, wanted / 100, so_far,
                           1 / (1 - wanted / 100));
    });
    if (all != 0)
        fmt::format_to(out, "{:12.3f} {:2.12f} {:10}\n", static_cast<double>(histogram.max()) / kUnit, 1.0,
                       all);
    fmt::format_to(out, "#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", histogram.mean() / kUnit,
                   deviation(histogram) / kUnit);
    fmt::format_to(out, "#[Max     = {:12.3f}, Total count    = {:12}]\n",
                   static_cast<double>(histogram.max()) / kUnit, all);
    fmt::format_to(out, "#[Buckets = {:12}, SubBuckets     = {:12}]\n", 26, 2048);
    return text;
}

}  // namespace millrace::bench
