// COCOeval's arrays in a file of numpy's.
#pragma once

#include <filesystem>

#include "eval/coco_eval.h"

namespace effdet::dataset {

/// Writes a .npz file, whole or not at all: see EvaluateOptions::arrays. Precondition: all arrays were made. Throws
/// Error(kIo), Error(kUnsupported) above 4 GiB.
void write_arrays(const std::filesystem::path& path, const eval::CocoEvaluation& evaluation, eval::Rules rules);

}  // namespace effdet::dataset
