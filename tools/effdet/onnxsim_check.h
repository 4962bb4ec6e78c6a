// onnxsim's check that a simplified model computes the same.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "effdet/onnx_model.h"

namespace effdet::cli {

/// New shapes of inputs by name; "" stands for the only input.
using InputShapes = std::map<std::string, std::vector<int64_t>>;

/// Compares the models with inputs of these shapes (a batch that nobody said is 1) and prints the result, and how it
/// was found. Throws Error(kMismatch) where they differ, and Error(kUsage) for an input whose shape stays unknown.
/// Where the check takes too much memory, a line on standard error says that there was none.
void check_simplified(const OnnxModel& original, const OnnxModel& simplified, const InputShapes& shapes,
                      const CheckOptions& options);

}  // namespace effdet::cli
