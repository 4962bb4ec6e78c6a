// --device, as the commands share it: this processor, or cards that AscendCL runs.
#pragma once

#include <filesystem>
#include <string>

#include "cli.h"
#include "effdet/compiled_model.h"
#include "effdet/model_options.h"

namespace effdet::cli {

/// --device NAME, as CompiledModel::load() takes it.
CLI::Option* add_device(CommandLine& line, std::string& device);

/// --metadata FILE, as CompiledModel::load() takes it.
void add_metadata(CommandLine& line, std::filesystem::path& metadata);

/// Both.
void add_device(CommandLine& line, ModelOptions& options);

/// Loads a model on a device by its name, or by numbers as the original tools have them ("0", "0,1"): cards for models
/// of CANN, GPUs for models that were compiled for them, this processor for others. Throws as CompiledModel::load().
CompiledModel load_numbered(const std::string& model, const std::string& device, const std::filesystem::path& metadata);

/// How many cards a device names; 1 for this processor.
int card_count(const std::string& device);

}  // namespace effdet::cli
