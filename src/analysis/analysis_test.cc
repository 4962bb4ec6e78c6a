// A small data set whose numbers can be worked out by hand, and data sets where something is missing.
#include "analysis/analysis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/test_support.h"
#include "effdet/error.h"

namespace effdet::analysis {
namespace {

constexpr size_t kCat = 0, kDog = 1;

/// Image 1: a cat that is found (0.9), a dog that is found as a dog (0.3) and as a cat (0.8).
/// Image 2: a cat that nothing overlaps, cats in a crowd with a detection (0.6), and a dog where nothing is (0.7).
TestData cats_and_dogs() {
  TestData data(2, 2);
  data.object(1, kCat, {10, 10, 20, 20});
  data.object(1, kDog, {50, 50, 30, 30});
  data.object(2, kCat, {0, 0, 50, 50});
  data.object(2, kCat, {60, 0, 40, 40}, /*is_crowd=*/true);
  data.detection(1, kCat, {10, 10, 20, 20}, 0.9);
  data.detection(1, kCat, {50, 50, 30, 30}, 0.8);
  data.detection(1, kDog, {50, 50, 30, 30}, 0.3);
  data.detection(2, kDog, {0, 60, 20, 20}, 0.7);
  data.detection(2, kCat, {65, 5, 10, 10}, 0.6);
  return data;
}

void expect_point(const OperatingPoint& point, double threshold, double precision, double recall, double f1) {
  EXPECT_EQ(point.threshold, threshold);
  EXPECT_DOUBLE_EQ(point.precision, precision);
  EXPECT_DOUBLE_EQ(point.recall, recall);
  EXPECT_DOUBLE_EQ(point.f1, f1);
}

TEST(Analysis, FindsTheThresholdWithTheBestF1) {
  const EvaluationAnalysis analysis = cats_and_dogs().analyse();
  ASSERT_TRUE(analysis.all.curve.best);
  expect_point(*analysis.all.curve.best, 0.3, 0.5, 2.0 / 3, 4.0 / 7);
  expect_point(*analysis.categories[kCat].curve.best, 0.9, 1, 0.5, 2.0 / 3);
  expect_point(*analysis.categories[kDog].curve.best, 0.3, 0.5, 1, 2.0 / 3);
  expect_point(analysis.categories[kCat].curve.chosen, 0.3, 0.5, 0.5, 0.5);
  EXPECT_EQ(analysis.score_threshold, 0.3);
  EXPECT_TRUE(analysis.is_best_threshold);
}

TEST(Analysis, DrawsPrecisionRecallAndF1OverTheThreshold) {
  const EvaluationAnalysis analysis = cats_and_dogs().analyse({.curve_points = 11});
  ASSERT_EQ(analysis.thresholds.size(), 11);
  EXPECT_DOUBLE_EQ(analysis.thresholds[5], 0.5);
  const ScoreCurve& all = analysis.all.curve;
  EXPECT_DOUBLE_EQ(all.precision[5], 1.0 / 3);
  EXPECT_DOUBLE_EQ(all.recall[5], 1.0 / 3);
  EXPECT_DOUBLE_EQ(all.f1[0], 4.0 / 7);
  EXPECT_DOUBLE_EQ(all.precision[9], 1);  // 0.9 is reached by a score of 0.9
  EXPECT_EQ(all.precision[10], -1);
  EXPECT_EQ(all.recall[10], 0);
  EXPECT_EQ(all.f1[10], 0);
}

TEST(Analysis, CountsConfusedCategories) {
  const ConfusionMatrix best = cats_and_dogs().analyse().confusion;
  EXPECT_EQ(best.num_categories, 2);
  EXPECT_EQ(best.count(kCat, kCat), 1);
  EXPECT_EQ(best.count(kDog, kDog), 1);  // of equal boxes the one with the object's category
  EXPECT_EQ(best.count(kDog, kCat), 0);
  EXPECT_EQ(best.count(kCat, 2), 1);
  EXPECT_EQ(best.count(2, kCat), 1);  // not the detection in the crowd
  EXPECT_EQ(best.count(2, kDog), 1);
  EXPECT_TRUE(best.most_confused.empty());

  const ConfusionMatrix high = cats_and_dogs().analyse({.score_threshold = 0.5}).confusion;
  EXPECT_EQ(high.count(kDog, kCat), 1);
  EXPECT_EQ(high.count(kDog, kDog), 0);
  EXPECT_EQ(high.count(2, kCat), 0);
  ASSERT_EQ(high.most_confused.size(), 1);
  EXPECT_EQ(high.most_confused[0].actual, kDog);
  EXPECT_EQ(high.most_confused[0].predicted, kCat);
}

TEST(Analysis, MeasuresCalibration) {
  const EvaluationAnalysis analysis = cats_and_dogs().analyse();
  const Calibration& all = analysis.all.calibration;
  ASSERT_EQ(all.bins.size(), 10);
  EXPECT_EQ(all.bins[8].count, 1);  // 0.9 ends the bin
  EXPECT_EQ(all.bins[8].mean_score, 0.9);
  EXPECT_EQ(all.bins[8].precision, 1);
  EXPECT_EQ(all.bins[5].count, 0);  // the detection in the crowd
  EXPECT_DOUBLE_EQ(all.ece, (0.1 + 0.8 + 0.7 + 0.7) / 4);
  EXPECT_DOUBLE_EQ(all.mce, 0.8);
  EXPECT_DOUBLE_EQ(analysis.categories[kDog].calibration.ece, 0.7);
}

TEST(Analysis, SuspectsLabelErrors) {
  const LabelErrors errors = cats_and_dogs().analyse().label_errors;
  ASSERT_EQ(errors.missing_boxes.size(), 1);
  EXPECT_EQ(errors.missing_boxes[0].score, 0.7);
  EXPECT_EQ(errors.missing_boxes[0].category, kDog);
  EXPECT_EQ(errors.missing_boxes[0].image.id, "2");
  EXPECT_EQ(errors.missing_boxes[0].image.file_name, "2.jpg");
  EXPECT_EQ(errors.missing_boxes[0].box, (std::array<double, 4>{0, 60, 20, 20}));
  ASSERT_EQ(errors.wrong_categories.size(), 1);
  EXPECT_EQ(errors.wrong_categories[0].score, 0.8);
  EXPECT_EQ(errors.wrong_categories[0].category, kCat);
  EXPECT_EQ(errors.wrong_categories[0].labelled, kDog);
  EXPECT_EQ(errors.wrong_categories[0].iou, 1);
  ASSERT_EQ(errors.never_found.size(), 1);
  EXPECT_EQ(errors.never_found[0].box, (std::array<double, 4>{0, 0, 50, 50}));
  EXPECT_EQ(errors.never_found[0].score, -1);
}

TEST(Analysis, DoesNotSuspectTheLabelOfAnObjectThatABetterDetectionFinds) {
  TestData data = cats_and_dogs();
  data.results[2].score = 0.85;
  EXPECT_TRUE(data.analyse().label_errors.wrong_categories.empty());
}

TEST(Analysis, ListsTheWorstImagesWithTheirBoxes) {
  using Kind = WorstImage::Kind;
  const std::vector<WorstImage> images = cats_and_dogs().analyse().worst_images;
  ASSERT_EQ(images.size(), 2);
  EXPECT_EQ(images[0].image.id, "2");
  EXPECT_EQ(images[0].false_positives, 1);
  EXPECT_EQ(images[0].false_negatives, 1);
  EXPECT_EQ(images[0].f1, 0);
  std::vector<Kind> kinds;
  for (const WorstImage::Box& box : images[0].boxes) kinds.push_back(box.kind);
  EXPECT_EQ(kinds, (std::vector{Kind::kFalseNegative, Kind::kIgnored, Kind::kFalsePositive}));
  EXPECT_EQ(images[1].true_positives, 2);
  EXPECT_EQ(images[1].false_positives, 1);
  EXPECT_DOUBLE_EQ(images[1].f1, 0.8);

  const std::vector<WorstImage> cut = cats_and_dogs().analyse({.max_images = 1, .max_boxes = 1}).worst_images;
  ASSERT_EQ(cut.size(), 1);
  EXPECT_EQ(cut[0].boxes.size(), 1);
  EXPECT_EQ(cut[0].boxes_left_out, 2);
}

TEST(Analysis, DividesObjectsBySize) {
  const std::vector<SizeBucket> sizes = cats_and_dogs().analyse({.object_sides = {16, 32, 50}}).sizes;
  ASSERT_EQ(sizes.size(), 4);
  EXPECT_EQ(sizes[0].objects, 0);
  EXPECT_EQ(sizes[0].ap, -1);
  EXPECT_EQ(sizes[1].objects, 2);
  EXPECT_EQ(sizes[1].found, 2);
  EXPECT_NEAR(sizes[1].ap, 0.75, 1e-12);  // cat 1; dog 0.5, as a false one has a higher score
  EXPECT_EQ(sizes[1].ar, 1);
  EXPECT_EQ(sizes[2].objects, 0);  // a side of 50 is in the last
  EXPECT_EQ(sizes[3].objects, 1);
  EXPECT_EQ(sizes[3].found, 0);
  EXPECT_EQ(sizes[3].ap, 0);
  EXPECT_EQ(sizes[3].high_side, std::numeric_limits<double>::infinity());
}

TEST(Analysis, HandsOnPrecisionWhicheverArraysThereAre) {
  const TestData data = cats_and_dogs();
  ThreadPool pool(1);
  std::vector<PrecisionCurves> curves;
  for (const auto output : {eval::CocoOutput::kSummary, eval::CocoOutput::kAllArrays}) {
    eval::CocoEvaluation evaluation =
        eval::evaluate_coco(data.truth, data.results, eval::CocoParams::all_of(data.truth), output, &pool);
    curves.push_back(analyse(data.truth, data.results, evaluation, {}, pool).precision);
  }
  EXPECT_EQ(curves[0].values, curves[1].values);
  EXPECT_EQ(curves[0].values.size(), 2 * 4 * 10 * 101);
  EXPECT_NEAR(curves[0].at(kCat, 0, 0, 50), 1, 1e-15);
  EXPECT_EQ(curves[0].at(kCat, 0, 0, 51), 0);
  EXPECT_EQ(curves[0].at(kDog, 0, 9, 100), 0.5);
  EXPECT_EQ(curves[0].mean(0, 0)[100], 0.25);
  EXPECT_TRUE(curves[0].mean(3, 0).empty());  // there is no large object
}

TEST(Analysis, TakesTheEvaluationsImagesAndCategories) {
  const TestData data = cats_and_dogs();
  eval::CocoParams params = eval::CocoParams::all_of(data.truth);
  params.image_ids = {1};
  params.category_ids = {TestData::category_id(kDog)};
  const EvaluationAnalysis analysis = data.analyse(params);
  ASSERT_EQ(analysis.categories.size(), 1);
  EXPECT_EQ(analysis.all.curve.best->true_positives, 1);
  EXPECT_EQ(analysis.all.curve.best->false_positives, 0);
  EXPECT_TRUE(analysis.label_errors.never_found.empty());

  params = eval::CocoParams::all_of(data.truth);
  params.use_categories = false;
  const EvaluationAnalysis proposals = data.analyse(params);
  ASSERT_EQ(proposals.categories.size(), 1);
  EXPECT_EQ(proposals.all.curve.best->true_positives, 2);
  EXPECT_TRUE(proposals.confusion.most_confused.empty());

  params = eval::CocoParams::all_of(data.truth);
  params.max_detections = {1};
  EXPECT_EQ(data.analyse(params).all.curve.f1[0], 4.0 / 6);  // without the cat at the dog
}

TEST(Analysis, OfNothingIsEmpty) {
  const TestData nothing(0, 0);
  const EvaluationAnalysis empty = nothing.analyse();
  EXPECT_FALSE(empty.all.curve.best);
  EXPECT_FALSE(empty.is_best_threshold);
  EXPECT_EQ(empty.score_threshold, 0.5);
  EXPECT_EQ(empty.all.curve.f1[0], -1);
  EXPECT_TRUE(empty.confusion.cells.empty());
  EXPECT_EQ(empty.all.calibration.ece, -1);

  TestData no_detections = cats_and_dogs();
  no_detections.results.clear();
  const EvaluationAnalysis unfound = no_detections.analyse();
  EXPECT_EQ(unfound.all.curve.chosen.false_negatives, 3);
  EXPECT_EQ(unfound.all.curve.chosen.precision, -1);
  EXPECT_EQ(unfound.all.curve.chosen.f1, 0);
  EXPECT_EQ(unfound.label_errors.never_found.size(), 3);
  EXPECT_EQ(unfound.confusion.count(kCat, 2), 2);

  TestData no_objects = cats_and_dogs();
  no_objects.truth.annotations.clear();
  const EvaluationAnalysis wrong = no_objects.analyse({.score_threshold = 0});
  EXPECT_EQ(wrong.all.curve.chosen.false_positives, 5);
  EXPECT_EQ(wrong.all.curve.chosen.recall, -1);
  EXPECT_EQ(wrong.all.curve.chosen.f1, 0);
  EXPECT_FALSE(wrong.all.curve.best);
  EXPECT_EQ(wrong.label_errors.missing_boxes.size(), 5);
  EXPECT_EQ(wrong.sizes.front().ap, -1);
}

TEST(Analysis, TakesAnyScores) {
  TestData data = cats_and_dogs();
  data.results[0].score = std::numeric_limits<double>::infinity();
  data.results[3].score = -std::numeric_limits<double>::infinity();
  data.results[1].score = -4;
  const EvaluationAnalysis analysis = data.analyse();
  EXPECT_EQ(analysis.thresholds.front(), -1e6);
  EXPECT_EQ(analysis.thresholds.back(), 1e6);
  EXPECT_EQ(analysis.all.calibration.outside, 3);
  EXPECT_EQ(analysis.all.curve.best->threshold, 0.3);
  EXPECT_EQ(analysis.all.curve.best->true_positives, 2);
}

TEST(Analysis, RefusesOptionsOutOfRange) {
  const double nan = std::nan("");
  const std::vector<AnalysisOptions> wrong = {
      {.iou_threshold = 0},    {.iou_threshold = nan},     {.score_threshold = nan}, {.curve_points = 1},
      {.calibration_bins = 0}, {.calibration_bins = 1001}, {.object_sides = {2, 2}}, {.object_sides = {nan}}};
  for (const AnalysisOptions& options : wrong) {
    try {
      check_options(options);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
    }
  }
}

}  // namespace
}  // namespace effdet::analysis
