// Squares of an image, and boxes merged, as SAHI 0.12.8 has them.
#include "detection/slices.h"

#include <gtest/gtest.h>

#include <array>

#include "base/error.h"

namespace effdet::detection {
namespace {

TEST(Slices, CoverTheImageAndEndWithIt) {
  std::vector<std::array<int, 4>> found;
  for (const Slice& slice : slices_of({1000, 700}, {.side = 512}))
    found.push_back({slice.x1, slice.y1, slice.x2, slice.y2});
  const std::vector<std::array<int, 4>> expected{{0, 0, 512, 512},   {410, 0, 922, 512},   {488, 0, 1000, 512},
                                                 {0, 188, 512, 700}, {410, 188, 922, 700}, {488, 188, 1000, 700}};
  EXPECT_EQ(found, expected);
  EXPECT_EQ(slices_of({300, 200}, {.side = 512}).size(), 1u);
}

TEST(Slices, TheBestBoxGrowsAroundThoseThatOverlapIt) {
  const std::vector<Detection> boxes{{0, 0, 10, 10, 0.9f, 1},
                                     {5, 0, 30, 10, 0.8f, 1},
                                     {28, 0, 50, 10, 0.7f, 1},
                                     {1, 1, 9, 9, 0.6f, 2},
                                     {2, 2, 4, 4, 0.5f, 1}};
  const auto merged =
      merge_detections(boxes, {.side = 64}, false, 100);  // the second overlaps the first by just a half
  ASSERT_EQ(merged.size(), 3u);
  EXPECT_EQ(merged[0].x2, 30);
  EXPECT_EQ(merged[0].score, 0.9f);
  EXPECT_EQ(merged[1].x1, 28);
  EXPECT_EQ(merged[2].category, 2);
  EXPECT_EQ(merge_detections(boxes, {.side = 64, .merge_threshold = 0.6f}, false, 100)[0].x2, 10);
  EXPECT_EQ(merge_detections(boxes, {.side = 64}, true, 100).size(), 2u);
  EXPECT_EQ(merge_detections(boxes, {.side = 64}, false, 2).size(), 2u);
}

TEST(Slices, OptionsOutOfRangeAreRefused) {
  for (const SliceOptions& options : {SliceOptions{.side = 8}, SliceOptions{.side = 64, .overlap = 1.0f},
                                      SliceOptions{.side = 64, .merge_threshold = -1}})
    EXPECT_THROW(check_options(options), Error);
}

}  // namespace
}  // namespace effdet::detection
