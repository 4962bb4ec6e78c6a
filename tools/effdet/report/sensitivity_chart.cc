// Draws the bars of the layers that lose most in 8 bits.
#include "report/sensitivity_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "report/svg.h"

namespace effdet::cli {
namespace {

constexpr std::string_view kChartCss = R"(text { font: 12px "Helvetica Neue", Helvetica, Arial, sans-serif; fill: #333 }
.paper { fill: #fff } .grid { stroke: #ddd } .title { font-size: 15px; font-weight: bold }
.end { text-anchor: end } .middle { text-anchor: middle }
.layer { font-family: monospace; font-size: 11px; text-anchor: end }
.int8 { fill: #0072b2 } .float32 { fill: #e69f00 }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .paper { fill: #16181c } .grid { stroke: #3a3d42 } .int8 { fill: #56b4e9 }
}
)";

constexpr size_t kMostBars = 30, kLongestLabel = 60;
constexpr double kCharacter = 6.7;  // of the monospaced font
constexpr double kBar = 12, kBarStep = 17, kPlot = 330, kNumbers = 130, kEdge = 12, kChartHead = 106;

std::string shortened_name(const std::string& name) {
  return name.size() <= kLongestLabel ? name : "..." + name.substr(name.size() - kLongestLabel + 3);
}

/// 1, 2 or 5 times a power of ten: the least that takes no more than four steps to the largest number.
double tick_step(double largest) {
  const double power = std::pow(10, std::floor(std::log10(largest / 4)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power * 4 >= largest) return factor * power;
  return 10 * power;
}

std::string_view precision_of(const QuantizedLayer& layer) { return layer.is_float ? "float32" : "int8"; }

/// A square of the colour, and what it stands for; returns where the next may begin.
double draw_key(Svg& svg, Point at, std::string_view style, std::string_view text) {
  svg.rectangle({at.x, at.y - 10}, 10, 10, style);
  svg.text({at.x + 15, at.y}, text, "");
  return at.x + 35 + kCharacter * static_cast<double>(text.size());
}

}  // namespace

std::vector<const QuantizedLayer*> layers_by_error(const QuantizeReport& report) {
  std::vector<const QuantizedLayer*> layers;
  for (const QuantizedLayer& layer : report.layers)
    if (layer.error) layers.push_back(&layer);
  std::ranges::stable_sort(layers, std::greater{}, [](const QuantizedLayer* layer) { return *layer->error; });
  return layers;
}

std::string sensitivity_chart(const std::string& model, const QuantizeReport& report) {
  std::vector<const QuantizedLayer*> layers = layers_by_error(report);
  const size_t measured = layers.size();
  if (layers.size() > kMostBars) layers.resize(kMostBars);
  size_t longest = 0;
  for (const QuantizedLayer* layer : layers) longest = std::max(longest, shortened_name(layer->name).size());
  const double left = 2 * kEdge + kCharacter * static_cast<double>(longest), width = left + kPlot + kNumbers;
  const double height = kChartHead + kBarStep * static_cast<double>(layers.size()) + kEdge;
  const double largest = layers.empty() ? 1 : std::max(*layers.front()->error, 1e-30);
  const std::string title = fmt::format("{}: the {} of {} layers that lose most {}in 8 bits", model, layers.size(),
                                        measured, report.layers_at_a_time == 1 ? "alone " : "");

  Svg svg(width, height, kChartCss, title);
  svg.rectangle({}, width, height, "paper");
  svg.text({kEdge, 26}, title, "title");
  const double next = draw_key(svg, {kEdge, 48}, "int8", "computes in 8 bits");
  draw_key(svg, {next, 48}, "float32", "stays in float32");
  const std::string together = report.layers_at_a_time == 1
                                   ? std::string()
                                   : fmt::format("; {} neighbours at a time share it", report.layers_at_a_time);
  svg.text({kEdge, 68}, "error of the outputs: mean square, relative to their variance" + together, "");
  for (int tick = 0; tick_step(largest) * tick <= largest; ++tick) {
    const double value = tick_step(largest) * tick, x = left + kPlot * value / largest;
    svg.line({x, kChartHead - 8}, {x, height - kEdge + 2}, "grid");
    svg.text({x, kChartHead - 13}, fmt::format("{:.2g}", value), "middle");
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    const QuantizedLayer& layer = *layers[i];
    const double y = kChartHead + kBarStep * static_cast<double>(i), bar = kPlot * *layer.error / largest;
    svg.text({left - 8, y + kBar - 2}, shortened_name(layer.name), "layer");
    svg.rectangle({left, y}, std::max(bar, 0.5), kBar, precision_of(layer));
    svg.text({left + bar + 6, y + kBar - 2}, fmt::format("{:.2e} {}", *layer.error, precision_of(layer)), "");
  }
  return svg.text();
}

}  // namespace effdet::cli
