// What the results of a run over a data set depend on, as hashes: two runs with the same key find the same, to the bit.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataset/class_map.h"
#include "dataset/dataset.h"
#include "effdet/dataset.h"
#include "effdet/detect_images.h"
#include "runtime/engine.h"

namespace effdet::dataset {

struct RunKey {
  uint64_t model = 0;    ///< the program with its weights, and the kernels that this processor runs it on
  uint64_t options = 0;  ///< of postprocessing, categories or classes, number of images, pictures
  uint64_t data = 0;     ///< the annotations or the list, as read; not the pixels
};

/// Of all plans, which the images' sizes choose from.
uint64_t model_key(std::span<const std::shared_ptr<const runtime::Engine>> plans);
uint64_t model_key(const runtime::Engine& engine);
uint64_t options_key(const ValidateOptions& options, const ClassMap& classes, int num_classes);
/// Of a run over a list.
uint64_t options_key(const DetectImagesOptions& options, std::span<const std::string> class_names);
uint64_t data_key(std::span<const ListedImage> images);
uint64_t data_key(const eval::GroundTruth& truth);

}  // namespace effdet::dataset
