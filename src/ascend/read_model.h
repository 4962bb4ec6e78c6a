// Offline models that are compiled for Ascend's cards, or run as if they were, as programs of one step.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "artifact/program.h"

namespace effdet::ascend {

/// What AscendCL says of a model, which is loaded for that on the target's first card: a program for each of its plans.
/// A file that is ours has its metadata and preprocessing, too. Throws Error(kUnsupported) where there is no AscendCL,
/// for models whose shapes are open and for element types that tensors do not have, and Error(kIo) with the library's
/// message for what it refuses.
std::vector<artifact::Program> read_model(const std::filesystem::path& path, const std::string& target);

}  // namespace effdet::ascend
