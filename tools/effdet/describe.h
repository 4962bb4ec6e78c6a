// Models in words and as JSON: what pth2onnx, info and atc print of them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/onnx_model.h"

namespace effdet::cli {

/// {"name": ..., "dtype": ..., "shape": [...]}, one for each tensor.
nlohmann::json tensors_json(const std::vector<TensorInfo>& tensors);
nlohmann::json model_json(const OnnxModel& model);
nlohmann::json model_json(const CompiledModel& model);

/// Nodes of all operators together.
size_t node_count(const OnnxModel& model);

/// Indented, with a line end; bytes that are no UTF-8, as a hostile file's names may have them, are replaced.
std::string json_text(const nlohmann::json& json);

/// One line a tensor, with a heading.
void print_tensors(const std::string& heading, const std::vector<TensorInfo>& tensors);
void print_metadata(const std::map<std::string, std::string>& metadata);
void print_model(const OnnxModel& model);
/// steps: also every step with its implementation, and why better ones refused it.
void print_model(const CompiledModel& model, bool steps);
void print_steps(const CompiledModel& model);

/// The type that the model's steps compute in.
std::string_view precision_of(const CompiledModel& model);

}  // namespace effdet::cli
