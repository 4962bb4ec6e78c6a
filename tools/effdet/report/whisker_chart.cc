// Draws intervals on an axis that has 0.
#include "report/whisker_chart.h"

#include <algorithm>
#include <cmath>

#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr double kRowStep = 21, kBorder = 12, kDot = 4.5, kPlotWidth = 190;
constexpr int kMostTicks = 4;

double widest(const std::vector<WhiskerChart::Row>& rows, std::string WhiskerChart::Row::*text) {
  size_t columns = 0;
  for (const WhiskerChart::Row& row : rows) columns = std::max(columns, text_columns(row.*text));
  return kCharacterWidth * static_cast<double>(columns);
}

/// From the first tick below all intervals to the first above them; 0 is among them.
Axis axis_of(const WhiskerChart& chart) {
  double low = 0, high = 0;
  for (const WhiskerChart::Row& row : chart.rows) {
    low = std::min({low, row.low, row.value});
    high = std::max({high, row.high, row.value});
  }
  if (!(high > low)) return {.name = chart.axis, .low = -0.01, .high = 0.01};
  const double step = tick_step(high - low, kMostTicks);
  return {.name = chart.axis, .low = step * std::floor(low / step), .high = step * std::ceil(high / step)};
}

const char* style_of(const WhiskerChart::Row& row) { return row.low > 0 ? "c0" : row.high < 0 ? "c1" : "c7"; }

}  // namespace

Svg whisker_chart(const WhiskerChart& chart) {
  const double left = 2 * kBorder + widest(chart.rows, &WhiskerChart::Row::label);
  const double numbers = 14 + widest(chart.rows, &WhiskerChart::Row::text) + kBorder;
  const double width = std::max({left + kPlotWidth + numbers, kChartWidth,
                                 2 * kBorder + kTitleCharacterWidth * static_cast<double>(text_columns(chart.title))});
  const std::vector<KeyEntry> key = {{"c0", "above 0"}, {"c1", "below 0"}, {"c7", "includes 0"}};
  const double key_top = 32, axis_top = key_top + key_height(key, width - 2 * kBorder) + 16, top = axis_top + 36;
  const double bottom = top + kRowStep * static_cast<double>(chart.rows.size());
  const double plot_width = width - left - numbers;
  const Axis axis = axis_of(chart);
  const auto x_of = [&](double value) {
    return left + plot_width * std::clamp((value - axis.low) / (axis.high - axis.low), 0.0, 1.0);
  };

  Svg svg(width, bottom + kBorder, chart_css(), chart.title, chart.description);
  svg.rectangle({}, width, bottom + kBorder, "paper");
  svg.text({kBorder, 22}, chart.title, "title");
  draw_key(svg, {kBorder, key_top}, width - 2 * kBorder, key);
  svg.text({kBorder, axis_top}, axis.name, "");
  const double step = tick_step(axis.high - axis.low, kMostTicks);
  for (double tick = std::round(axis.low / step); tick * step <= axis.high + step / 1000; ++tick) {
    const double x = x_of(tick * step);
    svg.line({x, top - 12}, {x, bottom}, tick == 0 ? "axis" : "grid");
    svg.text({x, top - 17}, tick_text(axis, tick * step, step), "middle");
  }
  for (size_t i = 0; i < chart.rows.size(); ++i) {
    const WhiskerChart::Row& row = chart.rows[i];
    const double y = top + kRowStep * (static_cast<double>(i) + 0.5) - 4;
    const std::string style = style_of(row);
    svg.text({left - 10, y + 4}, row.label, "end");
    svg.line({x_of(row.low), y}, {x_of(row.high), y}, "whisker " + style);
    for (const double end : {row.low, row.high}) svg.line({x_of(end), y - 4}, {x_of(end), y + 4}, "whisker " + style);
    svg.circle({x_of(row.value), y}, kDot, style);
    svg.text({width - kBorder, y + 4}, row.text, "end");
  }
  return svg;
}

}  // namespace effdet::cli
