// Small data sets for the tests of this layer.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "eval/coco_eval.h"

namespace effdet::analysis {

/// Categories have the ids 10, 20, ..., images 1, 2, ...
struct TestData {
  eval::GroundTruth truth;
  std::vector<eval::CocoResult> results;

  TestData(size_t images, size_t categories) {
    for (size_t i = 0; i < images; ++i) {
      const auto id = static_cast<int64_t>(i) + 1;
      truth.image_index[id] = i;
      truth.images.push_back({.id = id, .file_name = std::to_string(id) + ".jpg", .width = 100, .height = 80});
    }
    for (size_t k = 0; k < categories; ++k) truth.categories.push_back({category_id(k), "class" + std::to_string(k)});
  }

  static int64_t category_id(size_t category) { return 10 * (static_cast<int64_t>(category) + 1); }

  void object(int64_t image, size_t category, std::array<double, 4> box, bool is_crowd = false) {
    truth.annotations.push_back({.id = static_cast<int64_t>(truth.annotations.size()) + 1,
                                 .image_id = image,
                                 .category_id = category_id(category),
                                 .bbox = box,
                                 .area = box[2] * box[3],
                                 .is_crowd = is_crowd});
  }
  void detection(int64_t image, size_t category, std::array<double, 4> box, double score) {
    results.push_back({.image_id = image, .bbox = box, .score = score, .category_id = category_id(category)});
  }

  EvaluationAnalysis analyse(const AnalysisOptions& options = {}, int threads = 1) const {
    return analyse(eval::CocoParams::all_of(truth), options, threads);
  }
  EvaluationAnalysis analyse(eval::CocoParams params, const AnalysisOptions& options = {}, int threads = 1) const {
    ThreadPool pool(threads);
    eval::CocoEvaluation evaluation =
        eval::evaluate_coco(truth, results, std::move(params), eval::CocoOutput::kSummary, &pool);
    return analysis::analyse(truth, results, evaluation, options, pool);
  }
};

/// 30 images; many scores are equal, some objects are crowds.
inline TestData random_data(size_t categories, unsigned seed) {
  constexpr size_t kImages = 30;
  std::mt19937 random(seed);
  const auto below = [&](unsigned limit) { return random() % limit; };
  TestData data(kImages, categories);
  for (size_t i = 1; i <= kImages; ++i) {
    const auto image = static_cast<int64_t>(i);
    std::vector<std::array<double, 4>> boxes;
    for (unsigned n = below(6); n-- > 0;) {
      boxes.push_back({below(60) * 1.0, below(60) * 1.0, 5.0 + below(40), 5.0 + below(40)});
      data.object(image, below(static_cast<unsigned>(categories)), boxes.back(), /*is_crowd=*/below(8) == 0);
    }
    for (unsigned n = below(14); n-- > 0;) {
      std::array<double, 4> box = {below(90) * 1.0, below(90) * 1.0, 3.0 + below(30), 3.0 + below(30)};
      if (!boxes.empty() && below(4) != 0) box = boxes[below(static_cast<unsigned>(boxes.size()))];
      for (double& value : box) value += below(1000) / 300.0;
      data.detection(image, below(static_cast<unsigned>(categories)), box, below(40) / 40.0);
    }
  }
  return data;
}

}  // namespace effdet::analysis
