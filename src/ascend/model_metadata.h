// What compiled models without metadata of ours are: from the ONNX file that they were compiled from, or from a file
// beside them.
#pragma once

#include <filesystem>
#include <vector>

#include "artifact/program.h"

namespace effdet::ascend {

/// Gives the plans of a model the exporter's metadata where they have none: those of an ONNX file, or of a file that
/// keep_metadata() wrote; where none is named, those of the file beside the model, if there is one that is of this
/// model. The metadata are as hostile as the files: who uses them checks them. Throws Error(kUsage) where a file is
/// named for a model that has its own, Error(kUnsupported) for an ONNX file without them, Error(kBadInput) for a
/// damaged file, or a named one of another model, and Error(kIo).
void complete_metadata(std::vector<artifact::Program>& plans, const std::filesystem::path& model,
                       const std::filesystem::path& named);

}  // namespace effdet::ascend
