// Options for building a model from a checkpoint, given for a file in which all that is settled.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "effdet/model_options.h"
#include "ir/graph.h"

namespace effdet::model {

/// Of a batch of images, in pixels; -1: any.
struct InputSize {
  int64_t height, width;
  bool operator==(const InputSize&) const = default;
};

/// What a model file, ONNX or compiled, has settled.
struct SettledModel {
  std::string path;
  const std::map<std::string, std::string>& metadata;
  std::vector<InputSize> sizes;        ///< that one of its inputs has, in one of its plans
  std::optional<Precision> precision;  ///< of a compiled model
};

/// Throws Error(kUsage) that names flag and file for an option that the model in the file contradicts, or which it has
/// no use for. What the file has itself may be said.
void check_settled(const ModelOptions& options, const SettledModel& model);

/// The sizes of a graph's inputs with four dimensions; of one with AIPP those of its images and of the network's input.
std::vector<InputSize> input_sizes(const ir::Graph& graph);

}  // namespace effdet::model
