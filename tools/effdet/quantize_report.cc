// Writes lines and JSON.
#include "quantize_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli.h"
#include "effdet/machine.h"

namespace effdet::cli {
namespace {

/// ": a, b, ..." or nothing.
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 6;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i == 0 ? ": " : ", ") + one_line(names[i]);
  return names.size() > kShown ? text + ", ..." : text;
}

}  // namespace

std::string images_text(size_t count) { return fmt::format("{} image{}", count, count == 1 ? "" : "s"); }

std::string percent_text(double share) { return fmt::format("{:.2f} %", 100 * share); }

double kept_share(const QuantizationProof::Accuracy& accuracy) {
  return accuracy.map_float32 > 0 ? accuracy.map_int8 / accuracy.map_float32 : 0;
}

std::vector<std::string> proof_lines(const QuantizationProof& proof) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format(
      "{}: {} layers with {} of the products; {} in float32{}", proof.weights_only ? "int8 weights" : "int8",
      proof.int8_layers, percent_text(proof.int8_products), proof.float_layers.size(), some_of(proof.float_layers)));
  if (!proof.calibration_sha256.empty())
    lines.push_back(fmt::format("calibrated with {}, seed {}, SHA-256 {}", images_text(proof.calibration_images),
                                proof.seed, one_line(proof.calibration_sha256)));
  if (const auto& a = proof.accuracy)
    lines.push_back(fmt::format("mAP {:.4f} in float32, {:.4f} in int8: {} kept, {} asked for; {}, SHA-256 {}{}",
                                a->map_float32, a->map_int8, percent_text(kept_share(*a)), percent_text(a->keep),
                                images_text(a->images), one_line(a->sha256),
                                a->instruction_set.empty() ? "" : "; measured with " + one_line(a->instruction_set)));
  return lines;
}

std::string measured_elsewhere(const QuantizationProof& proof) {
  const std::string here = instruction_set();
  const std::string there = proof.accuracy ? proof.accuracy->instruction_set : "";
  if (there.empty() || there == here) return "";
  return fmt::format("its mAP was measured with {}; here {} computes, which may round layers in float32 otherwise",
                     one_line(there), here);
}

nlohmann::json proof_json(const QuantizationProof& proof) {
  nlohmann::json json = {
      {"weights_only", proof.weights_only}, {"int8_layers", proof.int8_layers}, {"int8_products", proof.int8_products},
      {"float_layers", proof.float_layers}, {"calibration", nullptr},           {"validation", nullptr}};
  if (!proof.calibration_sha256.empty())
    json["calibration"] = {
        {"images", proof.calibration_images}, {"sha256", proof.calibration_sha256}, {"seed", proof.seed}};
  if (const auto& a = proof.accuracy)
    json["validation"] = {{"images", a->images},
                          {"sha256", a->sha256},
                          {"mAP_float32", a->map_float32},
                          {"mAP_int8", a->map_int8},
                          {"keep", a->keep},
                          {"kept", kept_share(*a)},
                          {"instruction_set", a->instruction_set}};
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

}  // namespace effdet::cli
