// Options for building a model from a checkpoint, given for a file in which all that is settled.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "effdet/checkpoint_tools.h"
#include "ir/graph.h"
#include "runtime/engine.h"

namespace effdet::api {

/// Throws Error(kUsage) that names flag and file for an option that the model in the file contradicts, or which it has
/// no use for. What the file has itself may be said.
void check_settled(const ModelOptions& options, const std::filesystem::path& path, const ir::Graph& model);
/// The same for a compiled model, whose plans may have several sizes, and whose precision is settled too.
void check_settled(const ModelOptions& options, const std::filesystem::path& path,
                   std::span<const std::shared_ptr<const runtime::Engine>> plans);

}  // namespace effdet::api
