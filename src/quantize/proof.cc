// Writes and reads the proof as JSON, each key checked.
#include "quantize/proof.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"
#include "fetch/sha256.h"

namespace effdet::quantize {
namespace {

using ProofJson = nlohmann::json;

constexpr const char *kQuantization = "effdet.quantization", *kCalibration = "effdet.calibration",
                     *kValidation = "effdet.validation", *kFloatLayers = "effdet.float_layers";

ProofJson parsed(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return {};
  ProofJson json = ProofJson::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) bad_input("metadata {} is not JSON", key);
  return json;
}

double number_of(const ProofJson& object, const char* key, const char* field, double high) {
  if (!object.is_object() || !object.contains(field) || !object[field].is_number())
    bad_input("metadata {} has no number '{}'", key, field);
  const double value = object[field].get<double>();
  if (!(value >= 0 && value <= high)) bad_input("metadata {}: {} is {}, not in 0..{}", key, field, value, high);
  return value;
}

std::string text_of(const ProofJson& object, const char* key, const char* field) {
  if (!object.is_object() || !object.contains(field) || !object[field].is_string())
    bad_input("metadata {} has no text '{}'", key, field);
  return object[field].get<std::string>();
}

constexpr double kMostImages = 1e12, kMostSeeds = 18446744073709551615.0;

}  // namespace

void put_proof(const QuantizationProof& proof, std::map<std::string, std::string>& metadata) {
  const auto text = [](const ProofJson& json) {
    return json.dump(-1, ' ', false, ProofJson::error_handler_t::replace);
  };
  for (const char* key : {kCalibration, kValidation}) metadata.erase(key);
  metadata[kQuantization] = text({{"maps", proof.weights_only ? "float32" : "uint8"},
                                  {"weights", "int8"},
                                  {"products", "exact"},
                                  {"layers", proof.int8_layers},
                                  {"share_of_products", proof.int8_products}});
  if (!proof.calibration_sha256.empty())
    metadata[kCalibration] =
        text({{"images", proof.calibration_images}, {"sha256", proof.calibration_sha256}, {"seed", proof.seed}});
  if (const auto& a = proof.accuracy)
    metadata[kValidation] = text({{"images", a->images},
                                  {"sha256", a->sha256},
                                  {"mAP_float32", a->map_float32},
                                  {"mAP_int8", a->map_int8},
                                  {"keep", a->keep},
                                  {"instruction_set", a->instruction_set}});
  metadata[kFloatLayers] = text(proof.float_layers);
}

std::string hash_of(std::span<const std::string> digests) {
  std::vector<std::string> sorted(digests.begin(), digests.end());
  std::ranges::sort(sorted);
  std::string all;
  for (const std::string& digest : sorted) all += digest + "\n";
  return fetch::sha256_of(std::as_bytes(std::span(all)));
}

}  // namespace effdet::quantize

namespace effdet {

std::optional<QuantizationProof> quantization_proof(const std::map<std::string, std::string>& metadata) {
  using namespace quantize;
  const auto general = parsed(metadata, kQuantization);
  if (general.is_null()) return std::nullopt;
  QuantizationProof proof{.weights_only = text_of(general, kQuantization, "maps") == "float32"};
  proof.int8_layers = static_cast<size_t>(number_of(general, kQuantization, "layers", kMostImages));
  proof.int8_products = number_of(general, kQuantization, "share_of_products", 1);
  if (const auto json = parsed(metadata, kCalibration); !json.is_null()) {
    proof.calibration_images = static_cast<size_t>(number_of(json, kCalibration, "images", kMostImages));
    proof.calibration_sha256 = text_of(json, kCalibration, "sha256");
    number_of(json, kCalibration, "seed", kMostSeeds);
    proof.seed = json["seed"].is_number_unsigned() ? json["seed"].get<uint64_t>() : 0;
  }
  if (const auto json = parsed(metadata, kValidation); !json.is_null())
    proof.accuracy = {.images = static_cast<size_t>(number_of(json, kValidation, "images", kMostImages)),
                      .sha256 = text_of(json, kValidation, "sha256"),
                      .map_float32 = number_of(json, kValidation, "mAP_float32", 1),
                      .map_int8 = number_of(json, kValidation, "mAP_int8", 1),
                      .keep = number_of(json, kValidation, "keep", 1),
                      .instruction_set = json.contains("instruction_set")
                                             ? text_of(json, kValidation, "instruction_set")
                                             : std::string()};
  if (const auto json = parsed(metadata, kFloatLayers); !json.is_null()) {
    if (!json.is_array() || !std::ranges::all_of(json, [](const auto& name) { return name.is_string(); }))
      bad_input("metadata {} is no list of names", kFloatLayers);
    proof.float_layers = json.get<std::vector<std::string>>();
  }
  return proof;
}

}  // namespace effdet
