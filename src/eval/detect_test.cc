// Detections against effdet's, and outputs of models that went wrong.
#include "eval/detect.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eval/test_support.h"

namespace effdet::eval {
namespace {

/// Head outputs with storage.
struct Outputs {
  std::vector<std::vector<float>> classes, boxes;
  std::vector<Box> anchors;
  HeadOutputs heads;
};

Outputs make_outputs(const AnchorConfig& config, int num_classes) {
  Outputs outputs;
  outputs.anchors = make_anchors(config);
  outputs.heads = {{}, num_classes, config.anchors_per_cell()};
  uint32_t seed = 101;  // SEED of make_eval_golden.py
  for (const auto& size : feature_sizes(config)) {
    const auto cells = static_cast<size_t>(size.height) * static_cast<size_t>(size.width);
    auto classes = noise(seed++, 9 * static_cast<size_t>(num_classes) * cells);
    for (auto& value : classes) value = (value - 1.0f) * 8.0f;
    auto boxes = noise(seed++, 36 * cells);
    for (auto& value : boxes) value -= 0.5f;
    outputs.classes.push_back(std::move(classes));
    outputs.boxes.push_back(std::move(boxes));
    outputs.heads.levels.push_back({outputs.classes.back(), outputs.boxes.back(), size.height, size.width});
  }
  return outputs;
}

AnchorConfig square(int side) {
  AnchorConfig config;
  config.image_height = config.image_width = side;
  return config;
}

TEST(Detect, EqualsEffdet) {
  for (const auto& golden_case : load_json(golden("detections.json"))) {
    SCOPED_TRACE(golden_case["name"].get<std::string>());
    AnchorConfig config;
    config.image_height = golden_case["size"][0];
    config.image_width = golden_case["size"][1];
    config.anchor_scale = {golden_case["scale"].get<double>()};
    const auto outputs = make_outputs(config, golden_case["num_classes"]);
    const auto geometry =
        letterbox_geometry(golden_case["width"], golden_case["height"], config.image_height, config.image_width);
    DetectOptions options;
    options.soft_nms = golden_case["soft_nms"];
    const auto found = detect(outputs.heads, outputs.anchors, geometry, options);
    const auto& expected = golden_case["detections"];
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i].x1, expected[i][0].get<float>(), 2e-3) << i;
      EXPECT_NEAR(found[i].y1, expected[i][1].get<float>(), 2e-3) << i;
      EXPECT_NEAR(found[i].x2, expected[i][2].get<float>(), 2e-3) << i;
      EXPECT_NEAR(found[i].y2, expected[i][3].get<float>(), 2e-3) << i;
      EXPECT_NEAR(found[i].score, expected[i][4].get<float>(), 1e-5) << i;
      EXPECT_EQ(found[i].category, expected[i][5].get<int>()) << i;
    }
  }
}

TEST(Detect, OptionsLimitTheResult) {
  const auto outputs = make_outputs(square(128), 3);
  DetectOptions options;
  options.max_detections = 5;
  const auto few = detect(outputs.heads, outputs.anchors, {}, options);
  ASSERT_EQ(few.size(), 5U);
  options.score_threshold = few[2].score;
  EXPECT_EQ(detect(outputs.heads, outputs.anchors, {}, options).size(), 3U);
  options.max_candidates = 1;
  EXPECT_EQ(detect(outputs.heads, outputs.anchors, {}, options).size(), 1U);
  options.max_candidates = 0;
  EXPECT_TRUE(detect(outputs.heads, outputs.anchors, {}, options).empty());
}

/// Counted from 1.
TEST(Detect, CategoriesThatAreAskedFor) {
  const auto outputs = make_outputs(square(128), 3);
  DetectOptions options;
  options.max_detections = 1000;
  options.max_candidates = 1'000'000;
  for (const bool best_class : {false, true}) {
    auto heads = outputs.heads;
    heads.best_class_only = best_class;
    const auto has = [](const Detection& found) { return found.category == 2; };
    options.categories = {2, 7};
    const auto some = detect(heads, outputs.anchors, {}, options);
    EXPECT_FALSE(some.empty());
    EXPECT_TRUE(std::ranges::all_of(some, has));
    options.categories = {9};
    EXPECT_TRUE(detect(heads, outputs.anchors, {}, options).empty());
  }
}

TEST(Detect, NanOutputsGiveNoDetections) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (bool soft_nms : {false, true}) {
    auto outputs = make_outputs(square(128), 3);
    DetectOptions options;
    options.soft_nms = soft_nms;
    for (auto& boxes : outputs.boxes) std::fill(boxes.begin(), boxes.end(), kNan);
    EXPECT_TRUE(detect(outputs.heads, outputs.anchors, {1.0, 100, 100}, options).empty());
    outputs = make_outputs(square(128), 3);
    for (auto& classes : outputs.classes) std::fill(classes.begin(), classes.end(), kNan);
    EXPECT_TRUE(detect(outputs.heads, outputs.anchors, {1.0, 100, 100}, options).empty());
  }
}

TEST(Detect, HugeOutputsGiveFiniteBoxes) {
  auto outputs = make_outputs(square(128), 3);
  for (auto& boxes : outputs.boxes) std::fill(boxes.begin(), boxes.end(), 1e30f);
  for (auto& classes : outputs.classes) std::fill(classes.begin(), classes.end(), 1e30f);
  for (const auto& found : detect(outputs.heads, outputs.anchors, {2.0, 300, 200})) {
    EXPECT_TRUE(std::isfinite(found.x1 + found.y1 + found.x2 + found.y2));
    EXPECT_EQ(found.score, 1.0f);
  }
}

TEST(Detect, BestClassOnly) {
  auto outputs = make_outputs(square(128), 3);
  DetectOptions all{.iou_threshold = 1.0f, .max_candidates = 1 << 20, .max_detections = 1 << 20};
  const ImageGeometry geometry{.scale = 2.0, .scale_y = 3.0, .clip = {127, 127}};
  outputs.heads.best_class_only = true;
  const auto found = detect(outputs.heads, outputs.anchors, geometry, all);
  ASSERT_EQ(found.size(), outputs.anchors.size());  // one for each anchor
  std::vector<float> best, scores;
  for (const auto& classes : outputs.classes) {
    const size_t cells = classes.size() / 27;
    for (size_t i = 0; i < 9 * cells; ++i) {
      const float* first = classes.data() + i / cells * 3 * cells + i % cells;
      best.push_back(std::max({first[0], first[cells], first[2 * cells]}));
    }
  }
  std::ranges::sort(best, std::greater<>());
  for (size_t i = 0; i < best.size(); ++i) ASSERT_FLOAT_EQ(found[i].score, 1.0f / (1.0f + std::exp(-best[i]))) << i;
  float right = 0, bottom = 0;
  for (const auto& box : found) {
    right = std::max(right, box.x2);
    bottom = std::max(bottom, box.y2);
  }
  EXPECT_EQ(right, 254.0f);
  EXPECT_EQ(bottom, 381.0f);
  // The best of all is the same as with all classes.
  outputs.heads.best_class_only = false;
  const auto first = detect(outputs.heads, outputs.anchors, geometry, all).at(0);
  EXPECT_EQ(first.category, found[0].category);
  EXPECT_EQ(first.x1, found[0].x1);
}

TEST(Detect, SizesThatDoNotFitAreRefused) {
  auto outputs = make_outputs(square(128), 3);
  outputs.anchors.pop_back();
  EXPECT_THROW(detect(outputs.heads, outputs.anchors, {}), Error);
  outputs = make_outputs(square(128), 3);
  outputs.heads.levels[1].boxes = outputs.heads.levels[1].boxes.first(10);
  EXPECT_THROW(detect(outputs.heads, outputs.anchors, {}), Error);
  outputs = make_outputs(square(128), 3);
  outputs.heads.num_classes = 4;
  EXPECT_THROW(detect(outputs.heads, outputs.anchors, {}), Error);
}

TEST(Detect, OptionsOutOfRangeAreRefused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check_options({});
  check_options({.score_threshold = 1, .iou_threshold = 0, .max_candidates = 1, .max_detections = 1});
  for (const DetectOptions& options :
       {DetectOptions{.score_threshold = 7}, DetectOptions{.score_threshold = -0.1f},
        DetectOptions{.score_threshold = nan}, DetectOptions{.iou_threshold = 1.5f}, DetectOptions{.iou_threshold = -1},
        DetectOptions{.iou_threshold = nan}, DetectOptions{.max_candidates = 0}, DetectOptions{.max_candidates = -5},
        DetectOptions{.max_detections = 0}, DetectOptions{.max_detections = -1}}) {
    try {
      check_options(options);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
    }
  }
}

}  // namespace
}  // namespace effdet::eval
