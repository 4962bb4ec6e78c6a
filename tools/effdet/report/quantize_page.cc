// Writes the page's sections one after the other.
#include "report/quantize_page.h"

#include <fmt/format.h>

#include "quantize_report.h"
#include "report/sensitivity_chart.h"
#include "report/svg.h"

namespace effdet::cli {
namespace {

// What is wider than the window scrolls in a region of its own, which the keyboard reaches too.
constexpr std::string_view kPageCss =
    R"(:root { color-scheme: light dark; --ink: #222; --faint: #595959; --paper: #fff; --line: #ddd; --head: #f1f1f1;
  --float: #fff3da; --good: #eef8f4; --bad: #fdf1e9 }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --faint: #aaa; --paper: #16181c; --line: #3a3d42; --head: #24272c;
  --float: #3a2f16; --good: #12302a; --bad: #3b2216 } }
body { font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1100px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em; overflow-wrap: anywhere } h2 { font-size: 1.15em; margin-top: 2em }
.verdict { padding: .6em 1em; border-left: 6px solid #009e73; background: var(--good) }
.failed { border-color: #d55e00; background: var(--bad) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3em 1.5em } dt { color: var(--faint) }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere } code { font-size: 13px }
details li { font: 13px/1.5 monospace; overflow-wrap: anywhere } summary { cursor: pointer }
.scroll { overflow-x: auto } .scroll svg { display: block; min-width: 640px; max-width: 100%; height: auto }
table { border-collapse: collapse; font-size: 13px }
th, td { padding: 2px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
thead th { background: var(--head); white-space: normal; vertical-align: bottom }
tbody th { font: 13px monospace; text-align: left } th:first-child { text-align: left } .float > * { background: var(--float) }
.small { color: var(--faint); font-size: 13px }
@media (max-width: 600px) { dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .6em } }
@media print { body { max-width: none; margin: 0; font-size: 11px } .scroll { overflow: visible } .scroll svg { min-width: 0 }
  table, tbody th, code, .small, details li { font-size: 9px } details ul { columns: 2 } th, td { padding: 1px 5px; overflow-wrap: anywhere } tbody th { white-space: normal }
  tr, svg { break-inside: avoid } h2 { break-after: avoid } details::details-content { content-visibility: visible; height: auto } }
)";

std::string cell(std::string_view text) { return fmt::format("<td>{}</td>", xml_text(text)); }

/// A heading and what stands below it, which scrolls where it is too wide.
std::string section(std::string_view heading, const std::string& before, const std::string& wide) {
  return fmt::format(
      "<h2>{0}</h2>\n{1}<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\">\n{2}</div>\n", heading,
      before, wide);
}

/// A row of a table's head.
std::string table_head(std::initializer_list<std::string_view> names) {
  std::string html = "<thead><tr>";
  for (const std::string_view name : names) html += fmt::format("<th scope=\"col\">{}</th>", name);
  return html + "</tr></thead>\n";
}

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
  const auto item = [&](std::string_view name, const std::string& markup) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, markup);
  };
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
  std::string html = "<table>\n" + table_head({"more layers in float32", "mAP", "of float32's"}) + "<tbody>\n";
  for (const QuantizeReport::Trial& trial : report.trials)
    html += fmt::format("<tr><td>{}</td><td>{:.4f}</td><td>{}</td></tr>\n", trial.float_layers, trial.map,
                        percent_text(trial.map / report.proof.accuracy->map_float32));
  return section("What was tried", "", html + "</tbody></table>\n");
}

std::string sensitivity(const std::string& model, const QuantizeReport& report) {
  if (layers_by_error(report).empty()) return "";
  return section(
      "Sensitivity",
      (report.layers_at_a_time == 1
           ? std::string("<p>Each layer alone in 8 bits")
           : fmt::format("<p>{} neighbouring layers at a time in 8 bits, which share the error in equal parts",
                         report.layers_at_a_time)) +
          ", on some images of the calibration. This is an error of outputs, no loss of mAP: that is what --validate "
          "measures, on the "
          "compiled model.</p>\n",
      sensitivity_chart(model, report));
}

std::string layers(const QuantizeReport& report) {
  std::string html = "<table>\n" +
                     table_head({"layer", "operator", "million products", "computes in", "scale", "zero point", "range",
                                 "error alone"}) +
                     "<tbody>\n";
  for (const QuantizedLayer& layer : report.layers)
    html +=
        fmt::format("<tr{}><th scope=\"row\">{}</th>", layer.is_float ? " class=\"float\"" : "", xml_text(layer.name)) +
        cell(layer.op) + cell(fmt::format("{:.2f}", static_cast<double>(layer.products) / 1e6)) +
        cell(layer.is_float ? "float32" : "int8") + cell(layer.scale ? fmt::format("{:.5g}", *layer.scale) : "") +
        cell(layer.scale ? std::to_string(layer.zero_point) : "") + cell(layer.range) +
        cell(layer.error ? fmt::format("{:.2e}", *layer.error) : "") + "</tr>\n";
  return section("Layers",
                 "<p class=\"small\">number = scale * (code - zero point), of the map that the layer makes, codes 0 to "
                 "255; empty where no 8-bit layer reads it. Weights have a scale for each output channel.</p>\n",
                 html + "</tbody></table>\n");
}

}  // namespace

std::string quantize_page(const std::string& model, const QuantizeReport& report) {
  return fmt::format(
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{0} in "
             "int8</title>\n<style>\n{1}</style></head>\n<body><main>\n<h1>{0} in int8</h1>\n",
             xml_text(model), kPageCss) +
         verdict(report) + proof_list(report.proof) + trials_section(report) + sensitivity(model, report) +
         layers(report) + "</main></body>\n</html>\n";
}

}  // namespace effdet::cli
