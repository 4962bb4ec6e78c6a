// The preprocessing that a model wants.
#pragma once

#include <cstddef>

#include "model/metadata.h"
#include "vision/preprocess.h"

namespace effdet::detection {

/// At the size in pixels that the model says, or at another.
vision::Preprocessing input_of(const model::ModelInfo& info);
vision::Preprocessing input_of(const model::ModelInfo& info, int height, int width);

/// Floats of one image: 3 x height x width.
size_t tensor_size(const vision::Preprocessing& preprocessing);

}  // namespace effdet::detection
