// RoiAlign. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, RoiAlignOfRegionsWithoutArea) {
  const Tensor map = floats({1, 1, 2, 2}, {5, 5, 5, 5}), region = floats({1, 4}, {1, 1, 1, 1});
  for (const char* mode : {"avg", "max"})
    expect_values({{"RoiAlign", {map, region, ints({0})}, {0}, {{"mode", std::string(mode)}}}});
}

// 5 * 0.8 is exactly 4 in the input's type, and 2 samples a bin; in double 0.8f is more, which would make 3.
TEST(Operators, RoiAlignRoundsWhereSamplesLieAsItsTypeDoes) {
  Tensor squares(DType::kF32, {1, 1, 6, 6});
  for (int64_t i = 0; i < 36; ++i)
    squares.mutable_data<float>()[static_cast<size_t>(i)] = static_cast<float>(i % 6 * (i % 6));
  expect_values({{"RoiAlign",
                  {squares, floats({1, 4}, {0, 0, 5, 5}), ints({0})},
                  {0.5, 6.5, 0.5, 6.5},
                  {{"output_height", int64_t{2}}, {"output_width", int64_t{2}}, {"spatial_scale", 0.8f}}}});
}

}  // namespace
}  // namespace effdet::ops
