// The bootstrap against one that copies images and evaluates them, and comparisons whose outcome is known.
#include "analysis/comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "analysis/bootstrap.h"
#include "analysis/category_resamples.h"
#include "analysis/resample_weights.h"
#include "analysis/test_support.h"
#include "base/error.h"
#include "eval/coco_summary.h"
#include "eval/lvis.h"

namespace effdet::analysis {
namespace {

constexpr size_t kClasses = 3;

/// An evaluation with what a comparison wants to know of it.
struct Evaluated {
  Evaluated(const eval::GroundTruth& dataset, std::span<const eval::CocoResult> found, eval::CocoParams params,
            ThreadPool& pool)
      : results(found), events((params.settle(), params)) {
    evaluation = eval::evaluate_coco(dataset, found, params, eval::CocoOutput::kSummary, &pool, nullptr, events.see());
  }
  ComparedFile file() const { return {results, evaluation, events}; }

  std::span<const eval::CocoResult> results;
  MatchedEvents events;
  eval::CocoEvaluation evaluation;
};

/// The data set with each image as often as its weight in a lane, the copies beside each other.
TestData copied(const TestData& data, std::span<const eval::CocoResult> results, const ResampleWeights& weights,
                size_t lane) {
  TestData copies(0, kClasses);
  copies.truth.rules = data.truth.rules;
  copies.truth.categories = data.truth.categories;
  int64_t next_annotation = 1, next_image = 1;
  for (uint32_t image = 0; image < data.truth.images.size(); ++image) {
    for (int copy = 0; copy < weights.of(image)[lane]; ++copy, ++next_image) {
      eval::ImageRecord record = data.truth.images[image];
      const int64_t original = record.id;
      record.id = next_image;
      copies.truth.image_index[record.id] = copies.truth.images.size();
      copies.truth.images.push_back(record);
      for (eval::Annotation annotation : data.truth.annotations) {
        if (annotation.image_id != original) continue;
        annotation.id = annotation.id == 0 ? 0 : next_annotation++;
        annotation.image_id = record.id;
        copies.truth.annotations.push_back(annotation);
      }
      for (eval::CocoResult result : results) {
        if (result.image_id != original) continue;
        result.image_id = record.id;
        copies.results.push_back(result);
      }
    }
  }
  return copies;
}

/// Of COCO's numbers, which are means over all categories.
std::vector<MeanNumber> all_means(const eval::CocoParams& params) {
  std::vector<MeanNumber> means;
  for (size_t place = 0; place < NumberPlaces(params).size(); ++place) means.push_back({place});
  return means;
}

struct Case {
  std::string name;
  std::function<void(TestData&, eval::CocoParams&)> change;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

class NaiveBootstrap : public testing::TestWithParam<Case> {};

TEST_P(NaiveBootstrap, HasTheSameNumbersInEachResample) {
  constexpr size_t kResamples = 12;
  constexpr uint64_t kSeed = 9;
  TestData data = random_data(kClasses, 1);
  const std::vector<eval::CocoResult> others = random_data(kClasses, 2).results;
  eval::CocoParams params = eval::CocoParams::all_of(data.truth);
  GetParam().change(data, params);
  ThreadPool pool(2);
  const Evaluated file(data.truth, data.results, params, pool), other(data.truth, others, params, pool);
  const std::vector<MeanNumber> means = all_means(params);
  const auto samples =
      bootstrap({&file.events, &other.events}, file.evaluation.params, means, {.resamples = kResamples, .seed = kSeed},
                pool, nullptr, [](size_t, size_t, const std::vector<double>&) {});
  ResampleWeights weights(kSeed, data.truth.images.size());
  for (size_t resample = 0; resample < kResamples; ++resample) {
    if (resample % kLanes == 0) weights.draw(resample);
    for (const size_t which : {0, 1}) {
      const TestData copies = copied(data, which == 0 ? data.results : others, weights, resample % kLanes);
      eval::CocoParams of_copies = params;
      of_copies.image_ids = copies.truth.sorted_image_ids();
      const auto wanted = eval::summarize(eval::evaluate_coco(copies.truth, copies.results, of_copies));
      ASSERT_EQ(wanted.size(), means.size());
      for (size_t m = 0; m < means.size(); ++m) {
        const double value = samples[which][resample * means.size() + m];
        EXPECT_NEAR(std::isnan(value) ? -1 : value, wanted[m].value, 1e-12) << wanted[m].name << ", " << resample;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Parameters, NaiveBootstrap,
    testing::Values(Case{"Default", [](TestData&, eval::CocoParams&) {}},
                    Case{"ManyThresholds",
                         [](TestData&, eval::CocoParams& params) { params.iou_thresholds = eval::linspace(0, 1, 21); }},
                    Case{"FewRecalls",
                         [](TestData&, eval::CocoParams& params) {
                           params.recall_thresholds = {0.1, 0.5, 0.5, 0.9};
                         }},
                    Case{"OneCategory", [](TestData&, eval::CocoParams& params) { params.use_categories = false; }},
                    Case{"OtherSizes",
                         [](TestData&, eval::CocoParams& params) {
                           params.area_ranges = {{"middle", 300, 900}, {"all", 0, 1e10}, {"none", 0, 1}};
                           params.max_detections = {1, 2};
                         }},
                    Case{"EqualScores",
                         [](TestData& data, eval::CocoParams&) {
                           for (eval::CocoResult& result : data.results) result.score = std::floor(result.score * 3);
                         }},
                    Case{"RulesOfLvis",
                         [](TestData& data, eval::CocoParams&) {
                           data.truth.rules = eval::Rules::kLvis;
                           for (size_t i = 0; i < data.truth.images.size(); i += 3)
                             data.truth.images[i].incomplete_categories = {10, 20};
                         }},
                    Case{"IgnoredAndZeroIds",
                         [](TestData& data, eval::CocoParams&) {
                           data.truth.annotations[3].id = 0;
                           for (size_t i = 0; i < data.truth.annotations.size(); i += 5)
                             data.truth.annotations[i].is_ignored = true;
                         }}),
    [](const auto& info) { return info.param.name; });

class Comparison : public testing::Test {
 protected:
  EvaluationComparison compare_with(const std::vector<eval::CocoResult>& others, const ComparisonOptions& options = {},
                                    int threads = 1) const {
    ThreadPool pool(threads);
    eval::CocoParams params = eval::CocoParams::all_of(data_.truth);
    if (data_.truth.rules == eval::Rules::kLvis) params.max_detections = {eval::kLvisDetections};
    const Evaluated file(data_.truth, data_.results, params, pool), other(data_.truth, others, params, pool);
    return compare(data_.truth, file.file(), other.file(), options, pool);
  }

  TestData data_ = random_data(kClasses, 4);
};

TEST_F(Comparison, OfAFileWithItselfIsNothing) {
  const EvaluationComparison comparison = compare_with(data_.results, {.resamples = 50});
  ASSERT_EQ(comparison.metrics.size(), 12u);
  for (const auto& [name, number] : comparison.metrics) {
    if (number.value < 0) continue;
    EXPECT_EQ(number.value, number.other) << name;
    EXPECT_EQ(number.difference, 0) << name;
    EXPECT_EQ(number.low, 0) << name;
    EXPECT_EQ(number.high, 0) << name;
    EXPECT_EQ(number.better, 0.5) << name;
    EXPECT_EQ(number.resamples, 50u) << name;
    EXPECT_TRUE(number.includes_zero());
  }
  for (const auto& category : comparison.categories) EXPECT_EQ(category.ap.high, 0);
  EXPECT_TRUE(comparison.changed_categories.empty());
  EXPECT_TRUE(comparison.changed_images.empty());
  EXPECT_EQ(comparison.num_changed_images, 0u);
}

TEST_F(Comparison, DoesNotDependOnThreads) {
  const auto others = random_data(kClasses, 5).results;
  const EvaluationComparison one = compare_with(others, {.resamples = 100}, 1);
  const EvaluationComparison three = compare_with(others, {.resamples = 100}, 3);
  for (size_t m = 0; m < one.metrics.size(); ++m) {
    const ComparedNumber &a = one.metrics[m].number, &b = three.metrics[m].number;
    if (std::isnan(a.low)) continue;  // no object is large
    EXPECT_EQ(a.low, b.low) << one.metrics[m].name;
    EXPECT_EQ(a.high, b.high);
    EXPECT_EQ(a.better, b.better);
  }
  for (size_t k = 0; k < kClasses; ++k) {
    EXPECT_EQ(one.categories[k].ap.low, three.categories[k].ap.low);
    EXPECT_EQ(one.categories[k].ar.high, three.categories[k].ar.high);
  }
  const EvaluationComparison seeded = compare_with(others, {.resamples = 100, .seed = 1});
  EXPECT_NE(one.metrics[0].number.low, seeded.metrics[0].number.low);
  EXPECT_EQ(one.metrics[0].number.difference, seeded.metrics[0].number.difference);
}

/// The interval's ends are the percentiles of the resamples' differences, as numpy.percentile() has them.
TEST_F(Comparison, IntervalsArePercentiles) {
  constexpr size_t kResamples = 41;  // the 2.5th percentile is the second of 41
  const auto others = random_data(kClasses, 5).results;
  const EvaluationComparison comparison = compare_with(others, {.resamples = kResamples, .seed = 3});
  ThreadPool pool(1);
  const eval::CocoParams params = eval::CocoParams::all_of(data_.truth);
  const Evaluated file(data_.truth, data_.results, params, pool), other(data_.truth, others, params, pool);
  const std::vector<MeanNumber> means = {{NumberPlaces::kAp}};
  const auto samples =
      bootstrap({&file.events, &other.events}, file.evaluation.params, means, {.resamples = kResamples, .seed = 3},
                pool, nullptr, [](size_t, size_t, const std::vector<double>&) {});
  std::vector<double> differences;
  for (size_t i = 0; i < kResamples; ++i) differences.push_back(samples[0][i] - samples[1][i]);
  std::ranges::sort(differences);
  const ComparedNumber& ap = comparison.metrics[0].number;
  EXPECT_NEAR(ap.low, differences[1], 1e-15);
  EXPECT_NEAR(ap.high, differences[kResamples - 2], 1e-15);
  EXPECT_LT(ap.low, ap.difference);
  EXPECT_GT(ap.high, ap.difference);
}

TEST_F(Comparison, ListsTheCategoriesAndImagesThatChanged) {
  TestData data(3, 2);
  for (int64_t image = 1; image <= 3; ++image) data.object(image, 0, {0, 0, 20, 20});
  data.object(3, 1, {40, 40, 20, 20});
  data.detection(1, 0, {0, 0, 20, 20}, 0.9);
  data.detection(3, 0, {0, 0, 20, 20}, 0.8);
  data.detection(3, 1, {40, 40, 20, 20}, 0.8);
  data_ = data;
  std::vector<eval::CocoResult> others = data.results;
  others[2].bbox = {60, 60, 20, 20};                                                           // now lost
  others.push_back({.image_id = 2, .bbox = {0, 0, 20, 20}, .score = 0.7, .category_id = 10});  // now found
  const EvaluationComparison comparison = compare_with(others, {.resamples = 20, .score_threshold = 0.5});
  EXPECT_EQ(comparison.changed_categories, (std::vector<size_t>{1, 0}));
  EXPECT_NEAR(comparison.categories[1].ap.difference, 1, 1e-12);
  EXPECT_LT(comparison.categories[1].ap.resamples, 20u);  // its image is not in all of them
  ASSERT_EQ(comparison.changed_images.size(), 2u);
  const ChangedImage &third = comparison.changed_images[0], &second = comparison.changed_images[1];
  EXPECT_EQ(third.image.id, "3");
  EXPECT_EQ(third.found, 1u);
  EXPECT_EQ(third.counts.errors(), 0u);
  EXPECT_EQ(third.other.errors(), 2u);
  using Kind = ChangedImage::Box::Kind;
  ASSERT_EQ(third.boxes.size(), 2u);
  EXPECT_EQ(third.boxes[0].kind, Kind::kFound);
  EXPECT_EQ(third.boxes[0].box, (std::array<double, 4>{40, 40, 20, 20}));
  EXPECT_EQ(third.boxes[0].category, 1u);
  EXPECT_EQ(third.boxes[1].kind, Kind::kOtherFalsePositive);
  EXPECT_EQ(third.boxes[1].score, 0.8);
  ASSERT_EQ(second.boxes.size(), 1u);
  EXPECT_EQ(second.boxes[0].kind, Kind::kLost);
  EXPECT_EQ(second.image.file_name, "2.jpg");
  EXPECT_EQ(second.lost, 1u);
  const EvaluationComparison few = compare_with(others, {.resamples = 1, .max_images = 1, .max_boxes = 1});
  ASSERT_EQ(few.changed_images.size(), 1u);
  EXPECT_EQ(few.changed_images[0].boxes.size(), 1u);
  EXPECT_EQ(few.changed_images[0].boxes_left_out, 1u);
}

/// A false positive that both see did not change.
TEST_F(Comparison, DrawsFalsePositivesOfOneFileAlone) {
  TestData data(2, 1);
  data.object(1, 0, {0, 0, 20, 20});
  data.detection(1, 0, {50, 50, 20, 20}, 0.9);
  data.detection(1, 0, {0, 50, 20, 20}, 0.8);
  data.detection(2, 0, {0, 50, 20, 20}, 0.8);  // an image without objects, of which the others have nothing
  data_ = data;
  std::vector<eval::CocoResult> others = {data.results[0]};
  others[0].bbox = {51, 51, 20, 20};
  const EvaluationComparison comparison = compare_with(others, {.resamples = 1, .score_threshold = 0.5});
  ASSERT_EQ(comparison.changed_images.size(), 2u);
  for (const ChangedImage& image : comparison.changed_images) {
    ASSERT_EQ(image.boxes.size(), 1u) << image.image.id;
    EXPECT_EQ(image.boxes[0].kind, ChangedImage::Box::Kind::kFalsePositive);
    EXPECT_EQ(image.boxes[0].box, (std::array<double, 4>{0, 50, 20, 20}));
  }
}

TEST_F(Comparison, HasTheNumbersOfLvis) {
  data_.truth.rules = eval::Rules::kLvis;
  for (size_t k = 0; k < kClasses; ++k) data_.truth.categories[k].frequency = "rcf"[k];
  for (size_t i = 0; i < data_.truth.images.size(); i += 3) data_.truth.images[i].incomplete_categories = {10, 20};
  for (eval::Annotation& annotation : data_.truth.annotations) annotation.is_crowd = false;
  const auto others = random_data(kClasses, 5).results;
  const EvaluationComparison comparison = compare_with(others, {.resamples = 60});
  ASSERT_EQ(comparison.metrics.size(), 13u);
  EXPECT_EQ(comparison.metrics[6].name, "APr");
  EXPECT_EQ(comparison.metrics[9].name, "AR@300");
  for (size_t k = 0; k < kClasses; ++k) {  // one category of each frequency
    const ComparedNumber &mean = comparison.metrics[6 + k].number, &category = comparison.categories[k].ap;
    EXPECT_NEAR(mean.difference, category.difference, 1e-12);
    EXPECT_NEAR(mean.low, category.low, 1e-12);
    EXPECT_NEAR(mean.high, category.high, 1e-12);
  }
}

TEST_F(Comparison, HasIntervalsOfNothing) {
  data_.truth.annotations.clear();
  const EvaluationComparison comparison = compare_with({}, {.resamples = 5});
  for (const auto& [name, number] : comparison.metrics) {
    EXPECT_EQ(number.value, -1) << name;
    EXPECT_TRUE(std::isnan(number.difference) && std::isnan(number.low) && std::isnan(number.better)) << name;
    EXPECT_FALSE(number.includes_zero());
  }
}

TEST_F(Comparison, RefusesWhatMakesNoSense) {
  const eval::CocoParams params = eval::CocoParams::all_of(data_.truth);
  for (const ComparisonOptions& options :
       {ComparisonOptions{.resamples = 0}, ComparisonOptions{.resamples = 100'001},
        ComparisonOptions{.iou_threshold = 0}, ComparisonOptions{.score_threshold = std::nan("")}})
    EXPECT_THROW(check_options(options, params), Error);
  eval::CocoParams falling = params;
  falling.recall_thresholds = {0.5, 0.1};
  EXPECT_THROW(check_options({}, falling), Error);
  EXPECT_NO_THROW(check_options({}, params));
}

}  // namespace
}  // namespace effdet::analysis
