// Draws axes and keys.
#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr double kKeyRow = 18, kSample = 22, kKeyGap = 14;

double entry_width(const KeyEntry& entry) {
  return kSample + 6 + kCharacterWidth * static_cast<double>(text_columns(entry.text)) + kKeyGap;
}

/// Calls place(entry, corner) for each.
template <typename Place>
void lay_out_key(const std::vector<KeyEntry>& key, double width, Place place) {
  Point at;
  for (const KeyEntry& entry : key) {
    if (at.x > 0 && at.x + entry_width(entry) - kKeyGap > width) at = {0, at.y + kKeyRow};
    place(entry, at);
    at.x += entry_width(entry);
  }
}

}  // namespace

std::string_view chart_css() {
  return R"(.chart text { font: 12px "Helvetica Neue", Helvetica, Arial, sans-serif; fill: #333 }
.chart .paper { fill: #fff } .chart .grid { stroke: #ddd } .chart .axis { stroke: #777 }
.chart text.title { font-size: 14px; font-weight: bold }
.chart .end { text-anchor: end } .chart .middle { text-anchor: middle }
.chart text.mono { font-family: monospace; font-size: 11px; text-anchor: end }
.chart polyline, .chart line.c0 { fill: none; stroke-width: 2; stroke-linejoin: round }
.chart .diagonal { stroke: #777; stroke-dasharray: 4 4 } .chart .mark { stroke: #d55e00; stroke-width: 1.5; stroke-dasharray: 2 3 }
.chart .cell { fill: #0072b2 } .chart .miss { fill: #d55e00 } .chart text.light { fill: #fff } .chart .frame { fill: none; stroke: #bbb }
.chart polyline.c0, .chart line.c0 { stroke: #0072b2 } .chart rect.c0 { fill: #0072b2 }
.chart polyline.c1, .chart line.c1 { stroke: #d55e00; stroke-dasharray: 7 3 } .chart rect.c1 { fill: #d55e00 }
.chart polyline.c2, .chart line.c2 { stroke: #009e73; stroke-dasharray: 2 3 } .chart rect.c2 { fill: #009e73 }
.chart polyline.c3, .chart line.c3 { stroke: #cc79a7; stroke-dasharray: 9 3 2 3 } .chart rect.c3 { fill: #cc79a7 }
.chart polyline.c4, .chart line.c4 { stroke: #e69f00 } .chart rect.c4 { fill: #e69f00 }
.chart polyline.c5, .chart line.c5 { stroke: #56b4e9; stroke-dasharray: 7 3 } .chart rect.c5 { fill: #56b4e9 }
.chart polyline.c6, .chart line.c6 { stroke: #8c564b; stroke-dasharray: 2 3 } .chart rect.c6 { fill: #8c564b }
.chart polyline.c7, .chart line.c7 { stroke: #888; stroke-dasharray: 9 3 2 3 } .chart rect.c7 { fill: #888 }
.chart polyline.r0, .chart line.r0 { stroke: #08306b } .chart polyline.r1, .chart line.r1 { stroke: #0b4a8a; stroke-dasharray: 7 3 }
.chart polyline.r2, .chart line.r2 { stroke: #1561a9 } .chart polyline.r3, .chart line.r3 { stroke: #2a7ab9; stroke-dasharray: 7 3 }
.chart polyline.r4, .chart line.r4 { stroke: #4292c6 } .chart polyline.r5, .chart line.r5 { stroke: #8a6bbf; stroke-dasharray: 7 3 }
.chart polyline.r6, .chart line.r6 { stroke: #a6549c } .chart polyline.r7, .chart line.r7 { stroke: #c2447e; stroke-dasharray: 7 3 }
.chart polyline.r8, .chart line.r8 { stroke: #d55e00 } .chart polyline.r9, .chart line.r9 { stroke: #e69f00; stroke-dasharray: 7 3 }
.chart line { stroke-width: 1 } .chart line.key { stroke-width: 2 } .chart line.whisker { stroke-width: 2; stroke-dasharray: none }
.chart circle.c0 { fill: #0072b2 } .chart circle.c1 { fill: #d55e00 } .chart circle.c7 { fill: #fff; stroke: #888; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  .chart text { fill: #ddd } .chart .paper { fill: #16181c } .chart .grid { stroke: #3a3d42 } .chart .frame { stroke: #555 }
  .chart polyline.c0, .chart line.c0 { stroke: #56b4e9 } .chart rect.c0, .chart circle.c0 { fill: #56b4e9 } .chart .cell { fill: #3d8fd1 }
  .chart circle.c7 { fill: #16181c }
  .chart polyline.c5, .chart line.c5 { stroke: #b8dcf5 } .chart rect.c5 { fill: #b8dcf5 }
  .chart polyline.r0, .chart line.r0 { stroke: #c6dbef } .chart polyline.r1, .chart line.r1 { stroke: #9ecae1 }
  .chart polyline.r2, .chart line.r2 { stroke: #6baed6 }
}
@media print {
  .chart text { fill: #333 } .chart .paper { fill: #fff } .chart .grid { stroke: #ddd }
}
)";
}

double tick_step(double range, int most) {
  const double power = std::pow(10, std::floor(std::log10(range / most)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power * most >= range * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

std::string tick_text(const Axis& axis, double value, double step) {
  const double shown = std::abs(value) < step / 1000 ? 0.0 : value;  // and no -0
  return axis.percent ? fmt::format("{:.{}f} %", 100 * shown, step < 0.01 ? 1 : 0) : fmt::format("{:.6g}", shown);
}

Plot::Plot(Svg& svg, const Frame& frame, const Axis& x, const Axis& y) : frame_(frame), x_(x), y_(y) {
  constexpr int kMostTicks = 5;
  const auto ticks = [](const Axis& axis, auto draw) {
    const double step = tick_step(axis.high - axis.low, kMostTicks);
    for (double tick = std::ceil(axis.low / step - 1e-9); tick * step <= axis.high + step / 1000; ++tick)
      draw(tick * step, tick_text(axis, tick * step, step));
  };
  ticks(x_, [&](double value, const std::string& text) {
    const double place = at(value, 0).x;
    svg.line({place, frame.top}, {place, frame.bottom}, "grid");
    svg.text({place, frame.bottom + 15}, text, "middle");
  });
  ticks(y_, [&](double value, const std::string& text) {
    const double place = at(x_.low, value).y;
    svg.line({frame.left, place}, {frame.right, place}, "grid");
    svg.text({frame.left - 6, place + 4}, text, "end");
  });
  svg.line({frame.left, frame.bottom}, {frame.right, frame.bottom}, "axis");
  svg.line({frame.left, frame.top}, {frame.left, frame.bottom}, "axis");
  svg.text({(frame.left + frame.right) / 2, frame.bottom + 32}, x.name, "middle");
  svg.text({13, (frame.top + frame.bottom) / 2}, y.name, "middle", -90);
}

Point Plot::at(double x, double y) const {
  const auto share = [](const Axis& axis, double value) {
    return std::clamp((value - axis.low) / (axis.high - axis.low), 0.0, 1.0);
  };
  return {frame_.left + (frame_.right - frame_.left) * share(x_, x),
          frame_.bottom - (frame_.bottom - frame_.top) * share(y_, y)};
}

double key_height(const std::vector<KeyEntry>& key, double width) {
  double height = 0;
  lay_out_key(key, width, [&](const KeyEntry&, Point at) { height = at.y + kKeyRow; });
  return height;
}

void draw_key(Svg& svg, Point corner, double width, const std::vector<KeyEntry>& key) {
  lay_out_key(key, width, [&](const KeyEntry& entry, Point at) {
    const Point place{corner.x + at.x, corner.y + at.y};
    if (entry.is_line) {
      svg.line({place.x, place.y + 8}, {place.x + kSample, place.y + 8}, "key " + entry.style);
    } else {
      svg.rectangle({place.x + kSample - 12, place.y + 3}, 11, 11, entry.style);
    }
    svg.text({place.x + kSample + 6, place.y + 12}, entry.text, "");
  });
}

}  // namespace effdet::cli
