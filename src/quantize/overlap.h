// Images that are in the calibration and in the validation: what was measured on them would say too much.
#pragma once

#include <string>

#include "dataset/dataset.h"
#include "ir/graph.h"
#include "quantize/images.h"

namespace effdet::quantize {

/// Compares by content, not by name; .bin files with what the validation's images put into the model. Returns the hash
/// of the validation's files, annotations included (QuantizationProof::Accuracy). Without a calibration, which weights
/// alone do not need, there is nothing to compare. Throws Error(kUsage) that names both files of the first pair, and
/// Error(kIo).
std::string require_disjoint(const CalibrationImages* calibration, const dataset::Dataset& validation,
                             const ir::Graph& graph);

/// Hash of the files that a calibration used (QuantizationProof::calibration_sha256).
std::string hash_of_used(const CalibrationImages& calibration);

}  // namespace effdet::quantize
