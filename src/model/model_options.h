// From the public ModelOptions and a checkpoint to the builder's configuration.
#pragma once

#include <filesystem>
#include <string>

#include "checkpoint/checkpoint.h"
#include "effdet/model_options.h"
#include "model/config.h"

namespace effdet::model {

/// What the options leave open is inferred from the checkpoint. Throws as infer_variant and check_config do, and
/// Error(kUsage) where the options contradict the checkpoint.
ModelConfig config_for(const checkpoint::Checkpoint& checkpoint, const ModelOptions& options);

/// The same without a checkpoint: options.model must name a variant.
ModelConfig config_for(const ModelOptions& options);

/// Hands a line about a file to options.on_note, unless it is empty.
void tell(const ModelOptions& options, const std::filesystem::path& path, const std::string& line);

}  // namespace effdet::model
