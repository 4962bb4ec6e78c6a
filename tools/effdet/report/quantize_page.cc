// Writes the page's sections one after the other.
#include "report/quantize_page.h"

#include <fmt/format.h>

#include "quantize_report.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/sensitivity_chart.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

std::string verdict(const QuantizeReport& report) {
  const auto& accuracy = report.proof.accuracy;
  if (!accuracy)
    return "<p class=\"verdict\">No gate was asked for: the accuracy of this model was not measured "
           "(--validate).</p>\n";
  return fmt::format(
      "<p class=\"verdict{}\">{}: mAP {:.4f} in float32, {:.4f} in int8 on {}; {} is kept, {} was asked for.{}"
      "</p>\n",
      report.passed ? "" : " failed", report.passed ? "Passed" : "Not passed", accuracy->map_float32,
      accuracy->map_int8, images_text(accuracy->images), percent_text(kept_share(*accuracy)),
      percent_text(accuracy->keep), report.passed ? "" : " No model was written.");
}

std::string float_layers(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  std::string html = fmt::format("<details><summary>{}</summary>\n<ul>\n", names.size());
  for (const std::string& name : names) html += fmt::format("<li>{}</li>\n", xml_text(name));
  return html + "</ul></details>";
}

std::string proof_list(const QuantizationProof& proof) {
  std::string html = "<dl>\n";
  const auto item = [&](std::string_view name, const std::string& markup) { html += html_fact(name, markup); };
  const auto hash = [&](const std::string& text) { return fmt::format("<code>{}</code>", xml_text(text)); };
  item(proof.weights_only ? "Layers with weights in 8 bits" : "Layers in 8 bits",
       fmt::format("{}, with {} of the multiplications", proof.int8_layers, percent_text(proof.int8_products)));
  item("Products", proof.weights_only ? "of floats" : "exact: the same bits on every processor");
  if (!proof.calibration_sha256.empty()) {
    item("Calibration", fmt::format("{}, seed {}", images_text(proof.calibration_images), proof.seed));
    item("SHA-256 of these", hash(proof.calibration_sha256));
  }
  if (proof.accuracy) {
    item("SHA-256 of the validation", hash(proof.accuracy->sha256));
    item("Instruction set that measured", xml_text(proof.accuracy->instruction_set));
  }
  item("Layers in float32", float_layers(proof.float_layers));
  return html + "</dl>\n";
}

std::string trials_section(const QuantizeReport& report) {
  if (report.trials.empty()) return "";
  std::string html = "<table>\n" + html_head({"more layers in float32", "mAP", "of float32's"}) + "<tbody>\n";
  for (const QuantizeReport::Trial& trial : report.trials)
    html += fmt::format("<tr><td>{}</td><td>{:.4f}</td><td>{}</td></tr>\n", trial.float_layers, trial.map,
                        percent_text(trial.map / report.proof.accuracy->map_float32));
  return html_section("trials", "What was tried", html_scroll("What was tried", html + "</tbody></table>\n"));
}

std::string sensitivity(const std::string& model, const QuantizeReport& report) {
  if (layers_by_error(report).empty()) return "";
  return html_section(
      "sensitivity", "Sensitivity",
      (report.layers_at_a_time == 1
           ? std::string("<p>Each layer alone in 8 bits")
           : fmt::format("<p>{} neighbouring layers at a time in 8 bits, which share the error in equal parts",
                         report.layers_at_a_time)) +
          ", on some images of the calibration. This is an error of outputs, no loss of mAP: that is what --validate "
          "measures, on the compiled model.</p>\n" +
          html_scroll("Sensitivity", sensitivity_chart(model, report).markup()));
}

std::string layers(const QuantizeReport& report) {
  std::string html = "<table>\n" +
                     html_head({"layer", "operator", "million products", "computes in", "scale", "zero point", "range",
                                "error alone"}) +
                     "<tbody>\n";
  for (const QuantizedLayer& layer : report.layers)
    html += fmt::format("<tr{}>", layer.is_float ? " class=\"float\"" : "") + html_row_name(layer.name) +
            html_cell(layer.op) + html_cell(fmt::format("{:.2f}", static_cast<double>(layer.products) / 1e6)) +
            html_cell(layer.is_float ? "float32" : "int8") +
            html_cell(layer.scale ? fmt::format("{:.5g}", *layer.scale) : "") +
            html_cell(layer.scale ? std::to_string(layer.zero_point) : "") + html_cell(layer.range) +
            html_cell(layer.error ? fmt::format("{:.2e}", *layer.error) : "") + "</tr>\n";
  return html_section(
      "layers", "Layers",
      "<p class=\"small\">number = scale * (code - zero point), of the map that the layer makes, codes 0 to "
      "255; empty where no 8-bit layer reads it. Weights have a scale for each output channel.</p>\n" +
          html_scroll("Layers", html + "</tbody></table>\n"));
}

}  // namespace

std::string quantize_page(const std::string& model, const QuantizeReport& report) {
  return html_page(model + " in int8", chart_css(),
                   verdict(report) + proof_list(report.proof) + trials_section(report) + sensitivity(model, report) +
                       layers(report));
}

}  // namespace effdet::cli
