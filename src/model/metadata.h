// What a graph tells later steps about the model, as ONNX metadata_props; docs/onnx-metadata.md describes the keys.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "model/family.h"

namespace effdet::model {

/// Input and outputs' meaning in one piece: what preprocessing and postprocessing need besides the graph's shapes.
struct ModelInfo {
  std::string variant;
  Decoding decoding = Decoding::kAnchorLevels;  ///< of the family
  int num_classes = 0;
  int image_height = 0;
  int image_width = 0;
  int min_level = 0;
  int max_level = 0;
  int num_scales = 0;
  std::vector<Ratio> aspect_ratios;
  double anchor_scale = 0;
  std::array<double, 3> mean{};
  std::array<double, 3> std{};
  std::array<uint8_t, 3> fill{};
  Interpolation interpolation = Interpolation::kAntialiased;
  Selection selection = Selection::kAllClasses;
  std::vector<std::string> class_names;
  int label_offset = 1;

  int anchors() const { return static_cast<int>(aspect_ratios.size()) * num_scales; }
  bool operator==(const ModelInfo&) const = default;
};

/// How many parameters the model has in PyTorch: sum(p.numel() for p in model.parameters()).
constexpr const char* kParametersKey = "effdet.parameters";
/// The number under that key; nothing where it is missing or makes no sense.
std::optional<int64_t> parameters_of(const std::map<std::string, std::string>& metadata);

/// What a graph that is built from config will say.
ModelInfo info_of(const ModelConfig& config);

std::map<std::string, std::string> metadata_of(const ModelConfig& config);

/// Whether the metadata is this program's (it holds "effdet.variant").
bool has_model_info(const std::map<std::string, std::string>& metadata);

/// Reads what metadata_of wrote. The metadata comes from a file: every key is checked, and Error(kBadInput) names the
/// first that is missing or makes no sense. source (a file's name) begins the error.
ModelInfo parse_metadata(const std::map<std::string, std::string>& metadata, std::string_view source);

}  // namespace effdet::model
