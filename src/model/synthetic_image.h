// Images for calibration: smooth to rough noise with shapes of other textures in front, roughly as photographs are.
#pragma once

#include "base/tensor.h"
#include "model/random.h"
#include "model/variants.h"

namespace effdet::model {

/// [batch, 3, size, size] float32, normalised with the variant's mean and deviation.
Tensor synthetic_images(const Variant& variant, int batch, int size, RandomStream& random);

}  // namespace effdet::model
