// Detectors that are called in other ways than one image after the other: in batches, with options of a call, behind a
// queue. All of them find the same.
#include "effdet/async_detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "effdet/detector.h"
#include "effdet/error.h"

namespace effdet {
namespace {

bool same_detections(const std::vector<Detection>& a, const std::vector<Detection>& b) {
  return std::ranges::equal(a, b, [](const Detection& x, const Detection& y) {
    return x.x1 == y.x1 && x.y1 == y.y1 && x.x2 == y.x2 && x.y2 == y.y2 && x.score == y.score &&
           x.category == y.category;
  });
}

const CompiledModel& model_of_batch(int batch) {
  static const auto open = [](int images) {
    return CompiledModel::open(EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth",
                               {.height = 128, .width = 128, .batch = images});
  };
  static const CompiledModel one = open(1), three = open(3);
  return batch == 1 ? one : three;
}

/// Images of several sizes with stripes that differ.
std::vector<RgbImage> images(size_t count) {
  std::vector<RgbImage> all;
  for (size_t i = 0; i < count; ++i) {
    RgbImage image{static_cast<int>(90 + 20 * i), 100, {}};
    for (size_t at = 0; at < size_t{3} * 100 * (90 + 20 * i); ++at)
      image.pixels.push_back(static_cast<unsigned char>(at * (i + 3) / 7 % 251));
    all.push_back(std::move(image));
  }
  return all;
}

TEST(Detector, BatchesFindWhatOneImageAtATimeDoes) {
  const std::vector<RgbImage> all = images(5);
  std::vector<ImageView> views;
  for (const RgbImage& image : all) views.push_back(view_of(image));
  Detector one(model_of_batch(1), 1), three(model_of_batch(3), 1);
  const auto found = three.detect_batch(views);
  ASSERT_EQ(found.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const auto expected = one.detect(all[i]);
    ASSERT_FALSE(expected.empty());
    EXPECT_TRUE(same_detections(found[i], expected)) << i;
  }
  EXPECT_GT(three.timings().inference, 0);
  EXPECT_TRUE(three.detect_batch({}).empty());
}

TEST(Detector, OptionsOfACallAreForThatCall) {
  const RgbImage image = images(1)[0];
  Detector detector(model_of_batch(1), 1);
  const auto all = detector.detect(image);
  ASSERT_GT(all.size(), 3u);
  EXPECT_EQ(detector.detect(view_of(image), {.max_detections = 3}).size(), 3u);
  EXPECT_EQ(detector.detect(view_of(image), {.score_threshold = 1}).size(), 0u);
  EXPECT_THROW(detector.detect(view_of(image), {.score_threshold = 7}), Error);
  EXPECT_TRUE(same_detections(detector.detect(image), all));
}

TEST(Detector, ViewsOfAnotherOrderAreTheSameImage) {
  RgbImage image = images(1)[0];
  Detector detector(model_of_batch(1), 1);
  const auto expected = detector.detect(image);
  for (size_t at = 0; at < image.pixels.size(); at += 3) std::swap(image.pixels[at], image.pixels[at + 2]);
  ImageView view = view_of(image);
  view.format = PixelFormat::kBgr;
  EXPECT_TRUE(same_detections(detector.detect(view), expected));
}

TEST(Detector, TellsWhereAnImageLiesInTheInput) {
  const Detector detector(model_of_batch(1), 1);
  const Letterbox box = detector.letterbox(256, 64);
  EXPECT_DOUBLE_EQ(box.scale, 0.5);
  EXPECT_EQ(box.width, 128);
  EXPECT_EQ(box.height, 32);
  EXPECT_THROW(detector.letterbox(0, 5), Error);
}

TEST(AsyncDetector, FindsWhatADetectorDoesFromSeveralThreads) {
  const std::vector<RgbImage> all = images(6);
  Detector detector(model_of_batch(1), 1);
  AsyncDetector background(model_of_batch(1), {.layout = {2, 1}, .queue = 2});
  std::vector<AsyncDetector::Result> results(all.size());
  std::vector<std::thread> threads;
  for (size_t first = 0; first < 2; ++first)
    threads.emplace_back([&, first] {
      for (size_t i = first; i < all.size(); i += 2) results[i] = background.submit(all[i]);
    });
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(same_detections(results[i].get(), detector.detect(all[i]))) << i;
}

TEST(AsyncDetector, ErrorsComeWithTheResult) {
  AsyncDetector background(model_of_batch(1), {.layout = {1, 1}});
  auto broken = background.submit({5, 5, {1, 2, 3}}, "broken.jpg");
  EXPECT_THROW(broken.get(), Error);
  EXPECT_THROW(AsyncDetector(model_of_batch(1), {.layout = {0, 1}}), Error);
  EXPECT_THROW(AsyncDetector(model_of_batch(1), {.detect = {.score_threshold = -1}}), Error);
}

TEST(AsyncDetector, AFullQueueRefusesWhatNeedNotWait) {
  AsyncDetector background(model_of_batch(1), {.layout = {1, 1}, .queue = 1});
  std::vector<AsyncDetector::Result> results;
  RgbImage image = images(1)[0];
  size_t refused = 0;
  while (refused == 0 && results.size() < 1000) {
    RgbImage copy = image;
    if (auto result = background.try_submit(copy)) {
      results.push_back(std::move(*result));
      EXPECT_TRUE(copy.pixels.empty());
    } else {
      ++refused;
      EXPECT_EQ(copy.pixels, image.pixels);
    }
  }
  EXPECT_EQ(refused, 1u);
  for (auto& result : results) EXPECT_FALSE(result.get().empty());
}

TEST(AsyncDetector, WhatWasAcceptedIsFinishedBeforeItsEnd) {
  std::vector<AsyncDetector::Result> results;
  {
    AsyncDetector background(model_of_batch(1), {.layout = {1, 1}, .queue = 3});
    for (RgbImage& image : images(3)) results.push_back(background.submit(std::move(image)));
  }
  for (auto& result : results) EXPECT_FALSE(result.get().empty());
}

}  // namespace
}  // namespace effdet
