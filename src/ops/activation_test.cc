// Activations, and Clip. Values are worked out by hand.
#include <cmath>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, Activations) {
  expect_values({
      {"Elu", {list({-1, 2})}, {-1.264241f, 2}, {{"alpha", 2.0f}}},
      {"Selu", {list({-1, 2})}, {-1.111331f, 2.101402f}},
      {"Celu", {list({-1, 2})}, {-0.786939f, 2}, {{"alpha", 2.0f}}},
      {"Mish", {list({0, 1})}, {0, 0.865098f}},
      {"Gelu", {list({0, 1, -1})}, {0, 0.841345f, -0.158655f}, {}, 20},
      {"Gelu", {list({1})}, {0.841192f}, {{"approximate", std::string("tanh")}}, 20},
      {"Softsign", {list({-1, 3})}, {-0.5f, 0.75f}},
      {"ThresholdedRelu", {list({0.5f, 3})}, {0, 3}},
      {"Shrink", {list({-2, 0.2f, 2})}, {-1.5f, 0, 1.5f}, {{"bias", 0.5f}}},
      {"PRelu", {floats({2, 2}, {-1, 2, -3, 4}), list({0.1f, 0.5f})}, {-0.1f, 2, -0.3f, 4}},
  });
}

TEST(Clip, IntegersKeepTheirRange) {
  const Tensor x = ints({-100, 7, 100}).to(DType::kI8), low = Tensor::scalar<int64_t>(-1).to(DType::kI8);
  EXPECT_EQ(values<int8_t>(run_node("Clip", {x, low}, {}, 12)[0]), (std::vector<int8_t>{-1, 7, 100}));
}

TEST(Activation, Values) {
  const Tensor x = floats({3}, {-4, 0, 2});
  EXPECT_EQ(values(run_node("Relu", {x})[0]), (Floats{0, 0, 2}));
  EXPECT_FLOAT_EQ(values(run_node("Sigmoid", {x})[0])[2], 1 / (1 + std::exp(-2.0f)));
  EXPECT_EQ(values(run_node("LeakyRelu", {x}, {{"alpha", 0.5f}})[0]), (Floats{-2, 0, 2}));
  EXPECT_FLOAT_EQ(values(run_node("HardSwish", {x}, {}, 14)[0])[2], 2 * (2 / 6.0f + 0.5f));
  EXPECT_THROW(run_node("HardSwish", {x}, {}, 13), Error);  // there since opset 14
  EXPECT_EQ(values(run_node("Softplus", {floats({2}, {100, -1000})})[0]), (Floats{100, 0}));
  EXPECT_EQ(values(run_node("Clip", {x}, {{"min", -1.0f}, {"max", 1.0f}}, 10)[0]), (Floats{-1, 0, 1}));
  EXPECT_EQ(values(run_node("Clip", {x, Tensor(), floats({}, {1})})[0]), (Floats{-4, 0, 1}));
}

}  // namespace
}  // namespace effdet::ops
