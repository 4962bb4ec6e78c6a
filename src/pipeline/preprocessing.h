// Which preprocessing a model wants, and images through it.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "effdet/dataset.h"
#include "model/metadata.h"
#include "vision/preprocess.h"

namespace effdet::pipeline {

/// The model that the options name, at the size that they give or else at its own: what its metadata say, or the
/// variant with its defaults. Throws Error(kUsage) for an unknown variant, naming all, and for a size that it cannot
/// take; Error(kBadInput) for metadata that make no sense.
model::ModelInfo info_of(const InputOptions& options);

/// At the size that the model says, or at another.
vision::Preprocessing input_of(const model::ModelInfo& info);
vision::Preprocessing input_of(const model::ModelInfo& info, int height, int width);
inline vision::Preprocessing preprocessing_of(const InputOptions& options) { return input_of(info_of(options)); }

/// Floats of one image: 3 x height x width.
size_t tensor_size(const vision::Preprocessing& preprocessing);

}  // namespace effdet::pipeline
