// COCO numbers in the public form.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "dataset/class_map.h"
#include "effdet/dataset.h"
#include "eval/coco_results.h"
#include "eval/ground_truth.h"

namespace effdet::dataset {

/// What is computed besides COCO's numbers: as in EvaluateOptions.
struct Explanations {
  bool error_analysis = false;
  std::optional<AnalysisOptions> analysis = {};
};

/// Evaluates results on the given images. Throws as evaluate_coco() and analysis::check_options().
Evaluation evaluate(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
                    std::span<const int64_t> image_ids, const Explanations& explanations = {});

/// The options with as many detections of an image as the data set's rules count, where no other number was chosen:
/// 300 for LVIS.
DetectOptions detect_options_for(const eval::GroundTruth& dataset, DetectOptions options);

/// The first of evaluate()'s metrics, AP of objects of all sizes, for less: on one thread.
double map_of(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> results,
              std::span<const int64_t> image_ids);

/// Of each image its detections, best first, as results with the data set's category ids. Those of classes that stand
/// for no category are left out.
std::vector<eval::CocoResult> results_of(std::span<const eval::ImageRecord* const> images,
                                         std::span<const std::vector<Detection>> detections, const ClassMap& classes);

/// Writes results that were evaluated; nothing where the path is empty. Throws as write_coco_results(), with the
/// numbers in the message, since they are lost with the error.
void write_evaluated(const std::filesystem::path& path, std::span<const eval::CocoResult> results,
                     const eval::GroundTruth& dataset, const Evaluation& evaluation);

std::vector<int64_t> ids_of(std::span<const eval::ImageRecord* const> images);

}  // namespace effdet::dataset
