#include "bench/report/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/options/units.h"

namespace millrace::bench {

namespace {

std::string time(double ns) {
    return format_duration(Duration(static_cast<std::int64_t>(ns)));
}

}  // namespace

std::string headline(const Contender& a, const Contender& b,
                     const std::vector<QuantileComparison>& compared) {
    std::string text = fmt::format("{} compared with {}:", b.name, a.name);
    for (const QuantileComparison& one : compared)
        text += fmt::format("{} {} at p{:.6g}", &one == compared.data() ? "" : ",", name_of(one.verdict),
                            one.percentile);
    return compared.empty() ? text + " too few messages" : text;
}

std::string how_compared(const Contender& a, const Contender& b) {
    std::string text = fmt::format(
        "Intervals hold 95 % of 1,000 distributions drawn anew from {} and {} run{}, by parts of a run.",
        a.runs.size(), b.runs.size(), a.runs.size() + b.runs.size() > 2 ? "s" : "");
    if (std::min(a.runs.size(), b.runs.size()) == 1)
        text += " What differs from run to run is not in them: --repeat 5 or more tells.";
    return text;
}

std::string comparison_table(const Contender& a, const Contender& b,
                             const std::vector<QuantileComparison>& compared) {
    std::string text = fmt::format("\n  A  {}\n  B  {}\n\n  {:>8} {:>10} {:>23} {:>10} {:>23} {:>7} {:>15}\n",
                                   a.name, b.name, "", "A", "95 %", "B", "95 %", "B / A", "95 %");
    for (const QuantileComparison& one : compared)
        text += fmt::format(
            "  {:>8} {:>10} {:>23} {:>10} {:>23} {:7.3f} {:>15}  {}\n",
            fmt::format("p{:.6g}", one.percentile), time(one.a_ns),
            fmt::format("{} - {}", time(one.a_interval.low), time(one.a_interval.high)), time(one.b_ns),
            fmt::format("{} - {}", time(one.b_interval.low), time(one.b_interval.high)), one.ratio,
            fmt::format("{:.3f} - {:.3f}", one.ratio_interval.low, one.ratio_interval.high),
            name_of(one.verdict));
    return text + "\n  " + how_compared(a, b) + "\n";
}

}  // namespace millrace::bench
