// The arithmetic of 8-bit maps against the formulas in float64 that it stands for.
#include "ops/fused/requantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace effdet::ops {
namespace {

TEST(Requantize, CodesAreThoseOfQuantizeLinear) {
  const Quantization q{0.1f, 10};
  EXPECT_EQ(q.code(0.35f), 14);  // 3.4999998 in float32, but 3.5 after the division, which goes to the even 4
  EXPECT_EQ(q.code(-5), 0);
  EXPECT_EQ(q.code(1e30f), 255);
  EXPECT_EQ(q.code(std::numeric_limits<float>::quiet_NaN()), 10);
  EXPECT_FLOAT_EQ(q.number(25), 1.5f);
}

TEST(Requantize, MultipliesHighHalves) {
  EXPECT_EQ(multiply_high(16384, 3), 2);  // 1.5 up
  EXPECT_EQ(multiply_high(-16384, 3), -1);
  EXPECT_EQ(multiply_high(-32768, 32767), -32767);
}

/// The largest difference in codes between swish in fixed point and in float64, unrounded.
double worst_swish(Quantization y) {
  const Requantizer requantizer(Activation::kSwish, y);
  const float step = 1e-3f, multiplier = requantizer.multiplier(step);
  double worst = 0;
  for (int i = -20000; i <= 20000; i += 7) {
    const double x = double{step} * i;
    const double code = x / (1 + std::exp(-x)) / y.scale + y.zero_point;
    worst =
        std::max(worst, std::abs(std::clamp(code, 0.0, 255.0) - requantizer.code(static_cast<float>(i) * multiplier)));
  }
  return worst;
}

TEST(Requantize, SwishIsRightToRounding) {
  EXPECT_LT(worst_swish({6.3f / 255, 11}), 0.56);
  EXPECT_LT(worst_swish({16.0f / 255, 4}), 0.56);
  EXPECT_LT(worst_swish({1.9f / 255, 37}), 0.72);
  EXPECT_LT(worst_swish({0.01f / 4, 120}), 1.1);  // a range of 0.64: fewer steps a code
  EXPECT_LT(worst_swish({1.0f, 0}), 0.66);
}

TEST(Requantize, OtherActivationsRoundOnce) {
  const Requantizer relu6(Activation::kRelu6, {6.0f / 255, 0});
  EXPECT_EQ(relu6.code(-1), 0);
  EXPECT_EQ(relu6.code(3), 128);  // 127.5 to the even one
  EXPECT_EQ(relu6.code(7), 255);
  const Requantizer none(Activation::kNone, {0.5f, 100});
  EXPECT_EQ(none.code(none.multiplier(0.25f) * 5), 102);  // 2.5 to the even 2
  EXPECT_EQ(none.code(1e30f), 255);
  EXPECT_EQ(none.code(-1e30f), 0);
  EXPECT_FALSE(Requantizer::takes(Activation::kSigmoid));
  EXPECT_FALSE(Requantizer::takes(Activation::kMish));
}

TEST(Requantize, GatesScaleChannels) {
  const Quantization x{0.02f, 14}, y{0.011f, 20};
  ASSERT_TRUE(GateCodes::takes(x, y));
  const GateCodes gates(x, y);
  for (const float gate : {0.0f, 0.013f, 0.5f, 0.97f, 1.0f})
    for (int code = 0; code < 256; ++code) {
      const double wanted =
          std::clamp(double{x.number(static_cast<uint8_t>(code))} * gate / y.scale + y.zero_point, 0.0, 255.0);
      EXPECT_NEAR(gates.code(static_cast<uint8_t>(code), gates.factor(gate)), wanted, 0.6) << gate << " " << code;
    }
  EXPECT_FALSE(GateCodes::takes({1, 0}, {0.01f, 0}));
  const GateCodes nothing({1e-30f, 0}, {1e30f, 7});  // the ratio is less than the smallest float
  EXPECT_EQ(nothing.code(255, nothing.factor(1)), 7);
}

}  // namespace
}  // namespace effdet::ops
