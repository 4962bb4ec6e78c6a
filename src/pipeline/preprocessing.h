// Which preprocessing a model wants, and images through it.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "effdet/dataset.h"
#include "model/variants.h"
#include "vision/preprocess.h"

namespace effdet::pipeline {

/// The member of the family that options.model names. Throws Error(kUsage) that lists the members.
const model::Variant& variant_of(const InputOptions& options);

/// The variant's preprocessing at the size that the options give, or at its own. Throws Error(kUsage) for a size that
/// the variant cannot take.
Preprocessing preprocessing_of(const InputOptions& options);

/// Floats of one image: 3 x height x width.
size_t tensor_size(const Preprocessing& preprocessing);

/// letterbox_to_tensor() with errors that name the image.
void to_tensor(const Image& image, std::string_view name, const Preprocessing& preprocessing, std::span<float> tensor);

}  // namespace effdet::pipeline
