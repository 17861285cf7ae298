#include "bench/report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/report/svg.h"
#include "engine/options/units.h"

namespace millrace::bench {

namespace {

using Json = nlohmann::json;

constexpr double kPlot = 250;  // the x axis of a chart with nothing below it
constexpr double kEnd = Svg::kWidth - Svg::kRight;

std::string time_text(double ns) {
    return format_duration(Duration(static_cast<std::int64_t>(ns)));
}

std::string color(const char* kind, std::size_t i) {
    return fmt::format("{} c{}", kind, i % 6);
}

void time_axis(Svg& svg, const LogScale& y) {
    for (const double decade : y.decades()) {
        svg.line(Svg::kLeft, y(decade), kEnd, y(decade), "grid");
        svg.text(Svg::kLeft - 6, y(decade) + 4, "end", time_text(decade));
    }
}

// Seconds, below the plot.
void run_axis(Svg& svg, double seconds, double at) {
    constexpr int kSteps = 4;
    for (int i = 0; i <= kSteps; ++i) {
        const double x = Svg::kLeft + (kEnd - Svg::kLeft) * i / kSteps;
        svg.text(x, at + 16,
                 i == 0        ? "start"
                 : i == kSteps ? "end"
                               : "middle",
                 fmt::format("{:.3g} s", seconds * i / kSteps));
    }
}

// The least and the most latency that any cell or value has.
void take(double value, double& least, double& most) {
    if (value <= 0) return;
    least = least == 0 ? value : std::min(least, value);
    most = std::max(most, value);
}

double nines(double percentile) {
    return -std::log10(1 - percentile / 100);
}

double seconds_of(const Json& heat) {
    return heat.at("columns").get<double>() * heat.at("column_ns").get<double>() / 1e9;
}

}  // namespace

std::string percentile_chart(const std::vector<Curve>& curves) {
    constexpr double kSteps = 160;
    double least = 0, most = 0, last = 1;
    for (const Curve& curve : curves) {
        take(static_cast<double>(curve.rtt.percentile(0.1)), least, most);
        take(static_cast<double>(curve.rtt.max()), least, most);
        if (curve.service.count() != 0) take(static_cast<double>(curve.service.percentile(0.1)), least, most);
        last =
            std::max(last, std::log10(static_cast<double>(std::max<std::uint64_t>(curve.rtt.count(), 10))));
    }
    last = std::min(std::floor(last), 7.0);
    Svg svg("Latency by percentile", kPlot + 34);
    const LogScale y(least, most, kPlot, Svg::kTop);
    time_axis(svg, y);
    const auto x = [last](double at) { return Svg::kLeft + (kEnd - Svg::kLeft) * at / last; };
    for (double nine = 0; nine <= last; ++nine) {
        const double percentile = 100 * (1 - std::pow(10, -nine));
        svg.line(x(nine), Svg::kTop, x(nine), kPlot, "grid");
        svg.text(x(nine), kPlot + 16,
                 nine == 0      ? "start"
                 : nine == last ? "end"
                                : "middle",
                 fmt::format("{:.6g} %", percentile));
    }
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const auto draw = [&](const Histogram& histogram, const std::string& style) {
            std::vector<std::pair<double, double>> points;
            for (double step = 0; step <= kSteps; ++step) {
                const double at = last * step / kSteps;
                const auto value = histogram.percentile(100 * (1 - std::pow(10, -at)));
                points.emplace_back(x(at), y(static_cast<double>(value)));
            }
            svg.path(points, style);
        };
        if (curves[i].service.count() != 0) draw(curves[i].service, color("line dashed", i));
        draw(curves[i].rtt, color("line", i));
        for (const double percentile : {50.0, 90.0, 99.0, 99.9, 99.99, 99.999}) {
            if (nines(percentile) > last) break;
            const auto value = static_cast<double>(curves[i].rtt.percentile(percentile));
            svg.dot(x(nines(percentile)), y(value), color("dot", i),
                    fmt::format("{}: {:.6g} % within {}", curves[i].name, percentile, time_text(value)));
        }
    }
    return svg.done();
}

std::string heat_chart(const Json& latency, const std::string& title) {
    constexpr double kGapsTop = kPlot + 34, kGapsHeight = 56;
    const Json& heat = latency.at("histograms").at("heat_map");
    const Json& cells = heat.at("cells");
    const auto columns = heat.at("columns").get<double>();
    const auto begins = heat.at("row_begins_ns").get<std::vector<double>>();
    const Json& cores = latency.at("cores");
    double least = 0, most = 0, fullest = 1;
    for (const Json& cell : cells) {
        const auto row = cell.at(1).get<std::size_t>();
        take(begins.at(row), least, most);
        take(row + 1 < begins.size() ? begins[row + 1] : begins[row], least, most);
        fullest = std::max(fullest, cell.at(2).get<double>());
    }
    const double height =
        kGapsTop + (kGapsHeight + 8) * static_cast<double>(std::max<std::size_t>(cores.size(), 1)) + 24;
    Svg svg(title, height);
    const LogScale y(std::max(least, 1.0), most, kPlot, Svg::kTop);
    time_axis(svg, y);
    const double width = (kEnd - Svg::kLeft) / columns;
    for (const Json& cell : cells) {
        const auto row = cell.at(1).get<std::size_t>();
        const auto count = cell.at(2).get<double>();
        const double begin = std::max(begins.at(row), 1.0);
        const double end = row + 1 < begins.size() ? begins[row + 1] : begin * 1.25;
        const double column = cell.at(0).get<double>();
        svg.rectangle(Svg::kLeft + column * width, y(end), width, std::max(y(begin) - y(end), 0.5), "heat",
                      0.15 + 0.85 * std::log(1 + count) / std::log(1 + fullest),
                      fmt::format("{:.3g} s: {:.0f} messages in {} - {}", column * seconds_of(heat) / columns,
                                  count, time_text(begin), time_text(end)));
    }
    // Gaps, one strip a core, the longer the higher: 10 us to 100 ms.
    const double whole = seconds_of(heat) * 1e9;
    for (std::size_t i = 0; i < cores.size(); ++i) {
        const double bottom = kGapsTop + (kGapsHeight + 8) * static_cast<double>(i) + kGapsHeight;
        const LogScale up(1e4, 1e8, bottom, bottom - kGapsHeight + 12);
        svg.line(Svg::kLeft, bottom, kEnd, bottom, "axis");
        svg.text(Svg::kLeft, bottom - kGapsHeight + 6, "start",
                 fmt::format("gaps in core {}'s idle loop, {} to {}", cores[i].at("core").get<unsigned>(),
                             time_text(1e4), time_text(1e8)));
        for (const Json& gap : cores[i].at("longest_gaps_at_ns")) {
            const double at = gap.at(0).get<double>(), length = gap.at(1).get<double>();
            const double x = Svg::kLeft + (kEnd - Svg::kLeft) * std::min(at / whole, 1.0);
            svg.rectangle(x, up(length), 1, std::max(bottom - up(length), 1.0), "gap", 1,
                          fmt::format("{:.4g} s: away for {}", at / 1e9, time_text(length)));
        }
    }
    run_axis(svg, seconds_of(heat), height - 24);
    return svg.done();
}

std::string throughput_chart(const std::vector<const Json*>& latencies,
                             const std::vector<std::string>& names) {
    std::vector<std::vector<double>> rates;
    double most = 1, seconds = 0;
    for (const Json* latency : latencies) {
        const Json& heat = latency->at("histograms").at("heat_map");
        auto& rate = rates.emplace_back(heat.at("columns").get<std::size_t>(), 0.0);
        const double column = heat.at("column_ns").get<double>() / 1e9;
        for (const Json& cell : heat.at("cells"))
            rate.at(cell.at(0).get<std::size_t>()) += cell.at(2).get<double>() / std::max(column, 1e-9);
        most = std::max(most, *std::max_element(rate.begin(), rate.end()));
        seconds = std::max(seconds, seconds_of(heat));
    }
    Svg svg("Messages a second", kPlot + 34);
    constexpr int kSteps = 4;
    most *= 1.1;
    const auto y = [most](double value) { return kPlot - (kPlot - Svg::kTop) * value / most; };
    for (int i = 0; i <= kSteps; ++i) {
        const double value = most * i / kSteps;
        svg.line(Svg::kLeft, y(value), kEnd, y(value), "grid");
        svg.text(Svg::kLeft - 6, y(value) + 4, "end", format_count(value));
    }
    for (std::size_t i = 0; i < rates.size(); ++i) {
        const auto n = static_cast<double>(rates[i].size());
        std::vector<std::pair<double, double>> points;
        for (std::size_t k = 0; k < rates[i].size(); ++k)
            points.emplace_back(Svg::kLeft + (kEnd - Svg::kLeft) * (static_cast<double>(k) + 0.5) / n,
                                y(rates[i][k]));
        svg.path(points, color("line", i));
        for (std::size_t k = 0; k < points.size(); k += 10)
            svg.dot(points[k].first, points[k].second, color("dot", i),
                    fmt::format("{}: {} a second", names[i], format_count(rates[i][k])));
    }
    run_axis(svg, seconds, kPlot);
    return svg.done();
}

}  // namespace millrace::bench
