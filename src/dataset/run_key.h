// What the results of a run over a data set depend on, as hashes: two runs with the same key find the same, to the bit.
#pragma once

#include <cstdint>

#include "dataset/class_map.h"
#include "dataset/dataset.h"
#include "effdet/dataset.h"
#include "runtime/engine.h"

namespace effdet::dataset {

struct RunKey {
  uint64_t model = 0;    ///< the program with its weights, and the kernels that this processor runs it on
  uint64_t options = 0;  ///< of postprocessing, categories, number of images, pictures
  uint64_t data = 0;     ///< the annotations, as read; not the pixels
};

uint64_t model_key(const runtime::Engine& engine);
uint64_t options_key(const ValidateOptions& options, const ClassMap& classes, int num_classes);
uint64_t data_key(const eval::GroundTruth& truth);

}  // namespace effdet::dataset
