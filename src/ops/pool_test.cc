// Pools of windows and of whole maps. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, Pools) {
  const Tensor x = counting({1, 1, 2, 2, 2});
  expect_values({
      {"MaxPool", {x}, {7}, {{"kernel_shape", List{2, 2, 2}}}},
      {"AveragePool", {x}, {3.5f}, {{"kernel_shape", List{2, 2, 2}}}},
      {"LpPool", {floats({1, 1, 2}, {3, -4})}, {5}, {{"kernel_shape", List{2}}}},
      {"GlobalLpPool", {floats({1, 1, 2}, {3, -4})}, {7}, {{"p", int64_t{1}}}},
      {"Conv", {x, floats({1, 1, 2, 2, 2}, {1, 0, 0, 0, 0, 0, 0, 10})}, {70}},
  });
  const auto pooled =
      run_node("MaxPool", {floats({1, 1, 4}, {1, 5, 7, 2})}, {{"kernel_shape", List{2}}, {"strides", List{2}}}, 18, 2);
  EXPECT_EQ(values<int64_t>(pooled[1]), (List{1, 2}));
  expect_values(
      {{"MaxUnpool", {pooled[0], pooled[1]}, {0, 5, 7, 0}, {{"kernel_shape", List{2}}, {"strides", List{2}}}}});
}

TEST(Pool, MaxLeavesPaddingOutAndAverageCountsOnDemand) {
  const Tensor x = floats({1, 1, 2, 2}, {-1, -2, -3, -4});
  const std::map<std::string, ir::Attribute> window{{"kernel_shape", List{2, 2}}, {"pads", List{1, 1, 0, 0}}};
  EXPECT_EQ(values(run_node("MaxPool", {x}, window)[0]), (Floats{-1, -1, -1, -1}));
  EXPECT_EQ(values(run_node("AveragePool", {x}, window)[0]), (Floats{-1, -1.5f, -2, -2.5f}));
  auto counted = window;
  counted["count_include_pad"] = int64_t{1};
  EXPECT_EQ(values(run_node("AveragePool", {x}, counted)[0]), (Floats{-0.25f, -0.75f, -1, -2.5f}));
}

TEST(Pool, CeilModeDropsWindowsThatBeginInThePadding) {
  const Tensor x = counting({1, 1, 1, 5});
  const auto y =
      run_node("MaxPool", {x}, {{"kernel_shape", List{1, 2}}, {"strides", List{1, 2}}, {"ceil_mode", int64_t{1}}})[0];
  EXPECT_EQ(values(y), (Floats{1, 3, 4}));
  const auto z = run_node("MaxPool", {x},
                          {{"kernel_shape", List{1, 1}},
                           {"strides", List{1, 5}},
                           {"pads", List{0, 0, 0, 1}},
                           {"ceil_mode", int64_t{1}}})[0];
  EXPECT_EQ(values(z), (Floats{0}));
}

/// The last window reaches two places beyond the padding; of three places one is left, and holds a number.
TEST(Pool, CeilModeCountsPlacesWithinThePadding) {
  const Tensor x = floats({1, 1, 1, 5}, {1, 2, 3, 4, 5});
  const auto y = run_node("AveragePool", {x},
                          {{"kernel_shape", List{1, 3}},
                           {"strides", List{1, 2}},
                           {"dilations", List{1, 2}},
                           {"pads", List{0, 1, 0, 0}},
                           {"ceil_mode", int64_t{1}},
                           {"count_include_pad", int64_t{1}}},
                          19)[0];
  EXPECT_EQ(values(y), (Floats{2, 3}));
}

TEST(Pool, Global) {
  EXPECT_EQ(values(run_node("GlobalAveragePool", {counting({1, 2, 2, 2})})[0]), (Floats{1.5f, 5.5f}));
  EXPECT_EQ(values(run_node("GlobalMaxPool", {counting({1, 2, 2, 2})})[0]), (Floats{3, 7}));
}

/// In float32 one value after the other would be off in the third digit.
TEST(Pool, AveragesOfLargeWindowsAreExact) {
  Tensor map(DType::kF32, {1, 1, 512, 512});
  for (float& value : map.mutable_data<float>()) value = 0.1f;
  const std::map<std::string, ir::Attribute> whole{{"kernel_shape", List{512, 512}}};
  EXPECT_FLOAT_EQ(values(run_node("AveragePool", {map}, whole)[0])[0], 0.1f);
  EXPECT_FLOAT_EQ(values(run_node("GlobalAveragePool", {map})[0])[0], 0.1f);
  EXPECT_FLOAT_EQ(values(run_node("ReduceMean", {map})[0])[0], 0.1f);
}

}  // namespace
}  // namespace effdet::ops
