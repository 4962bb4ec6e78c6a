// What a model says about its input and outputs.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "effdet/compiled_model.h"
#include "model/metadata.h"
#include "runtime/engine.h"

namespace effdet::detection {

/// Reads the exporter's metadata of a model. Throws Error(kUnsupported) where there are none, with the remedy, and
/// Error(kBadInput) where they make no sense.
model::ModelInfo model_info(const std::map<std::string, std::string>& metadata,
                            std::string_view remedy =
                                "export the checkpoint with pth2onnx, or name the ONNX file that a "
                                "compiled model was made from with --metadata");

/// The same for callers of the library. Throws as network_shape().
ModelDescription describe(const model::ModelInfo& info, const runtime::Engine& engine);

}  // namespace effdet::detection
