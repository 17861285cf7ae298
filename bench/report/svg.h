#pragma once
// A chart 480 units wide, as inline SVG: axes, lines, labels. Colours come from the page's style sheet,
// by class, so that they follow light and dark.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::bench {

// Text that HTML and SVG take as such.
std::string escaped(std::string_view text);

class Svg {
  public:
    static constexpr double kWidth = 480, kLeft = 62, kRight = 12, kTop = 14;

    // `title` is read aloud in place of the picture.
    Svg(std::string_view title, double height);

    void line(double x1, double y1, double x2, double y2, std::string_view style);
    // Each with what is shown when it is pointed at.
    void rectangle(double x, double y, double width, double height, std::string_view style, double opacity,
                   std::string_view tip);
    void dot(double x, double y, std::string_view style, std::string_view tip);
    void path(const std::vector<std::pair<double, double>>& points, std::string_view style);
    // anchor: "start", "middle", "end".
    void text(double x, double y, std::string_view anchor, std::string_view text,
              std::string_view style = {});

    std::string done() { return std::move(svg_) + "</svg>\n"; }

  private:
    std::string svg_;
};

// Values on a logarithmic axis, as places between `from` and `to`.
class LogScale {
  public:
    LogScale(double least, double most, double from, double to);
    double operator()(double value) const;
    // The powers of ten on it.
    std::vector<double> decades() const;

  private:
    double least_, most_, from_, to_;  // exponents, places
};

}  // namespace millrace::bench
