// Writes the page: HTML with a chart as SVG.
#include "quantize_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cli.h"
#include "svg.h"

namespace effdet::cli {
namespace {

constexpr std::string_view kPageCss =
    R"(body { font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, sans-serif; color: #222;
  max-width: 1100px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em }
table { border-collapse: collapse; font-size: 13px } th, td { padding: 2px 10px; text-align: right; border-bottom: 1px solid #e4e4e4 }
th { background: #f4f4f4 } td.name, th.name { text-align: left; font-family: monospace; word-break: break-all }
.verdict { padding: .6em 1em; border-left: 6px solid #009e73; background: #eef8f4 }
.failed { border-color: #d55e00; background: #fdf1e9 }
.float td { background: #fff6e5 } p.small { color: #666; font-size: 13px }
)";

constexpr std::string_view kChartCss = R"(text { font: 12px "Helvetica Neue", Helvetica, Arial, sans-serif; fill: #333 }
.end { text-anchor: end } .name { font-family: monospace; text-anchor: end } .grid { stroke: #ddd }
.int8 { fill: #0072b2 } .float { fill: #e69f00 }
)";

constexpr size_t kMostBars = 40;
constexpr double kBar = 13, kStep = 18, kNames = 520, kPlot = 420, kNumbers = 90, kHead = 40;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

/// What is kept of the mAP.
double kept(const QuantizationProof::Accuracy& accuracy) {
  return accuracy.map_float32 > 0 ? accuracy.map_int8 / accuracy.map_float32 : 0;
}

std::string cell(const std::string& text, bool name = false) {
  return fmt::format("<td{}>{}</td>", name ? " class=\"name\"" : "", xml_text(text));
}

/// Layers with a measured error, the worst first.
std::vector<const QuantizedLayer*> by_error(const QuantizeReport& report) {
  std::vector<const QuantizedLayer*> layers;
  for (const QuantizedLayer& layer : report.layers)
    if (layer.error) layers.push_back(&layer);
  std::ranges::stable_sort(layers, std::greater{}, [](const QuantizedLayer* layer) { return *layer->error; });
  return layers;
}

std::string shortened_name(const std::string& name) {
  constexpr size_t kLongest = 70;
  return name.size() <= kLongest ? name : "..." + name.substr(name.size() - kLongest + 3);
}

std::string chart(std::vector<const QuantizedLayer*> layers) {
  if (layers.size() > kMostBars) layers.resize(kMostBars);
  const double largest = std::max(*layers.front()->error, 1e-30);
  const double height = kHead + kStep * static_cast<double>(layers.size()) + 10;
  Svg svg(kNames + kPlot + kNumbers, height, kChartCss);
  for (int tick = 0; tick <= 4; ++tick) {
    const double x = kNames + kPlot * tick / 4;
    svg.line({x, kHead - 8}, {x, height - 6}, "grid");
    svg.text({x, kHead - 14}, fmt::format("{:.2g}", largest * tick / 4), "end");
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    const double y = kHead + kStep * static_cast<double>(i), width = kPlot * *layers[i]->error / largest;
    svg.text({kNames - 8, y + kBar - 2}, shortened_name(layers[i]->name), "name");
    svg.rectangle({kNames, y}, std::max(width, 0.5), kBar, layers[i]->is_float ? "float" : "int8");
    svg.text({kNames + width + 6, y + kBar - 2}, fmt::format("{:.2e}", *layers[i]->error), "");
  }
  return svg.text();
}

std::string verdict(const QuantizeReport& report) {
  const auto& accuracy = report.proof.accuracy;
  if (!accuracy)
    return "<p class=\"verdict\">No gate was asked for: the accuracy of this model was not measured "
           "(--validate).</p>\n";
  return fmt::format(
      "<p class=\"verdict{}\">{}: mAP {:.4f} in float32, {:.4f} in int8 on {} images; {} is kept, {} was asked for.{}"
      "</p>\n",
      report.passed ? "" : " failed", report.passed ? "Passed" : "Not passed", accuracy->map_float32,
      accuracy->map_int8, accuracy->images, percent(kept(*accuracy)), percent(accuracy->keep),
      report.passed ? "" : " No model was written.");
}

std::string proof_table(const QuantizationProof& proof) {
  std::string html = "<table>\n";
  const auto row = [&](const std::string& name, const std::string& value) {
    html += "<tr>" + cell(name, true) + cell(value, true) + "</tr>\n";
  };
  row("layers in 8 bits",
      fmt::format("{}, with {} of the multiplications", proof.int8_layers, percent(proof.int8_products)));
  row("products", "exact: the same bits on every processor");
  if (!proof.calibration_sha256.empty()) {
    row("calibration", fmt::format("{} images, seed {}", proof.calibration_images, proof.seed));
    row("SHA-256 of these", proof.calibration_sha256);
  }
  if (proof.accuracy) row("SHA-256 of the validation", proof.accuracy->sha256);
  row("layers in float32", fmt::format("{}", fmt::join(proof.float_layers, ", ")));
  return html + "</table>\n";
}

std::string trials_table(const QuantizeReport& report) {
  if (report.trials.empty()) return "";
  std::string html =
      "<h2>What was tried</h2>\n<table>\n<tr><th>more layers in float32</th><th>mAP</th><th>of float32</th></tr>\n";
  for (const QuantizeReport::Trial& trial : report.trials)
    html += fmt::format("<tr><td>{}</td><td>{:.4f}</td><td>{}</td></tr>\n", trial.float_layers, trial.map,
                        percent(trial.map / report.proof.accuracy->map_float32));
  return html + "</table>\n";
}

std::string sensitivity(const QuantizeReport& report) {
  const auto layers = by_error(report);
  if (layers.empty()) return "";
  return fmt::format(
             "<h2>Sensitivity</h2>\n<p>Each layer alone in 8 bits: mean square of the error of the outputs, relative "
             "to "
             "their variance, on some images of the calibration. {} of {} layers, the worst first; <b "
             "style=\"color:#e69f00\">yellow</b> ones stay in float32. This is an error of outputs, no loss of mAP: "
             "the "
             "choice of layers was measured as mAP, on the compiled model.</p>\n",
             std::min(layers.size(), kMostBars), layers.size()) +
         chart(layers);
}

std::string layers_table(const QuantizeReport& report) {
  std::string html =
      "<h2>Layers</h2>\n<table>\n<tr><th class=\"name\">layer</th><th>operator</th><th>million "
      "products</th><th>computes in</th><th>scale</th><th>zero point</th><th>range</th><th>error alone</th></tr>\n";
  for (const QuantizedLayer& layer : report.layers)
    html += fmt::format("<tr{}>{}", layer.is_float ? " class=\"float\"" : "", cell(layer.name, true)) + cell(layer.op) +
            cell(fmt::format("{:.2f}", static_cast<double>(layer.products) / 1e6)) +
            cell(layer.is_float ? "float32" : "int8") + cell(layer.scale ? fmt::format("{:.5g}", *layer.scale) : "") +
            cell(layer.scale ? std::to_string(layer.zero_point) : "") + cell(layer.range) +
            cell(layer.error ? fmt::format("{:.2e}", *layer.error) : "") + "</tr>\n";
  return html +
         "</table>\n<p class=\"small\">number = scale * (code - zero point), of the map that the layer makes, "
         "codes 0 to 255; empty where no 8-bit layer reads it. Weights have a scale for each output channel.</p>\n";
}

}  // namespace

namespace {

/// ": a, b, ..." or nothing.
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 6;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i == 0 ? ": " : ", ") + one_line(names[i]);
  return names.size() > kShown ? text + ", ..." : text;
}

}  // namespace

std::vector<std::string> proof_lines(const QuantizationProof& proof) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("{}: {} layers with {} of the products; {} in float32{}",
                              proof.weights_only ? "int8 weights" : "int8", proof.int8_layers,
                              percent(proof.int8_products), proof.float_layers.size(), some_of(proof.float_layers)));
  if (!proof.calibration_sha256.empty())
    lines.push_back(fmt::format("calibrated with {} images, seed {}, SHA-256 {}", proof.calibration_images, proof.seed,
                                one_line(proof.calibration_sha256)));
  if (const auto& a = proof.accuracy)
    lines.push_back(fmt::format("mAP {:.4f} in float32, {:.4f} in int8: {} kept, {} asked for; {} images, SHA-256 {}",
                                a->map_float32, a->map_int8, percent(kept(*a)), percent(a->keep), a->images,
                                one_line(a->sha256)));
  return lines;
}

nlohmann::json proof_json(const QuantizationProof& proof) {
  nlohmann::json json = {
      {"weights_only", proof.weights_only}, {"int8_layers", proof.int8_layers}, {"int8_products", proof.int8_products},
      {"float_layers", proof.float_layers}, {"calibration", nullptr},           {"validation", nullptr}};
  if (!proof.calibration_sha256.empty())
    json["calibration"] = {
        {"images", proof.calibration_images}, {"sha256", proof.calibration_sha256}, {"seed", proof.seed}};
  if (const auto& a = proof.accuracy)
    json["validation"] = {{"images", a->images},     {"sha256", a->sha256}, {"mAP_float32", a->map_float32},
                          {"mAP_int8", a->map_int8}, {"keep", a->keep},     {"kept", kept(*a)}};
  return json;
}

nlohmann::json quantize_json(const QuantizeReport& report) {
  nlohmann::json json = {{"passed", report.passed}, {"proof", proof_json(report.proof)}};
  json["failures"] = json["layers"] = json["trials"] = nlohmann::json::array();
  for (const ImageFailure& failure : report.failures) json["failures"].push_back(failure.message);
  for (const QuantizeReport::Trial& trial : report.trials)
    json["trials"].push_back({{"float_layers", trial.float_layers}, {"mAP", trial.map}});
  for (const QuantizedLayer& layer : report.layers) {
    nlohmann::json& row = json["layers"].emplace_back(nlohmann::json{{"name", layer.name},
                                                                     {"op", layer.op},
                                                                     {"products", layer.products},
                                                                     {"float", layer.is_float},
                                                                     {"error", nullptr}});
    if (layer.error) row["error"] = *layer.error;
    if (layer.scale) row.update({{"scale", *layer.scale}, {"zero_point", layer.zero_point}, {"range", layer.range}});
  }
  return json;
}

std::string quantize_page(const std::string& model, const QuantizeReport& report) {
  return fmt::format(
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{0} in "
             "int8</title>\n<style>\n{1}"
             "</style></head>\n<body>\n<h1>{0} in int8</h1>\n",
             xml_text(model), kPageCss) +
         verdict(report) + proof_table(report.proof) + trials_table(report) + sensitivity(report) +
         layers_table(report) + "</body>\n</html>\n";
}

}  // namespace effdet::cli
