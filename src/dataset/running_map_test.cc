// The number of the images so far is that of an evaluation of these images.
#include "dataset/running_map.h"

#include <future>
#include <thread>

#include "dataset/evaluation.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

/// Two images with an object each, of which the detections find the first.
eval::GroundTruth two_objects() {
  eval::GroundTruth truth;
  truth.categories = {{.id = 1, .name = "thing"}};
  for (const int64_t id : {1, 2}) {
    truth.images.push_back({.id = id, .file_name = fmt::format("{}.jpg", id), .width = 100, .height = 100});
    truth.annotations.push_back({.id = id, .image_id = id, .category_id = 1, .bbox = {10, 10, 20, 20}, .area = 400});
  }
  return truth;
}

TEST(RunningMap, IsTheMapOfTheImagesThatAreDone) {
  const eval::GroundTruth truth = two_objects();
  const std::vector<eval::CocoResult> hit = {{.image_id = 1, .bbox = {10, 10, 20, 20}, .score = 0.9, .category_id = 1}};
  const std::vector<eval::CocoResult> none;
  std::promise<double> first, second;
  RunningMap running(
      truth,
      [&](double map, size_t images) {
        if (images == 1) first.set_value(map);
        if (images == 2) second.set_value(map);
      },
      std::chrono::milliseconds(1));
  running.add(1, hit);
  EXPECT_DOUBLE_EQ(first.get_future().get(), 1);
  running.add(2, none);
  const std::vector<int64_t> both = {1, 2};
  const double expected = evaluate(truth, hit, both).stats[0];
  EXPECT_GT(expected, 0.4);
  EXPECT_LT(expected, 0.6);
  EXPECT_EQ(second.get_future().get(), expected);
}

TEST(RunningMap, SaysNothingWhereNothingIsNew) {
  const eval::GroundTruth truth = two_objects();
  size_t calls = 0;
  std::promise<void> called;
  {
    RunningMap running(
        truth,
        [&](double, size_t images) {
          EXPECT_EQ(images, 1u);
          if (++calls == 1) called.set_value();
        },
        std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // some of its times pass
    running.add(1, {});
    called.get_future().get();
  }
  EXPECT_EQ(calls, 1u);
}

TEST(RunningMap, EndsWithoutWaitingForItsNextTime) {
  const eval::GroundTruth truth = two_objects();
  bool called = false;
  {
    RunningMap running(
        truth, [&](double, size_t) { called = true; }, std::chrono::hours(1));
    running.add(1, {});
  }
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace effdet::dataset
