// Convolution. Values are worked out by hand.
#include <cmath>
#include <vector>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Conv, PaddedStridedAndDilated) {
  const Tensor x = counting({1, 1, 4, 4}), w = floats({1, 1, 2, 2}, {1, 10, 100, 1000});
  EXPECT_EQ(values(run_node("Conv", {x, w})[0])[0], 0 + 10 + 400 + 5000);
  const Tensor padded = run_node("Conv", {x, w}, {{"pads", List{1, 1, 0, 0}}, {"strides", List{2, 2}}})[0];
  EXPECT_EQ(padded.shape(), (Shape{1, 1, 2, 2}));
  EXPECT_EQ(values(padded), (Floats{0, 100 + 2000, 40 + 8000, 5 + 60 + 900 + 10000}));
  const Tensor dilated = run_node("Conv", {x, w}, {{"dilations", List{2, 2}}})[0];
  EXPECT_EQ(values(dilated),
            (Floats{0 + 20 + 800 + 10000, 1 + 30 + 900 + 11000, 4 + 60 + 1200 + 14000, 5 + 70 + 1300 + 15000}));
}

TEST(Conv, GroupsAndBias) {
  const Tensor y = run_node("Conv", {floats({1, 2, 1, 1}, {3, 5}), floats({2, 1, 1, 1}, {2, 4}), floats({2}, {1, -1})},
                            {{"group", int64_t{2}}})[0];
  EXPECT_EQ(values(y), (Floats{7, 19}));
}

TEST(Conv, SamePadding) {
  const Tensor x = counting({1, 1, 5, 5}), w = floats({1, 1, 2, 2}, {1, 0, 0, 0});
  // Even total of one pixel: SAME_UPPER puts it at the end, so that the first tap sees the image unshifted.
  const auto upper = run_node("Conv", {x, w}, {{"auto_pad", std::string("SAME_UPPER")}})[0];
  EXPECT_EQ(upper.shape(), x.shape());
  EXPECT_EQ(values(upper), values(x));
  const auto lower = run_node("Conv", {x, w}, {{"auto_pad", std::string("SAME_LOWER")}})[0];
  EXPECT_EQ(values(lower)[6], 0);
  EXPECT_EQ(values(lower)[7], 1);
}

TEST(Conv, SameBitsAtAnyThreadCount) {
  Tensor x = counting({1, 6, 9, 9}), w = counting({8, 6, 3, 3});
  for (float& v : x.mutable_data<float>()) v = std::sin(v);
  for (float& v : w.mutable_data<float>()) v = std::cos(v);
  const ir::Node node{"Conv", "", "conv", {0, 1}, {2}, {}};
  const Tensor* inputs[] = {&x, &w};
  ThreadPool pool(3);
  EXPECT_EQ(values(evaluate_node(node, 11, inputs)[0]), values(evaluate_node(node, 11, inputs, &pool)[0]));
}

/// Planes are computed in parts: sums are those of plain loops, in the order of the input channels, to the bit.
TEST(Conv, LargePointwisePlanesAreSummedInOrder) {
  constexpr int64_t kBatch = 2, kGroups = 2, kIn = 5, kOut = 3, kPlane = 31 * 43;
  Tensor x = counting({kBatch, kGroups * kIn, 31, 43}), w = counting({kGroups * kOut, kIn, 1, 1});
  Tensor bias = counting({kGroups * kOut});
  for (float& v : x.mutable_data<float>()) v = std::sin(v);
  for (float& v : w.mutable_data<float>()) v = std::cos(v);
  std::vector<float> want;
  for (int64_t plane = 0; plane < kBatch * kGroups * kOut; ++plane)
    for (int64_t i = 0; i < kPlane; ++i) {
      const int64_t channel = plane % (kGroups * kOut);
      float sum = bias.data<float>()[channel];
      for (int64_t k = 0; k < kIn; ++k)
        sum += w.data<float>()[channel * kIn + k] * x.data<float>()[(plane / kOut * kIn + k) * kPlane + i];
      want.push_back(sum);
    }
  const ir::Node node{"Conv", "", "conv", {0, 1, 2}, {3}, {{"group", kGroups}}};
  const Tensor* inputs[] = {&x, &w, &bias};
  ThreadPool pool(3);
  EXPECT_EQ(values(evaluate_node(node, 11, inputs)[0]), want);
  EXPECT_EQ(values(evaluate_node(node, 11, inputs, &pool)[0]), want);
}

}  // namespace
}  // namespace effdet::ops
