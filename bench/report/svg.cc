#include "bench/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace millrace::bench {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

Svg::Svg(std::string_view title, double height)
    : svg_(fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kWidth, height,
                       escaped(title))) {}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view style) {
    fmt::format_to(std::back_inserter(svg_),
                   "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1,
                   x2, y2, style);
}

void Svg::rectangle(double x, double y, double width, double height, std::string_view style, double opacity,
                    std::string_view tip) {
    fmt::format_to(std::back_inserter(svg_),
                   "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" class=\"{}\" "
                   "fill-opacity=\"{:.2f}\"><title>{}</title></rect>\n",
                   x, y, width, height, style, opacity, escaped(tip));
}

void Svg::dot(double x, double y, std::string_view style, std::string_view tip) {
    fmt::format_to(std::back_inserter(svg_),
                   "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" class=\"{}\"><title>{}</title></circle>\n", x,
                   y, style, escaped(tip));
}

void Svg::path(const std::vector<std::pair<double, double>>& points, std::string_view style) {
    svg_ += "<polyline points=\"";
    for (const auto& [x, y] : points)
        fmt::format_to(std::back_inserter(svg_), "{:.1f},{:.1f} ", x, y);
    svg_ += fmt::format("\" class=\"{}\"/>\n", style);
}

void Svg::text(double x, double y, std::string_view anchor, std::string_view text, std::string_view style) {
    fmt::format_to(std::back_inserter(svg_),
                   "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n", x, y,
                   anchor, style, escaped(text));
}

LogScale::LogScale(double least, double most, double from, double to)
    : least_(std::floor(std::log10(std::max(least, 1e-9)))),
      most_(std::max(std::ceil(std::log10(std::max(most, 1e-9))), least_ + 1)),
      from_(from),
      to_(to) {}

double LogScale::operator()(double value) const {
    const double at = std::clamp(std::log10(std::max(value, 1e-9)), least_, most_);
    return from_ + (at - least_) / (most_ - least_) * (to_ - from_);
}

std::vector<double> LogScale::decades() const {
    std::vector<double> all;
    for (double exponent = least_; exponent <= most_; ++exponent)
        all.push_back(std::pow(10, exponent));
    return all;
}

}  // namespace millrace::bench
