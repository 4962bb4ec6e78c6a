// Turns a model's description into size, colours and fill of the letterbox.
#include "detection/preprocessing.h"

namespace effdet::detection {

vision::Preprocessing input_of(const model::ModelInfo& info) {
  return input_of(info, info.image_height, info.image_width);
}

vision::Preprocessing input_of(const model::ModelInfo& info, int height, int width) {
  return {height, width, info.mean, info.std, info.fill, info.interpolation == model::Interpolation::kSampled};
}

size_t tensor_size(const vision::Preprocessing& preprocessing) {
  return size_t{3} * static_cast<size_t>(preprocessing.height) * static_cast<size_t>(preprocessing.width);
}

}  // namespace effdet::detection
