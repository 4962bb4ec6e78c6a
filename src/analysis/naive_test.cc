// Random data sets, analysed a second time by the shortest code that follows the definitions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "analysis/test_support.h"
#include "eval/coco_match.h"

namespace effdet::analysis {
namespace {

constexpr size_t kImages = 30, kCategories = 4;

/// 1: right, 0: wrong, -1: ignored. Of each result, at IoU 0.5.
std::vector<int> naive_verdicts(const TestData& data) {
  std::vector<size_t> order(data.results.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return data.results[a].score > data.results[b].score; });
  std::vector<int> verdicts(order.size(), 0);
  std::set<const eval::Annotation*> taken;
  for (const size_t i : order) {
    const eval::CocoResult& result = data.results[i];
    const eval::Annotation* best = nullptr;
    double best_iou = 0.5;
    for (const bool crowds : {false, true}) {
      for (const eval::Annotation& object : data.truth.annotations) {
        if (object.is_crowd != crowds || object.image_id != result.image_id ||
            object.category_id != result.category_id || taken.contains(&object))
          continue;
        const double iou = eval::box_iou(result.bbox, object.bbox, crowds);
        if (iou < best_iou) continue;
        best = &object;
        best_iou = iou;
      }
      if (best != nullptr) break;
    }
    if (best != nullptr) verdicts[i] = best->is_crowd ? -1 : 1;
    if (best != nullptr && !best->is_crowd) taken.insert(best);
  }
  return verdicts;
}

struct Counts {
  size_t true_positives = 0, false_positives = 0, objects = 0;
  double f1() const {
    return 2.0 * static_cast<double>(true_positives) / static_cast<double>(true_positives + false_positives + objects);
  }
};

Counts naive_counts(const TestData& data, const std::vector<int>& verdicts, double threshold) {
  Counts counts;
  for (size_t i = 0; i < verdicts.size(); ++i) {
    if (data.results[i].score < threshold) continue;
    counts.true_positives += verdicts[i] == 1 ? 1 : 0;
    counts.false_positives += verdicts[i] == 0 ? 1 : 0;
  }
  for (const eval::Annotation& object : data.truth.annotations) counts.objects += object.is_crowd ? 0 : 1;
  return counts;
}

/// The steps of Ultralytics' ConfusionMatrix.process_batch.
std::map<std::pair<size_t, size_t>, size_t> naive_confusion(const TestData& data, const std::vector<int>& verdicts,
                                                            double threshold) {
  const auto index = [](int64_t category) { return static_cast<size_t>(category / 10 - 1); };
  std::map<std::pair<size_t, size_t>, size_t> matrix;
  for (const eval::ImageRecord& image : data.truth.images) {
    std::vector<const eval::Annotation*> objects;
    std::vector<const eval::CocoResult*> detections;
    for (const eval::Annotation& object : data.truth.annotations)
      if (object.image_id == image.id && !object.is_crowd) objects.push_back(&object);
    for (size_t i = 0; i < verdicts.size(); ++i)
      if (data.results[i].image_id == image.id && verdicts[i] >= 0 && data.results[i].score >= threshold)
        detections.push_back(&data.results[i]);
    std::vector<std::tuple<double, bool, double, size_t, size_t>>
        pairs;  // IoU, same category, score, object, detection
    for (size_t o = 0; o < objects.size(); ++o)
      for (size_t d = 0; d < detections.size(); ++d)
        if (const double iou = eval::box_iou(detections[d]->bbox, objects[o]->bbox, false); iou >= 0.5)
          pairs.emplace_back(iou, detections[d]->category_id == objects[o]->category_id, detections[d]->score, o, d);
    std::sort(pairs.rbegin(), pairs.rend());
    std::set<size_t> seen_detections, seen_objects;
    std::erase_if(pairs, [&](const auto& pair) { return !seen_detections.insert(std::get<4>(pair)).second; });
    std::erase_if(pairs, [&](const auto& pair) { return !seen_objects.insert(std::get<3>(pair)).second; });
    std::set<size_t> paired;
    for (const auto& [iou, same, score, o, d] : pairs) {
      ++matrix[{index(objects[o]->category_id), index(detections[d]->category_id)}];
      paired.insert(d);
    }
    for (size_t o = 0; o < objects.size(); ++o)
      if (!seen_objects.contains(o)) ++matrix[{index(objects[o]->category_id), kCategories}];
    for (size_t d = 0; d < detections.size(); ++d)
      if (!paired.contains(d)) ++matrix[{kCategories, index(detections[d]->category_id)}];
  }
  return matrix;
}

class NaiveAnalysis : public testing::TestWithParam<unsigned> {
 protected:
  const TestData data_ = random_data(kCategories, GetParam());
  const std::vector<int> verdicts_ = naive_verdicts(data_);
  const EvaluationAnalysis analysis_ = data_.analyse();
};

TEST_P(NaiveAnalysis, HasTheSameCurves) {
  double best = 0;
  for (const eval::CocoResult& result : data_.results)
    best = std::max(best, naive_counts(data_, verdicts_, result.score).f1());
  EXPECT_EQ(analysis_.all.curve.best->f1, best);
  for (size_t i = 0; i < analysis_.thresholds.size(); ++i) {
    const Counts counts = naive_counts(data_, verdicts_, analysis_.thresholds[i]);
    EXPECT_EQ(analysis_.all.curve.f1[i], counts.f1()) << analysis_.thresholds[i];
    EXPECT_EQ(analysis_.all.curve.recall[i],
              static_cast<double>(counts.true_positives) / static_cast<double>(counts.objects));
  }
}

TEST_P(NaiveAnalysis, HasTheSameCalibration) {
  double ece = 0;
  size_t count = 0;
  for (size_t bin = 0; bin < 10; ++bin) {
    double scores = 0, found = 0;
    for (size_t i = 0; i < verdicts_.size(); ++i) {
      const double score = data_.results[i].score;
      const bool is_here = static_cast<size_t>(std::max(std::ceil(score * 10) - 1, 0.0)) == bin;
      if (verdicts_[i] < 0 || !is_here) continue;
      scores += score;
      found += verdicts_[i];
      ++count;
    }
    ece += std::abs(found - scores);
  }
  EXPECT_NEAR(analysis_.all.calibration.ece, ece / static_cast<double>(count), 1e-12);
}

TEST_P(NaiveAnalysis, HasTheSameConfusions) {
  std::map<std::pair<size_t, size_t>, size_t> matrix;
  for (const ConfusionMatrix::Cell& cell : analysis_.confusion.cells)
    matrix[{cell.actual, cell.predicted}] = cell.count;
  EXPECT_EQ(matrix, naive_confusion(data_, verdicts_, analysis_.score_threshold));
}

TEST_P(NaiveAnalysis, CountsTheSameInImagesAndInTotal) {
  const auto images = data_.analyse({.max_images = kImages}).worst_images;
  size_t false_positives = 0, false_negatives = 0;
  for (const WorstImage& image : images) {
    false_positives += image.false_positives;
    false_negatives += image.false_negatives;
  }
  EXPECT_EQ(false_positives, analysis_.all.curve.chosen.false_positives);
  EXPECT_EQ(false_negatives, analysis_.all.curve.chosen.false_negatives);
}

TEST_P(NaiveAnalysis, DoesNotDependOnThreads) {
  const EvaluationAnalysis other = data_.analyse({}, 3);
  EXPECT_EQ(analysis_.all.curve.f1, other.all.curve.f1);
  EXPECT_EQ(analysis_.all.calibration.ece, other.all.calibration.ece);
  EXPECT_EQ(analysis_.precision.values, other.precision.values);
  for (size_t k = 0; k < kCategories; ++k)
    EXPECT_EQ(analysis_.categories[k].curve.precision, other.categories[k].curve.precision);
  ASSERT_EQ(analysis_.label_errors.missing_boxes.size(), other.label_errors.missing_boxes.size());
  for (size_t i = 0; i < other.label_errors.missing_boxes.size(); ++i)
    EXPECT_EQ(analysis_.label_errors.missing_boxes[i].box, other.label_errors.missing_boxes[i].box);
}

INSTANTIATE_TEST_SUITE_P(Seeds, NaiveAnalysis, testing::Range(1U, 6U));

}  // namespace
}  // namespace effdet::analysis
