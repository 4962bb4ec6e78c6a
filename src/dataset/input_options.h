// The model that a data set is preprocessed for, or that made dumped outputs.
#pragma once

#include "detection/preprocessing.h"
#include "effdet/dataset.h"

namespace effdet::dataset {

/// The model that the options name, at the size that they give or else at its own: what its metadata say, or the
/// variant with its defaults. Throws Error(kUsage) for an unknown variant, naming all, and for a size that it cannot
/// take; Error(kBadInput) for metadata that make no sense.
model::ModelInfo info_of(const InputOptions& options);

inline vision::Preprocessing preprocessing_of(const InputOptions& options) {
  return detection::input_of(info_of(options));
}

}  // namespace effdet::dataset
