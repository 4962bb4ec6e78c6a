// What is true of many operators, and operators without a test file of their own.
#include <cmath>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, OfNewerOpsets) {
  const Tensor x = list({-2, 0, 3});
  expect_values({
      {"Swish", {x}, {-0.238406f, 0, 2.857722f}, {}, 24},
      {"Swish", {x}, {-0.119203f * 2, 0, 3 * 0.952574f}, {{"alpha", 1.0f}}, 24},
      {"Swish", {x}, {-0.537883f, 0, 3 * 0.817574f}, {{"alpha", 0.5f}}, 24},
      {"RMSNormalization",
       {floats({2, 2}, {3, 4, 0, 2}), list({1, 10})},
       {0.848528f, 11.313708f, 0, 14.142100f},
       {},
       23},
      {"RMSNormalization",
       {floats({2, 2}, {1, 1, 1, 1}), floats({2, 2}, {1, 2, 3, 4})},
       {1, 2, 3, 4},
       {{"axis", int64_t{0}}},
       23},
      {"Mod", {list({-7, 7, 6, -6}), list({3, -3, -3, kInf})}, {2, -2, 0, kInf}, {}, 28},
      {"SpaceToDepth",
       {counting({1, 2, 2, 2})},
       {0, 1, 2, 3, 4, 5, 6, 7},
       {{"blocksize", int64_t{2}}, {"mode", std::string("CRD")}},
       28},
      {"SpaceToDepth", {counting({1, 2, 2, 2})}, {0, 4, 1, 5, 2, 6, 3, 7}, {{"blocksize", int64_t{2}}}, 28},
  });
  EXPECT_TRUE(std::signbit(values(run_node("Mod", {list({6}), list({-3})}, {}, 28)[0])[0]));
  for (const char* op : {"Swish", "RMSNormalization"}) {
    const std::vector<Tensor> inputs = op[0] == 'S' ? std::vector{x} : std::vector{x, x};
    EXPECT_THROW(run_node(op, inputs, {}, 22), Error) << op;
  }
}

/// NaN stays NaN, so that a network that has gone wrong does not look healthy.
TEST(Operators, KeepNaN) {
  const Tensor x = list({NAN, 7});
  const auto stays = [&](const char* op, std::vector<Tensor> inputs,
                         std::map<std::string, ir::Attribute> attributes = {}) {
    EXPECT_TRUE(std::isnan(values(run_node(op, inputs, std::move(attributes), 18)[0])[0])) << op;
  };
  stays("Clip", {x, floats({}, {0}), floats({}, {6})});
  for (const char* op : {"Relu", "Sigmoid", "HardSigmoid", "HardSwish", "LeakyRelu", "Elu", "Mish", "Softplus"})
    stays(op, {x});
  stays("Max", {x, list({1, 1})});
  stays("Min", {list({1, 1}), x});
  stays("MaxPool", {floats({1, 1, 2}, {NAN, 7})}, {{"kernel_shape", List{2}}});
  stays("GlobalMaxPool", {floats({1, 1, 2}, {NAN, 7})});
  stays("ReduceMax", {x});
  stays("ReduceMin", {x});
}

TEST(Operators, DropoutKeepsEverything) {
  const auto y = run_node("Dropout", {list({1, 2})}, {}, 13, 2);
  EXPECT_EQ(values(y[0]), (std::vector<float>{1, 2}));
  EXPECT_EQ(values<bool>(y[1]), (std::vector<bool>{true, true}));
}

TEST(Range, CountsInItsOwnType) {
  const auto scalar = [](int64_t value) { return Tensor::scalar(value).to(DType::kI16); };
  EXPECT_EQ(values<int16_t>(run_node("Range", {scalar(5), scalar(-4), scalar(-4)})[0]),
            (std::vector<int16_t>{5, 1, -3}));
}

}  // namespace
}  // namespace effdet::ops
