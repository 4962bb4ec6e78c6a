// Options that a detector or a model file cannot take.
#include "effdet/detector.h"
#include "effdet/detect_images.h"
#include "effdet/onnx_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "effdet/error.h"
#include "effdet/executor.h"
#include "support/test_folder.h"

namespace effdet {
namespace {

constexpr const char* kCheckpoint = EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth";

const CompiledModel& detector_model() {
  static const CompiledModel model = CompiledModel::open(kCheckpoint, {.height = 128, .width = 256});
  return model;
}

template <typename Action>
ErrorCode code_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(Detector, OptionsOutOfRangeAreRefused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const DetectionDecoder decoder(detector_model());
  for (const DetectOptions& options :
       {DetectOptions{.score_threshold = 7}, DetectOptions{.score_threshold = nan}, DetectOptions{.iou_threshold = -1},
        DetectOptions{.max_detections = -3}, DetectOptions{.max_candidates = 0}}) {
    EXPECT_EQ(code_of([&] { Detector(detector_model(), 1, options); }), ErrorCode::kUsage);
    EXPECT_EQ(code_of([&] { decoder.decode({}, 0, 10, 10, options); }), ErrorCode::kUsage);
  }
}

TEST(Detector, ModelsShareThreads) {
  const Threads threads(2);
  EXPECT_EQ(threads.count(), 2);
  EXPECT_EQ(code_of([] { Threads(-1); }), ErrorCode::kUsage);
  const CompiledModel other = CompiledModel::open(kCheckpoint, {.height = 256, .width = 128});
  const RgbImage image = read_image(EFFDET_SOURCE_DIR "/testdata/images/progressive_420.jpg");
  const std::vector<const CompiledModel*> models{&detector_model(), &other};
  std::vector<std::jthread> callers;
  std::atomic<int> different = 0;
  for (const CompiledModel* model : models)
    callers.emplace_back([&, model] {
      const auto wanted = Detector(*model, 1).detect(image);
      Detector detector(*model, threads);
      for (int i = 0; i < 20; ++i) {
        const auto found = detector.detect(image);
        different += found.size() == wanted.size() && found[0].score == wanted[0].score ? 0 : 1;
      }
    });
  callers.clear();
  EXPECT_EQ(different, 0);
}

/// A view of any order gives what the same pixels give as a file, whole and in squares.
TEST(Detector, SlicesAreThoseOfRunsOverFiles) {
  const test::TestFolder folder("slices");
  const std::string file = EFFDET_SOURCE_DIR "/testdata/images/progressive_420.jpg";
  const SliceOptions slices{.side = 32};
  const DetectOptions options{.score_threshold = 0.1f};
  const RgbImage image = read_image(file);
  const ListedImage listed{file, "a.jpg"};
  const auto wanted = detect_images({&listed, 1}, detector_model(), {.detect = options, .slices = slices}, 1);
  Detector detector(detector_model(), 1, options);
  RgbImage padded{image.width + 5, image.height, {}};
  padded.pixels.resize(size_t{3} * static_cast<size_t>(padded.width) * static_cast<size_t>(padded.height));
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < 3 * image.width; ++x)  // the other way round, as OpenCV has it
      padded.pixels[static_cast<size_t>(y * 3 * padded.width + x)] =
          image.pixels[static_cast<size_t>(y * 3 * image.width + x / 3 * 3 + 2 - x % 3)];
  const ImageView view{.data = padded.pixels.data(),
                       .width = image.width,
                       .height = image.height,
                       .format = PixelFormat::kBgr,
                       .stride = 3 * padded.width};
  const auto found = detector.detect_sliced(view, slices, options);
  const auto& expected = wanted.images.at(0).detections;
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].score, expected[i].score);
    EXPECT_EQ(found[i].x2, expected[i].x2);
  }
  ASSERT_GT(std::max(image.width, image.height), slices.side);
  const auto refuses = [&](const ImageView& given, const SliceOptions& wrong) {
    return code_of([&] { detector.detect_sliced(given, wrong, options); }) == ErrorCode::kUsage;
  };
  EXPECT_TRUE(refuses(view, {.side = 3}));
  EXPECT_TRUE(
      refuses({.data = padded.pixels.data(), .width = 128, .height = 64, .format = PixelFormat::kNv12}, slices));
  EXPECT_TRUE(refuses({.width = 128, .height = 64}, slices));
}

/// A model file with the message for each option that it is opened with; "" where it is opened.
class SettledOptions : public testing::TestWithParam<const char*> {
 protected:
  std::string refusal(const ModelOptions& options) const {
    try {
      CompiledModel::open(file_, options);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
      EXPECT_NE(std::string(error.what()).find(file_.string()), std::string::npos) << error.what();
      return error.what();
    }
  }

  void SetUp() override {
    if (GetParam() == std::string("m.om"))
      detector_model().save(file_);
    else
      OnnxModel::from_checkpoint(kCheckpoint, {.height = 128, .width = 256}).write(file_);
  }

  const test::TestFolder folder_{"api"};
  const std::filesystem::path file_ = folder_ / GetParam();
};

TEST_P(SettledOptions, WhatTheFileHasMayBeSaid) {
  EXPECT_EQ(refusal({.model = "tf_efficientdet_d0", .num_classes = 6, .height = 128, .width = 256}), "");
  EXPECT_EQ(refusal({.anchors = {.anchor_scale = 4, .num_scales = 3}}), "");
  EXPECT_EQ(refusal({.class_names = {"a", "b", "c", "d", "e", "f"}}), "");
}

TEST_P(SettledOptions, WhatTheFileContradictsIsRefused) {
  const auto expect_refused = [&](const ModelOptions& options, const std::string& flag) {
    const std::string message = refusal(options);
    EXPECT_NE(message.find(flag), std::string::npos) << flag << ": " << message;
  };
  expect_refused({.model = "tf_efficientdet_d4"}, "--model tf_efficientdet_d4");
  expect_refused({.num_classes = 90}, "--num-classes 90");
  expect_refused({.height = 256, .width = 128}, "--img-size 256 128");
  expect_refused({.height = 128}, "--img-size 128 128");
  expect_refused({.use_ema = true}, "--use-ema");
  expect_refused({.config = {{"act_type", "relu6"}}}, "--act");
  expect_refused({.ignore_config = true}, "--ignore-config");
  expect_refused({.anchors = {.anchor_scale = 5}}, "--anchor-scale");
  expect_refused({.anchors = {.num_scales = 4}}, "--scales");
  expect_refused({.anchors = {.aspect_ratios = {{1, 1}}}}, "--aspect-ratios");
  EXPECT_EQ(code_of([&] { Executor::open(file_, {.model = {.num_classes = 90}}); }), ErrorCode::kUsage);
}

INSTANTIATE_TEST_SUITE_P(Files, SettledOptions, testing::Values("m.onnx", "m.om"),
                         [](const auto& info) { return std::string(info.param).substr(2); });

TEST(SettledPrecision, IsThatOfACompiledModel) {
  const test::TestFolder folder("api");
  detector_model().save(folder / "m.om");
  CompiledModel::open(folder / "m.om", {.precision = Precision::kFloat32});
  EXPECT_EQ(code_of([&] { CompiledModel::open(folder / "m.om", {.precision = Precision::kBfloat16}); }),
            ErrorCode::kUsage);
  CompiledModel::open(kCheckpoint, {.height = 128, .width = 128, .precision = Precision::kBfloat16})
      .save(folder / "narrow.om");
  CompiledModel::open(folder / "narrow.om", {.precision = Precision::kBfloat16});
  CompiledModel::open(folder / "narrow.om", {});
  EXPECT_EQ(code_of([&] { CompiledModel::open(folder / "narrow.om", {.precision = Precision::kFloat32}); }),
            ErrorCode::kUsage);
}

}  // namespace
}  // namespace effdet
