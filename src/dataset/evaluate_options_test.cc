// Options of an evaluation of files: pycocotools' parameters, its arrays, kinds of errors, comparison, and LVIS' rules.
#include <algorithm>

#include "base/npy.h"
#include "checkpoint/zip_archive.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

/// Four objects in two of three images, and five results.
class EvaluateOptionsTest : public testing::Test {
 protected:
  EvaluateOptionsTest() {
    write_file(truth_, R"({"images": [{"id": 1, "width": 200, "height": 200}, {"id": 2, "width": 200, "height": 200},
          {"id": 3, "width": 200, "height": 200}],
        "categories": [{"id": 10, "name": "cat"}, {"id": 20, "name": "dog"}],
        "annotations": [
          {"id": 1, "image_id": 1, "category_id": 10, "bbox": [10, 10, 50, 50], "area": 2500, "iscrowd": 0},
          {"id": 2, "image_id": 1, "category_id": 20, "bbox": [100, 100, 20, 20], "area": 400, "iscrowd": 0},
          {"id": 3, "image_id": 2, "category_id": 10, "bbox": [0, 0, 100, 100], "area": 10000, "iscrowd": 0},
          {"id": 4, "image_id": 2, "category_id": 10, "bbox": [120, 120, 60, 60], "area": 3600, "iscrowd": 0}]})");
    write_file(results_, R"([{"image_id": 1, "category_id": 10, "bbox": [10, 10, 50, 50], "score": 0.9},
        {"image_id": 1, "category_id": 10, "bbox": [100, 100, 20, 20], "score": 0.8},
        {"image_id": 2, "category_id": 10, "bbox": [0, 0, 100, 80], "score": 0.7},
        {"image_id": 2, "category_id": 10, "bbox": [5, 120, 20, 20], "score": 0.6},
        {"image_id": 2, "category_id": 20, "bbox": [120, 120, 60, 60], "score": 0.5}])");
  }

  Evaluation evaluated(const EvaluateOptions& options) const { return evaluate_results(truth_, results_, options, 2); }
  Error refused(const EvaluateOptions& options) const {
    return error_of([&] { evaluated(options); });
  }
  void make_lvis() const {
    edit_json(truth_, [](auto& json) {
      for (auto& image : json["images"])
        image["neg_category_ids"] = image["not_exhaustive_category_ids"] = nlohmann::json::array();
      for (auto& category : json["categories"]) category["frequency"] = "f";
    });
  }

  TestFolder folder_{"evaluate_options"};
  fs::path truth_ = folder_ / "gt.json", results_ = folder_ / "dt.json";
};

/// AP and AR of the first area range, at the largest number of detections, are pycocotools' 2.0.
TEST_F(EvaluateOptionsTest, AreParametersOfPycocotools) {
  struct Case {
    EvaluateOptions options;
    double ap, ar;
    size_t images;
  };
  const Case cases[] = {
      {{}, 0.24455445544554452, 0.2833333333333333, 3},
      {{.images = {"1"}}, 0.4999999999999999, 0.5, 1},
      {{.only_images_with_results = true}, 0.24455445544554452, 0.2833333333333333, 2},
      {{.categories = {"cat"}}, 0.4891089108910891, 0.5666666666666667, 3},
      {{.categories = {"10"}}, 0.4891089108910891, 0.5666666666666667, 3},
      {{.ignore_categories = true}, 0.8613861386138614, 0.925, 3},
      {{.iou_thresholds = {0.5, 0.85}}, 0.2227722772277227, 0.25, 3},
      {{.recall_thresholds = {0, 0.5, 1}}, 0.2444444444444444, 0.2833333333333333, 3},
      {{.areas = {{"mid", 1000, 5000}}}, 0.5049504950495048, 0.5, 3},
      {{.max_detections = {1}}, 0.28267326732673265, 0.2833333333333333, 3},
  };
  for (const auto& [options, ap, ar, images] : cases) {
    const Evaluation evaluation = evaluated(options);
    EXPECT_DOUBLE_EQ(evaluation.metrics.at(0).value, ap) << &options - &cases[0].options;
    const std::string name = options.max_detections.empty() ? "AR100" : "AR1";
    const auto recall = std::ranges::find(evaluation.metrics, name, &Evaluation::Metric::name);
    ASSERT_NE(recall, evaluation.metrics.end());
    EXPECT_DOUBLE_EQ(recall->value, ar);
    EXPECT_EQ(evaluation.images, images);
  }
  EXPECT_EQ(evaluated({.ignore_categories = true}).categories.at(0).name, "(all categories)");
  EXPECT_EQ(evaluated({.areas = {{"mid", 1000, 5000}}}).areas, std::vector<std::string>{"mid"});
}

TEST_F(EvaluateOptionsTest, WhatTheAnnotationsDoNotHaveIsRefused) {
  for (const auto& [options, message] :
       {std::pair(EvaluateOptions{.images = {"1", "4"}}, "has no image with the id '4'"),
        {EvaluateOptions{.images = {"x"}}, "has no image with the id 'x'"},
        {EvaluateOptions{.categories = {"cat", "cow"}}, "has none with the id or name 'cow'"}}) {
    const Error error = refused(options);
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_TRUE(contains(error.what(), message)) << error.what();
  }
}

/// The array of that name in an .npz file.
Tensor array_of(const fs::path& file, const std::string& name) {
  checkpoint::Budget budget(file.string(), fs::file_size(file));
  const checkpoint::ZipArchive archive{MappedFile(file), budget};
  const checkpoint::ZipEntry* entry = archive.find(name + ".npy");
  if (entry == nullptr) return {};
  const fs::path array = file.parent_path() / "array.npy";
  write_file(array, std::span(archive.read(*entry).get(), entry->size), /*sync=*/false);
  return read_npy(array);
}

template <typename Number>
std::vector<Number> values_of_array(const fs::path& file, const std::string& name) {
  const Tensor array = array_of(file, name);
  const auto values = array.data<Number>();
  return {values.begin(), values.end()};
}

using Numbers = std::vector<double>;

TEST_F(EvaluateOptionsTest, ArraysAreThoseOfPycocotools) {
  const fs::path file = folder_ / "a.npz";
  evaluated({.images = {"1", "2"},
             .iou_thresholds = {0.5, 0.85},
             .recall_thresholds = {0, 0.5, 1},
             .areas = {{"all", 0, 1e10}, {"mid", 1000, 5000}},
             .max_detections = {1, 2},
             .arrays = file});
  // COCOeval.eval["precision"], ["recall"] and ["scores"] with these parameters, to the bit.
  const double almost_one = 0.9999999999999998;  // TP / (FP + TP + eps)
  EXPECT_EQ(array_of(file, "precision").shape(), (Shape{2, 3, 2, 2, 2}));
  EXPECT_EQ(values_of_array<double>(file, "precision"),
            (Numbers{1,          almost_one, almost_one, almost_one, 0, 0, -1, -1, 1, 2.0 / 3, almost_one, almost_one,
                     0,          0,          -1,         -1,         0, 0, 0,  0,  0, 0,       -1,         -1,
                     almost_one, almost_one, almost_one, almost_one, 0, 0, -1, -1, 0, 0,       almost_one, almost_one,
                     0,          0,          -1,         -1,         0, 0, 0,  0,  0, 0,       -1,         -1}));
  EXPECT_EQ(array_of(file, "recall").shape(), (Shape{2, 2, 2, 2}));
  EXPECT_EQ(values_of_array<double>(file, "recall"),
            (Numbers{2.0 / 3, 2.0 / 3, 0.5, 0.5, 0, 0, -1, -1, 1.0 / 3, 1.0 / 3, 0.5, 0.5, 0, 0, -1, -1}));
  EXPECT_EQ(
      values_of_array<double>(file, "scores"),
      (Numbers{0.9, 0.9, 0.9, 0.9, 0.5, 0.5, -1, -1, 0.7, 0.7, 0.9, 0.9, 0, 0, -1, -1, 0, 0, 0, 0, 0, 0, -1, -1,
               0.9, 0.9, 0.9, 0.9, 0.5, 0.5, -1, -1, 0,   0,   0.9, 0.9, 0, 0, -1, -1, 0, 0, 0, 0, 0, 0, -1, -1}));
  EXPECT_EQ(values_of_array<double>(file, "iouThrs"), (Numbers{0.5, 0.85}));
  EXPECT_EQ(values_of_array<double>(file, "recThrs"), (Numbers{0, 0.5, 1}));
  EXPECT_EQ(array_of(file, "areaRng").shape(), (Shape{2, 2}));
  EXPECT_EQ(values_of_array<double>(file, "areaRng"), (Numbers{0, 1e10, 1000, 5000}));
  EXPECT_EQ(values_of_array<int64_t>(file, "maxDets"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(values_of_array<int64_t>(file, "catIds"), (std::vector<int64_t>{10, 20}));
  EXPECT_EQ(values_of_array<int64_t>(file, "imgIds"), (std::vector<int64_t>{1, 2}));
}

TEST_F(EvaluateOptionsTest, ArraysOfOneCategoryOfStringsAndOfLvis) {
  const fs::path file = folder_ / "a.npz";
  evaluated({.ignore_categories = true, .arrays = file});
  EXPECT_EQ(array_of(file, "precision").shape(), (Shape{10, 101, 1, 4, 3}));
  EXPECT_EQ(values_of_array<int64_t>(file, "catIds"), std::vector<int64_t>{-1});
  make_lvis();
  evaluated({.rules = EvaluationRules::kLvis, .arrays = file});
  EXPECT_EQ(array_of(file, "precision").shape(), (Shape{10, 101, 2, 4}));
  EXPECT_EQ(array_of(file, "recall").shape(), (Shape{10, 2, 4}));
  EXPECT_EQ(values_of_array<int64_t>(file, "maxDets"), std::vector<int64_t>{300});
  // Ids that are strings are no numbers that numpy could hold.
  for (const fs::path& json : {truth_, results_})
    edit_json(json, [](auto& list) {
      for (auto& image : list.is_array() ? list : list["images"])
        for (const char* key : {"id", "image_id"})
          if (image.contains(key)) image[key] = "x" + image[key].dump();
      if (list.is_object())
        for (auto& annotation : list["annotations"]) annotation["image_id"] = "x" + annotation["image_id"].dump();
    });
  const Evaluation evaluation = evaluated({.images = {"x1"}, .arrays = file});
  EXPECT_DOUBLE_EQ(evaluation.stats[0], 0.4999999999999999);  // as image 1 has it above
  EXPECT_EQ(array_of(file, "imgIds").shape(), Tensor().shape()) << "it is left out";
  EXPECT_EQ(values_of_array<int64_t>(file, "catIds"), (std::vector<int64_t>{10, 20}));
  edit_json(truth_, [](auto& json) {
    for (auto& category : json["categories"]) category["id"] = category["name"];
    for (auto& annotation : json["annotations"]) annotation["category_id"] = "cat";
  });
  edit_json(results_, [](auto& json) {
    for (auto& result : json) result["category_id"] = "cat";
  });
  EXPECT_EQ(evaluated({.categories = {"cat"}, .arrays = file}).categories.at(0).name, "cat");
  EXPECT_EQ(array_of(file, "catIds").shape(), Tensor().shape());
}

TEST_F(EvaluateOptionsTest, ArraysAreRefusedBeforeTheFilesAreRead) {
  write_file(truth_, "no JSON");
  EXPECT_EQ(refused({.arrays = folder_ / "none/a.npz"}).code(), ErrorCode::kIo);
}

/// Two results have the wrong category, one lies on the background, and all objects are found by some result.
TEST_F(EvaluateOptionsTest, KindsOfErrorsAreCounted) {
  const Evaluation evaluation = evaluated({.error_analysis = true});
  const std::vector<std::pair<std::string, size_t>> expected{{"Cls", 2},  {"Loc", 0}, {"Both", 0},
                                                             {"Dupe", 0}, {"Bkg", 1}, {"Miss", 0}};
  ASSERT_EQ(evaluation.errors.kinds.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(evaluation.errors.kinds[i].name, expected[i].first);
    EXPECT_EQ(evaluation.errors.kinds[i].count, expected[i].second) << expected[i].first;
    EXPECT_EQ(evaluation.errors.kinds[i].cost > 0, expected[i].first == "Cls") << expected[i].first;
  }
  EXPECT_NEAR(evaluation.errors.ap, evaluation.stats[1], 1e-12);
  EXPECT_LE(evaluation.errors.ap + evaluation.errors.kinds[0].cost, 1);
}

TEST_F(EvaluateOptionsTest, AnalysisIsOfTheSameImages) {
  const Evaluation evaluation = evaluated({.images = {"1"}, .analysis = AnalysisOptions{.score_threshold = 0.85}});
  ASSERT_TRUE(evaluation.analysis.has_value());
  const OperatingPoint& point = evaluation.analysis->all.curve.chosen;
  EXPECT_EQ(point.true_positives, 1u);
  EXPECT_EQ(point.false_positives, 0u);
  EXPECT_EQ(point.false_negatives, 1u);
  EXPECT_EQ(refused({.analysis = AnalysisOptions{.curve_points = 1}}).code(), ErrorCode::kUsage);
}

TEST_F(EvaluateOptionsTest, AComparisonIsOfBothFiles) {
  const fs::path other = folder_ / "other.json";
  write_file(other, R"([{"image_id": 1, "category_id": 10, "bbox": [10, 10, 50, 50], "score": 0.9},
      {"image_id": 3, "category_id": 20, "bbox": [1, 1, 5, 5], "score": 0.9}])");
  const EvaluateOptions options{.comparison = ComparisonOptions{.against = other, .resamples = 20}};
  const Evaluation evaluation = evaluated(options);
  ASSERT_TRUE(evaluation.comparison.has_value());
  const ComparedNumber& ap = evaluation.comparison->metrics.at(0).number;
  const double other_ap = evaluate_results(truth_, other).stats[0];
  EXPECT_EQ(ap.value, evaluation.stats[0]);
  EXPECT_EQ(ap.other, other_ap);
  EXPECT_DOUBLE_EQ(ap.difference, evaluation.stats[0] - other_ap);
  EXPECT_EQ(evaluation.comparison->other_detections, 2u);
  EvaluateOptions some = options;
  some.only_images_with_results = true;
  EXPECT_EQ(evaluated(some).images, 3u) << "image 3 has a result in the other file";
  some.comparison->against = results_;
  EXPECT_EQ(evaluated(some).images, 2u);
  EXPECT_EQ(evaluated(some).comparison->metrics.at(0).number.difference, 0);

  EvaluateOptions bad = options;
  bad.comparison->resamples = 0;
  EXPECT_EQ(refused(bad).code(), ErrorCode::kUsage);
  bad = options;
  bad.comparison->against = truth_;
  EXPECT_TRUE(contains(refused(bad).what(), "as annotation files are")) << refused(bad).what();
  write_file(other, R"([{"image_id": 1, "category_id": 77, "bbox": [10, 10, 50, 50], "score": 0.9}])");
  EXPECT_TRUE(contains(refused(options).what(),
                       "other.json: 1 results are of categories that the annotation file does not list"));
}

TEST_F(EvaluateOptionsTest, LvisHasRulesOfItsOwn) {
  const auto refused_with = [&](EvaluateOptions options) {
    options.rules = EvaluationRules::kLvis;
    const Error error = refused(options);
    EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
    return std::string(error.what());
  };
  make_lvis();
  EXPECT_TRUE(
      contains(refused_with({.max_detections = {1, 300}}), "one number of detections, of an image; 2 are given"));
  EXPECT_TRUE(contains(refused_with({.ignore_categories = true}), "LVIS' rules are about categories"));
  EXPECT_TRUE(contains(refused_with({.error_analysis = true}), "kinds of errors (TIDE)"));
  // Of a comparison, too, only results count that the rules know. Nobody looked for dogs in image 2.
  const fs::path other = folder_ / "other.json";
  fs::copy(results_, other);
  const Evaluation evaluation =
      evaluated({.rules = EvaluationRules::kLvis, .comparison = ComparisonOptions{.against = other, .resamples = 5}});
  EXPECT_EQ(evaluation.rules, EvaluationRules::kLvis);
  EXPECT_EQ(evaluation.detections, 4u);
  EXPECT_EQ(evaluation.comparison->other_detections, 4u);
  EXPECT_EQ(evaluated({.rules = EvaluationRules::kLvis, .max_detections = {1}}).detections, 2u);
  edit_json(results_, [](auto& json) { json[0]["category_id"] = 99; });
  const Evaluation unlisted = evaluated({.rules = EvaluationRules::kLvis});
  ASSERT_EQ(unlisted.notes.size(), 1u);
  EXPECT_TRUE(contains(unlisted.notes[0], "1 of 5 results are of categories that the annotation file does not list"))
      << unlisted.notes[0];
}

TEST_F(EvaluateOptionsTest, FilesWithoutAnythingAreNotTakenForEachOther) {
  write_file(results_, " \n");
  EXPECT_EQ(refused({}).code(), ErrorCode::kBadInput);
  write_file(truth_, "");
  EXPECT_EQ(refused({}).code(), ErrorCode::kBadInput);
}

}  // namespace
}  // namespace effdet::dataset
