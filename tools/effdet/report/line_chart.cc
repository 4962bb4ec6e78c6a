// Draws curves, their key and marks.
#include "report/line_chart.h"

#include <fmt/format.h>

namespace effdet::cli {
namespace {

constexpr double kPlaneHeight = 230, kPlaneLeft = 52, kPlaneTop = 34, kChartMargin = 14, kPlaneEdge = 22;

}  // namespace

Svg line_chart(const LineChart& chart) {
  std::vector<KeyEntry> key;
  for (size_t i = 0; i < chart.curves.size(); ++i)
    key.push_back({fmt::format("{}{}", chart.is_ramp ? 'r' : 'c', i), chart.curves[i].name, true});
  const double key_width = kChartWidth - 2 * kChartMargin, key_top = kPlaneTop + kPlaneHeight + 42;
  const double height = key_top + key_height(key, key_width) + 8;

  Svg svg(kChartWidth, height, chart_css(), chart.title, chart.description);
  svg.rectangle({}, kChartWidth, height, "paper");
  svg.text({kChartMargin, 20}, chart.title, "title");
  const Plot plot(svg, {kPlaneLeft, kPlaneTop, kChartWidth - kPlaneEdge, kPlaneTop + kPlaneHeight}, chart.x, chart.y);
  if (chart.diagonal) svg.line(plot.at(chart.x.low, chart.y.low), plot.at(chart.x.high, chart.y.high), "diagonal");
  for (size_t i = 0; i < chart.curves.size(); ++i) {
    std::vector<Point> points;
    for (const Point& value : chart.curves[i].points) points.push_back(plot.at(value.x, value.y));
    svg.lines(points, key[i].style);
  }
  for (const LineChart::Mark& mark : chart.marks) {
    const double x = plot.at(mark.x, 0).x;
    const bool is_right = x > kChartWidth / 2;  // where the text has room
    svg.line({x, kPlaneTop}, {x, kPlaneTop + kPlaneHeight}, "mark");
    svg.text({x + (is_right ? -6 : 6), kPlaneTop + kPlaneHeight - 10}, mark.text, is_right ? "end" : "");
  }
  draw_key(svg, {kChartMargin, key_top}, key_width, key);
  return svg;
}

}  // namespace effdet::cli
