// From the options of an evaluation to its parameters.
#pragma once

#include <initializer_list>
#include <span>

#include "effdet/dataset.h"
#include "eval/coco_params.h"
#include "eval/coco_results.h"
#include "eval/ground_truth.h"

namespace effdet::dataset {

/// What the rules of a data set say where nobody chooses, for all images and categories.
eval::CocoParams default_params(const eval::GroundTruth& dataset);

/// pycocotools' parameters, with ids as numbers. Throws Error(kUsage) for images and categories that the data set does
/// not have, for values out of range, and for what the rules do not have, before results are read.
eval::CocoParams evaluation_params(const EvaluateOptions& options, const eval::GroundTruth& dataset);

/// Of the images of the parameters only those that results are of, in any of the files.
void keep_images_with_results(std::initializer_list<std::span<const eval::CocoResult>> files, eval::CocoParams& params);

}  // namespace effdet::dataset
