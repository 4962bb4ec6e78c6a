// Suppression of boxes, and values of regions. Values are worked out by hand.
#include <cmath>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, SuppressionAndRegions) {
  const Tensor boxes = floats({1, 3, 4}, {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 0, 10, 1, 11});
  const Tensor scores = floats({1, 1, 3}, {0.9f, 0.75f, 0.6f});
  expect_values({
      {"NonMaxSuppression", {boxes, scores, ints({3}), list({0.5f})}, {0, 0, 0, 0, 0, 2}},
      {"NonMaxSuppression", {boxes, scores, ints({3}), list({0.5f}), list({0.7f})}, {0, 0, 0}},
      {"NonMaxSuppression", {boxes, scores, ints({0})}, {}},
      {"NonMaxSuppression", {boxes, scores}, {}},
      // Corners in the other order.
      {"NonMaxSuppression",
       {floats({1, 2, 4}, {1, 1, 0, 0, 0, 1.1f, 1, 0.1f}), floats({1, 1, 2}, {0.1f, 0.2f}), ints({2}), list({0.5f})},
       {0, 0, 1}},
      // The same boxes as x, y of the centre, width, height.
      {"NonMaxSuppression",
       {floats({1, 3, 4}, {0.5f, 0.5f, 1, 1, 0.6f, 0.5f, 1, 1, 10.5f, 0.5f, 1, 1}), scores, ints({3}), list({0.5f})},
       {0, 0, 0, 0, 0, 2},
       {{"center_point_box", int64_t{1}}}},
      // Classes do not suppress each other, and each has its own number of boxes; of equal scores the first box.
      {"NonMaxSuppression",
       {boxes, floats({1, 2, 3}, {0.9f, 0.75f, 0.6f, 0.5f, 0.5f, 0.5f}), ints({1}), list({0.5f})},
       {0, 0, 0, 0, 1, 0}},
      // Boxes without area overlap nothing; a score that is no number, or not above the threshold, is none.
      {"NonMaxSuppression",
       {floats({1, 3, 4}, {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1}), floats({1, 1, 3}, {0.5f, 0.6f, NAN}), ints({3}),
        list({0}), list({0.5f})},
       {0, 0, 1}},
      {"RoiAlign",
       {counting({1, 1, 2, 2}), floats({1, 4}, {0, 0, 2, 2}), ints({0})},
       {1.5f},
       {{"sampling_ratio", int64_t{2}}},
       16},
  });
}

}  // namespace
}  // namespace effdet::ops
