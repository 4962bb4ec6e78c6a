// Draws the bars of the layers that lose most in 8 bits.
#include "report/sensitivity_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "report/bar_chart.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostBars = 30, kLongestLabel = 60;

std::string shortened_name(const std::string& name) {
  return name.size() <= kLongestLabel ? name : "..." + name.substr(name.size() - kLongestLabel + 3);
}

}  // namespace

std::vector<const QuantizedLayer*> layers_by_error(const QuantizeReport& report) {
  std::vector<const QuantizedLayer*> layers;
  for (const QuantizedLayer& layer : report.layers)
    if (layer.error) layers.push_back(&layer);
  std::ranges::stable_sort(layers, std::greater{}, [](const QuantizedLayer* layer) { return *layer->error; });
  return layers;
}

Svg sensitivity_chart(const std::string& model, const QuantizeReport& report) {
  std::vector<const QuantizedLayer*> layers = layers_by_error(report);
  const size_t measured = layers.size();
  if (layers.size() > kMostBars) layers.resize(kMostBars);
  const std::string together = report.layers_at_a_time == 1
                                   ? std::string()
                                   : fmt::format("; {} neighbours at a time share it", report.layers_at_a_time);
  BarChart chart{
      .title = fmt::format("{}: the {} of {} layers that lose most {}in 8 bits", model, layers.size(), measured,
                           report.layers_at_a_time == 1 ? "alone " : ""),
      .axis = {.name = "error of the outputs: mean square, relative to their variance" + together, .high = 0},
      .key = {{"c0", "computes in 8 bits"}, {"c4", "stays in float32"}},
      .bars = {},
      .plot_width = 330,
      .labels_are_names = true};
  for (const QuantizedLayer* layer : layers)
    chart.bars.push_back({shortened_name(layer->name), *layer->error,
                          fmt::format("{:.2e} {}", *layer->error, layer->is_float ? "float32" : "int8"),
                          layer->is_float ? "c4" : "c0"});
  return bar_chart(chart);
}

}  // namespace effdet::cli
