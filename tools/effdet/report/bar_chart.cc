// Draws bars with their labels and numbers.
#include "report/bar_chart.h"

#include <algorithm>

#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr double kBar = 12, kBarStep = 19, kEdge = 12;

size_t longest(const std::vector<BarChart::Bar>& bars, std::string BarChart::Bar::*text) {
  size_t columns = 0;
  for (const BarChart::Bar& bar : bars) columns = std::max(columns, text_columns(bar.*text));
  return columns;
}

}  // namespace

Svg bar_chart(const BarChart& chart) {
  const auto text_width = [](size_t columns) { return kCharacterWidth * static_cast<double>(columns); };
  const double left = 2 * kEdge + text_width(longest(chart.bars, &BarChart::Bar::label));
  const double numbers = 6 + text_width(longest(chart.bars, &BarChart::Bar::text)) + kEdge;
  const double width = std::max({left + chart.plot_width + numbers, kChartWidth,
                                 2 * kEdge + kTitleCharacterWidth * static_cast<double>(text_columns(chart.title))});
  const double key_top = 32, axis_top = key_top + key_height(chart.key, width - 2 * kEdge) + 16, top = axis_top + 32;
  const double height = top + kBarStep * static_cast<double>(chart.bars.size()) + kEdge;
  Axis axis = chart.axis;
  if (!(axis.high > 0)) {
    for (const BarChart::Bar& bar : chart.bars) axis.high = std::max(axis.high, bar.value);
    if (!(axis.high > 0)) axis.high = 1;
  }

  Svg svg(width, height, chart_css(), chart.title, chart.description);
  svg.rectangle({}, width, height, "paper");
  svg.text({kEdge, 22}, chart.title, "title");
  draw_key(svg, {kEdge, key_top}, width - 2 * kEdge, chart.key);
  svg.text({kEdge, axis_top}, axis.name, "");
  const double step = tick_step(axis.high, 4);
  for (int tick = 0; tick * step <= axis.high * (1 + 1e-9); ++tick) {
    const double x = left + chart.plot_width * tick * step / axis.high;
    svg.line({x, top - 8}, {x, height - kEdge + 2}, "grid");
    svg.text({x, top - 13}, tick_text(axis, tick * step, step), "middle");
  }
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const BarChart::Bar& bar = chart.bars[i];
    const double y = top + kBarStep * static_cast<double>(i);
    const double length = chart.plot_width * std::clamp(bar.value / axis.high, 0.0, 1.0);
    svg.text({left - 8, y + kBar - 2}, bar.label, chart.labels_are_names ? "mono" : "end");
    svg.rectangle({left, y}, std::max(length, 0.5), kBar, bar.style);
    svg.text({left + length + 6, y + kBar - 2}, bar.text, "");
  }
  return svg;
}

}  // namespace effdet::cli
