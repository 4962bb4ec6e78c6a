// GridSample. Values are worked out by hand; ONNX's node tests have more (bench/onnx_node_tests.py).
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

/// A row of four pixels, 0 10 20 30, at points along it.
Floats row_at(const Floats& xs, const std::string& mode, const std::string& padding, int64_t align_corners = 0) {
  Floats grid;
  for (const float x : xs) grid.insert(grid.end(), {x, 0});
  const auto count = static_cast<int64_t>(xs.size());
  return values(run_node("GridSample", {floats({1, 1, 1, 4}, {0, 10, 20, 30}), floats({1, 1, count, 2}, grid)},
                         {{"mode", mode}, {"padding_mode", padding}, {"align_corners", align_corners}}, 20)[0]);
}

TEST(GridSample, TakesPointsBetweenPixels) {
  // Pixel centres are at -0.75, -0.25, 0.25, 0.75, or with align_corners at -1, -1/3, 1/3, 1.
  EXPECT_EQ(row_at({-0.75f, -0.5f, 0, 0.75f}, "linear", "zeros"), (Floats{0, 5, 15, 30}));
  EXPECT_EQ(row_at({-1, 0, 1}, "bilinear", "zeros", 1), (Floats{0, 15, 30}));
  EXPECT_EQ(row_at({-0.75f, 0, 0.5f}, "nearest", "zeros"), (Floats{0, 20, 20})) << "ties go to the even pixel";
  EXPECT_EQ(row_at({0}, "cubic", "zeros"), (Floats{15}));
}

TEST(GridSample, OutsideAreZerosTheBorderOrReflections) {
  EXPECT_EQ(row_at({1, 1.25f, 1.5f}, "linear", "zeros"), (Floats{15, 0, 0}));
  EXPECT_EQ(row_at({1, 1.25f, 9}, "linear", "border"), (Floats{30, 30, 30}));
  // Half a pixel beyond the last centre the cubic's weights are -0.09375, 0.59375, 0.59375, -0.09375.
  EXPECT_EQ(row_at({1, 7}, "cubic", "border"), (Floats{30.9375f, 30}));
  EXPECT_EQ(row_at({1.25f, 1.75f, 3.75f, -1.25f}, "linear", "reflection"), (Floats{30, 20, 10, 0}));
  EXPECT_EQ(row_at({2, 3}, "linear", "reflection", 1), (Floats{15, 0}));
  EXPECT_EQ(row_at({kInf, -kInf}, "linear", "zeros"), (Floats{0, 0}));
  EXPECT_EQ(row_at({kInf, -kInf}, "nearest", "border"), (Floats{30, 0}));
}

TEST(GridSample, TheLastNumberOfAPointIsOfTheFirstAxis) {
  const Tensor map = counting({1, 2, 2, 3, 4});
  // Depth 1, row 2, column 3 of each channel.
  EXPECT_EQ(
      values(run_node("GridSample", {map, floats({1, 1, 1, 1, 3}, {1, 1, 1})}, {{"align_corners", int64_t{1}}}, 20)[0]),
      (Floats{23, 47}));
  EXPECT_EQ(values(run_node("GridSample", {map, floats({1, 1, 1, 1, 3}, {-1, -1, 1})}, {{"align_corners", int64_t{1}}},
                            20)[0]),
            (Floats{12, 36}));
}

TEST(BadInput, GridSample_ShapesThatDoNotFit) {
  const Tensor map = counting({1, 1, 2, 2});
  EXPECT_THROW(run_node("GridSample", {map, counting({1, 1, 1, 3})}, {}, 16), Error);
  EXPECT_THROW(run_node("GridSample", {map, counting({2, 1, 1, 2})}, {}, 16), Error);
  EXPECT_THROW(run_node("GridSample", {map, counting({1, 1, 2})}, {}, 16), Error);
  EXPECT_THROW(run_node("GridSample", {map, counting({1, 1, 1, 2})}, {{"mode", "wish"}}, 16), Error);
  EXPECT_THROW(run_node("GridSample", {map, counting({1, 1, 1, 2})}, {{"padding_mode", "wish"}}, 16), Error);
  EXPECT_THROW(run_node("GridSample", {counting({1, 1, 2, 2, 2}), counting({1, 1, 1, 1, 3})}, {{"mode", "cubic"}}, 20),
               Error);
  EXPECT_EQ(values(run_node("GridSample", {Tensor(DType::kF32, {1, 1, 0, 2}), counting({1, 1, 1, 2})}, {}, 16)[0]),
            (Floats{0}));
}

}  // namespace
}  // namespace effdet::ops
