// One small case an operator, worked out by hand. ONNX's own backend tests (bench/onnx_node_tests.py) go further.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

Tensor bools(std::vector<int> values) {
  Tensor tensor(DType::kBool, {static_cast<int64_t>(values.size())});
  for (size_t i = 0; i < values.size(); ++i) tensor.mutable_data<bool>()[i] = values[i] != 0;
  return tensor;
}

Tensor list(std::vector<float> values) {
  const auto size = static_cast<int64_t>(values.size());
  return floats({size}, std::move(values));
}

struct Case {
  std::string op;
  std::vector<Tensor> inputs;
  std::vector<float> expected;  ///< of the first output, in order
  std::map<std::string, ir::Attribute> attributes = {};
  int64_t opset = 18;
};

void expect_values(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Tensor output = run_node(c.op, c.inputs, c.attributes, c.opset)[0].to(DType::kF32);
    ASSERT_EQ(output.numel(), static_cast<int64_t>(c.expected.size())) << c.op;
    for (size_t i = 0; i < c.expected.size(); ++i) {
      const float found = values(output)[i];
      if (std::isnan(c.expected[i])) {
        EXPECT_TRUE(std::isnan(found)) << c.op << " " << i;
      } else if (std::isinf(c.expected[i])) {
        EXPECT_EQ(found, c.expected[i]) << c.op << " " << i;
      } else {
        EXPECT_NEAR(found, c.expected[i], 1e-4) << c.op << " " << i;
      }
    }
  }
}

TEST(Operators, Unary) {
  expect_values({
      {"Sin", {list({0, 1})}, {0, 0.841471f}},
      {"Cos", {list({0, 1})}, {1, 0.540302f}},
      {"Tan", {list({0, 1})}, {0, 1.557408f}},
      {"Asin", {list({0, 1})}, {0, 1.570796f}},
      {"Acos", {list({0, 1})}, {1.570796f, 0}},
      {"Atan", {list({0, 1})}, {0, 0.785398f}},
      {"Sinh", {list({0, 1})}, {0, 1.175201f}},
      {"Cosh", {list({0, 1})}, {1, 1.543081f}},
      {"Asinh", {list({0, 1})}, {0, 0.881374f}},
      {"Acosh", {list({1, 2})}, {0, 1.316958f}},
      {"Atanh", {list({0, 0.5f})}, {0, 0.549306f}},
      {"Round", {list({0.5f, 1.5f, -0.5f, -1.6f})}, {0, 2, 0, -2}},
      {"Sign", {list({-3, 0, 2})}, {-1, 0, 1}},
      {"IsNaN", {list({std::nanf(""), 1})}, {1, 0}},
      {"IsInf", {list({kInf, -kInf, 1})}, {1, 0, 0}, {{"detect_negative", int64_t{0}}}},
      {"BitwiseNot", {ints({0, 5})}, {-1, -6}},
  });
}

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

TEST(Operators, Binary) {
  const Tensor bytes = Tensor::from<uint8_t>({2}, std::vector<uint8_t>{1, 255}), amount = bytes;
  expect_values({
      {"Mod", {ints({-5, 5, -6}), ints({3, -3, 3})}, {1, -1, 0}},
      {"Mod", {list({-5, 5}), list({3, -3})}, {-2, 2}, {{"fmod", int64_t{1}}}},
      {"BitwiseAnd", {ints({6, -1}), ints({3, 8})}, {2, 8}},
      {"BitwiseOr", {ints({6, 0}), ints({3, 8})}, {7, 8}},
      {"BitwiseXor", {ints({6, 1}), ints({3, 1})}, {5, 0}},
      {"BitShift", {bytes, amount}, {2, 0}, {{"direction", std::string("LEFT")}}},
      {"BitShift", {bytes, amount}, {0, 0}, {{"direction", std::string("RIGHT")}}},
      {"Xor", {bools({0, 1, 1}), bools({1, 1, 0})}, {1, 0, 1}},
      {"CastLike", {list({1.7f}), ints({0})}, {1}},
  });
}

TEST(Operators, Reductions) {
  const Tensor x = floats({2, 2}, {1, -2, 3, 4});
  expect_values({
      {"ReduceL1", {x, ints({1})}, {3, 7}},
      {"ReduceL2", {x, ints({1})}, {2.236068f, 5}},
      {"ReduceSumSquare", {x, ints({0})}, {10, 20}},
      {"ReduceLogSum", {floats({2}, {1, 3})}, {1.386294f}},
      {"ReduceLogSumExp", {floats({2}, {1000, 1000})}, {1000.693147f}},
      {"ReduceMax", {bools({0, 1})}, {1}, {}, 20},
      {"ReduceMin", {bools({0, 1})}, {0}, {}, 20},
      {"ArgMax", {x}, {1, 1}},
      {"ArgMin", {x}, {1, 0}, {{"axis", int64_t{-1}}}},
      {"ArgMax", {list({2, 5, 5})}, {2}, {{"select_last_index", int64_t{1}}}},
      {"LogSoftmax", {floats({1, 2}, {1000, 1000})}, {-0.693147f, -0.693147f}},
      {"Hardmax", {floats({1, 3}, {1, 3, 3})}, {0, 1, 0}},
  });
}

TEST(Operators, Normalizations) {
  const Tensor x = floats({1, 2, 2}, {1, 3, 5, 9});
  expect_values({
      {"InstanceNormalization", {x, list({1, 2}), list({0, 1})}, {-1, 1, -1, 3}},
      {"GroupNormalization", {x, list({1, 1}), list({0, 0})}, {-1, 1, -1, 1}, {{"num_groups", int64_t{2}}}, 21},
      {"LayerNormalization", {x, list({1, 1}), list({0, 2})}, {-1, 3, -1, 3}},
      {"LpNormalization", {list({3, 4})}, {0.6f, 0.8f}},
      {"MeanVarianceNormalization", {list({1, 3})}, {-1, 1}, {{"axes", List{0}}}},
      {"LRN", {floats({1, 2, 1}, {1, 2})}, {0.25f, 0.153846f}, {{"size", int64_t{1}}, {"alpha", 3.0f}, {"beta", 1.0f}}},
  });
  expect_values({{"LRN",
                  {floats({1, 2, 1}, {1, 2})},
                  {1 / 6.0f, 2 / 6.0f},
                  {{"size", int64_t{3}}, {"alpha", 3.0f}, {"beta", 1.0f}}}});
}

TEST(Operators, BatchNormalizationMeasuresInTrainingMode) {
  const auto y = run_node("BatchNormalization", {floats({2, 1}, {1, 3}), list({1}), list({0}), list({0}), list({1})},
                          {{"training_mode", int64_t{1}}, {"momentum", 0.5f}}, 15, 3);
  EXPECT_NEAR(values(y[0])[0], -1, 1e-4);
  EXPECT_EQ(values(y[1]), std::vector<float>{1});  // 0 * 0.5 + 2 * 0.5
  EXPECT_EQ(values(y[2]), std::vector<float>{1});  // 1 * 0.5 + 1 * 0.5
}

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

TEST(Operators, Selection) {
  const Tensor x = floats({2, 3}, {3, 1, 2, 0, 5, 5});
  expect_values({
      {"TopK", {x, ints({2})}, {3, 2, 5, 5}},
      {"TopK", {x, ints({1})}, {1, 0}, {{"largest", int64_t{0}}}},
      {"NonZero", {x}, {0, 0, 0, 1, 1, 0, 1, 2, 1, 2}},
      {"Compress", {x, bools({0, 1})}, {0, 5, 5}, {{"axis", int64_t{0}}}},
      {"Compress", {x, bools({1, 0, 1})}, {3, 2}},
      {"Unique", {list({2, 1, 2})}, {1, 2}},
      {"Unique", {list({2, 1, 2})}, {2, 1}, {{"sorted", int64_t{0}}}},
      {"OneHot", {ints({1, -1}), ints({3}), list({0, 9})}, {0, 9, 0, 0, 0, 9}},
  });
  const auto top = run_node("TopK", {x, ints({2})}, {}, 18, 2);
  EXPECT_EQ(values<int64_t>(top[1]), (List{0, 2, 1, 2}));
  const auto unique = run_node("Unique", {list({2, 1, 2})}, {}, 18, 4);
  EXPECT_EQ(values<int64_t>(unique[1]), (List{1, 0}));
  EXPECT_EQ(values<int64_t>(unique[2]), (List{1, 0, 1}));
  EXPECT_EQ(values<int64_t>(unique[3]), (List{1, 2}));
}

/// Many values, few of them different, against a stable sort; NaN is the largest.
TEST(Operators, TopKOfMany) {
  constexpr int64_t kCount = 1000;
  std::vector<float> content;
  for (int64_t i = 0; i < kCount; ++i) content.push_back(static_cast<float>(i * 7919 % 37));
  content[100] = content[900] = std::numeric_limits<float>::quiet_NaN();
  const auto larger = [](float a, float b) { return a > b || (std::isnan(a) && !std::isnan(b)); };
  for (const int64_t largest : {0, 1}) {
    List order(kCount);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int64_t i, int64_t j) {
      const float a = content[static_cast<size_t>(i)], b = content[static_cast<size_t>(j)];
      return largest != 0 ? larger(a, b) : larger(b, a);
    });
    for (const int64_t k : {1, 2, 37, 400, 1000}) {
      const List want(order.begin(), order.begin() + k);
      const auto top = run_node("TopK", {list(content), ints({k})}, {{"largest", largest}}, 18, 2);
      EXPECT_EQ(values<int64_t>(top[1]), want) << "k " << k << ", largest " << largest;
    }
  }
}

TEST(Operators, GatherAndScatter) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  const auto index = [](Shape shape, std::vector<int64_t> values) { return Tensor::from<int64_t>(shape, values); };
  const std::string add = "add";
  expect_values({
      {"GatherElements", {x, index({2, 1}, {1, -2})}, {2, 3}, {{"axis", int64_t{1}}}},
      {"GatherND", {x, index({2, 2}, {0, 1, 1, 0})}, {2, 3}},
      {"GatherND", {x, index({2, 1}, {1, 0})}, {2, 3}, {{"batch_dims", int64_t{1}}}},
      {"ScatterElements", {x, index({1, 2}, {1, 0}), floats({1, 2}, {9, 8})}, {1, 8, 9, 4}},
      {"Scatter", {x, index({1, 1}, {-1}), floats({1, 1}, {9})}, {1, 2, 9, 4}, {}, 9},
      {"ScatterElements", {list({1, 1}), ints({0, 0}), list({2, 3})}, {6, 1}, {{"reduction", add}}},
      {"ScatterND", {x, index({1, 1}, {1}), floats({1, 2}, {9, 8})}, {1, 2, 9, 8}},
      {"ScatterND", {list({2}), index({2, 1}, {0, 0}), list({3, 4})}, {24}, {{"reduction", std::string("mul")}}},
  });
}

TEST(Operators, Arrangement) {
  const Tensor depth = counting({1, 4, 1, 2});
  expect_values({
      {"DepthToSpace", {depth}, {0, 2, 1, 3, 4, 6, 5, 7}, {{"blocksize", int64_t{2}}}},
      {"SpaceToDepth", {counting({1, 1, 2, 2})}, {0, 1, 2, 3}, {{"blocksize", int64_t{2}}}},
      {"Trilu", {counting({2, 2})}, {0, 1, 0, 3}},
      {"Trilu", {counting({2, 2}), ints({-1})}, {0, 0, 2, 0}, {{"upper", int64_t{0}}}},
      {"ReverseSequence", {counting({3, 1}), ints({2})}, {1, 0, 2}},
      {"CenterCropPad", {counting({4}), ints({2})}, {1, 2}},
      {"CenterCropPad", {list({1, 2}), ints({4})}, {0, 1, 2, 0}},
      {"Pad", {list({1, 2, 3}), ints({2, 1})}, {2, 3, 1, 2, 3, 1}, {{"mode", std::string("wrap")}}},
      {"Pad", {floats({1, 2}, {1, 2}), ints({1, 0}), Tensor(), ints({-1})}, {0, 1, 2}},
  });
  const auto parts = run_node("Split", {counting({5})}, {{"num_outputs", int64_t{2}}}, 18, 2);
  EXPECT_EQ(values(parts[1]), (std::vector<float>{3, 4}));
}

TEST(Operators, TransposedConvolution) {
  const Tensor x = floats({1, 1, 2}, {1, 2}), w = floats({1, 1, 2}, {1, 10});
  expect_values({
      {"ConvTranspose", {x, w}, {1, 12, 20}},
      {"ConvTranspose", {x, w, list({5})}, {6, 15, 7, 25}, {{"strides", List{2}}}},
      {"ConvTranspose", {x, w}, {12}, {{"pads", List{1, 1}}}},
      {"ConvTranspose", {x, w}, {1, 10, 2, 20, 0}, {{"strides", List{2}}, {"output_padding", List{1}}}},
  });
}

TEST(Operators, ResizeModes) {
  const Tensor x = list({0, 10, 20, 30});
  const std::string mode = "coordinate_transformation_mode";
  const auto resize = [&](std::vector<int64_t> sizes, std::map<std::string, ir::Attribute> attributes,
                          std::vector<float> expected, Tensor roi = Tensor()) {
    expect_values({{"Resize", {x, roi, Tensor(), ints(std::move(sizes))}, std::move(expected), std::move(attributes)}});
  };
  resize({8}, {{"mode", std::string("linear")}}, {0, 2.5f, 7.5f, 12.5f, 17.5f, 22.5f, 27.5f, 30});
  resize({2}, {{"mode", std::string("cubic")}}, {4.0625f, 25.9375f});
  resize({2}, {{"mode", std::string("linear")}, {"antialias", int64_t{1}}}, {6.25f, 23.75f});
  resize({4},
         {{"mode", std::string("linear")}, {mode, std::string("tf_crop_and_resize")}, {"extrapolation_value", 7.0f}},
         {15, 25, 7, 7}, list({0.5f, 1.5f}));
  expect_values({{"Resize",
                  {counting({2, 4}), Tensor(), Tensor(), ints({1, 4})},
                  {0, 2},
                  {{"keep_aspect_ratio_policy", std::string("not_larger")},
                   {mode, std::string("asymmetric")},
                   {"nearest_mode", std::string("floor")}}}});
  expect_values({{"Resize", {counting({1, 2}), Tensor(), floats({1}, {2})}, {0, 0, 1, 1}, {{"axes", List{-1}}}}});
  // The common scale 1.25, though the first axis goes from 2 to 3.
  expect_values({{"Resize",
                  {counting({2, 4}), Tensor(), Tensor(), ints({3, 5})},
                  {0, 0.7f, 1.5f, 2.3f, 3, 2.8f, 3.5f, 4.3f, 5.1f, 5.8f, 4, 4.7f, 5.5f, 6.3f, 7},
                  {{"mode", std::string("linear")}, {"keep_aspect_ratio_policy", std::string("not_larger")}}}});
  // By a scale that yields 1.5 numbers of 2 and 7.5 of 10: PyTorch's interpolate(scale_factor=.75, align_corners=True).
  expect_values({{"Resize",
                  {counting({10}), Tensor(), list({0.75f})},
                  {0, 1.5f, 3, 4.5f, 6, 7.5f, 9},
                  {{"mode", std::string("linear")}, {mode, std::string("align_corners")}}}});
}

TEST(Operators, RoiAlignOfRegionsWithoutArea) {
  const Tensor map = floats({1, 1, 2, 2}, {5, 5, 5, 5}), region = floats({1, 4}, {1, 1, 1, 1});
  for (const char* mode : {"avg", "max"})
    expect_values({{"RoiAlign", {map, region, ints({0})}, {0}, {{"mode", std::string(mode)}}}});
}

TEST(Operators, ResizeOfWholeNumbers) {
  const auto resized = [](std::vector<uint8_t> x, int64_t antialias) {
    const Tensor bytes = Tensor::from<uint8_t>({static_cast<int64_t>(x.size())}, x);
    return values<uint8_t>(run_node("Resize", {bytes, Tensor(), Tensor(), ints({2})},
                                    {{"mode", std::string("linear")}, {"antialias", antialias}}, 18)[0]);
  };
  EXPECT_EQ(resized({0, 1, 3, 250}, 1), (std::vector<uint8_t>{1, 126}));  // 0.75: rounded
  EXPECT_EQ(resized({0, 1, 3, 250}, 0), (std::vector<uint8_t>{0, 126}));  // 0.5, 126.5: cut off
}

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

TEST(Operators, ShiftsOfSignedNumbers) {
  const auto numbers = [](std::vector<int8_t> values) {
    return Tensor::from<int8_t>({static_cast<int64_t>(values.size())}, values);
  };
  const std::map<std::string, ir::Attribute> left{{"direction", std::string("LEFT")}},
      right{{"direction", std::string("RIGHT")}};
  const Tensor x = numbers({-8, 100, -1, 5, -5, 1}), by = numbers({1, 1, 9, -1, -1, 7});
  expect_values({{"BitShift", {x, by}, {-4, 50, -1, 0, -1, 0}, right, 28},
                 {"BitShift", {x, by}, {-16, -56, 0, 0, 0, -128}, left, 28}});
  EXPECT_THROW(run_node("BitShift", {x, by}, right, 22), Error);
}

/// Types that opset 23 lets a file choose.
TEST(Operators, QuantizationInOtherTypes) {
  const int64_t kFloat16 = 10;
  const Tensor bytes = Tensor::from<uint8_t>({2}, std::vector<uint8_t>{3, 200});
  const Tensor half = run_node("DequantizeLinear", {bytes, floats({}, {0.1f})}, {{"output_dtype", kFloat16}}, 23)[0];
  EXPECT_EQ(half.dtype(), DType::kF16);
  EXPECT_NEAR(values(half.to(DType::kF32))[1], 20, 1e-2);
  // 2.50025 in float32, 2.5 in float16, and halves go to the even number.
  const Tensor x = list({2.5f}), scale = list({0.9999f});
  expect_values({{"QuantizeLinear", {x, scale}, {3}, {}, 23},
                 {"QuantizeLinear", {x, scale}, {2}, {{"precision", kFloat16}}, 23}});
  EXPECT_THROW(run_node("QuantizeLinear", {x, scale}, {{"precision", int64_t{11}}}, 23), Error);
  EXPECT_THROW(run_node("DequantizeLinear", {bytes, floats({}, {1})}, {{"output_dtype", int64_t{2}}}, 23), Error);
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

TEST(Operators, Quantization) {
  const auto bytes = [](std::vector<uint8_t> values) {
    return Tensor::from<uint8_t>({static_cast<int64_t>(values.size())}, values);
  };
  const Tensor scale = floats({}, {2}), zero = Tensor::scalar<uint8_t>(10);
  expect_values({
      {"QuantizeLinear", {list({0, 3, 5, 1000, -1000}), scale, zero}, {10, 12, 12, 255, 0}},
      {"QuantizeLinear", {floats({2, 2}, {2, 4, 8, 12}), list({2, 4})}, {1, 2, 2, 3}, {{"axis", int64_t{0}}}},
      {"DequantizeLinear", {bytes({10, 12}), scale, zero}, {0, 4}},
      // One for all is a scalar or a list of one; ONNX Runtime's quantizer writes the scale so and the zero point so.
      {"QuantizeLinear", {list({0, 3, 5, 1000, -1000}), list({2}), zero}, {10, 12, 12, 255, 0}},
      {"QuantizeLinear", {list({0, 3}), scale, bytes({10})}, {10, 12}},
      {"QuantizeLinear", {list({0, 3}), list({2}), bytes({10})}, {10, 12}},
      {"QuantizeLinear", {list({0, 3}), list({2})}, {0, 2}},
      {"DequantizeLinear", {bytes({10, 12}), list({2}), zero}, {0, 4}},
      {"DequantizeLinear", {bytes({10, 12}), scale, bytes({10})}, {0, 4}},
      {"DequantizeLinear",
       {Tensor::from<int32_t>({2}, std::vector<int32_t>{-3, 500}), list({2}), Tensor::scalar(0)},
       {-6, 1000}},
      {"DequantizeLinear",
       {Tensor::from<int8_t>({2, 2}, std::vector<int8_t>{1, 2, 3, 4}), list({2, 10}),
        Tensor::from<int8_t>({2}, std::vector<int8_t>{1, 2})},
       {0, 2, 10, 20},
       {{"axis", int64_t{0}}}},
      {"DynamicQuantizeLinear", {list({0, 2, -3, -2.5f, 1.34f, 0.5f})}, {153, 255, 0, 26, 221, 179}},
      {"ConvInteger",
       {Tensor::from<uint8_t>({1, 1, 2}, std::vector<uint8_t>{1, 2}),
        Tensor::from<uint8_t>({1, 1, 2}, std::vector<uint8_t>{3, 4}), Tensor::scalar<uint8_t>(1)},
       {4}},
  });
}

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

TEST(Operators, SumsOfProducts) {
  expect_values({
      {"CumSum", {list({1, 2, 3}), ints({0})}, {1, 3, 6}},
      {"CumSum", {list({1, 2, 3}), ints({0})}, {5, 3, 0}, {{"exclusive", int64_t{1}}, {"reverse", int64_t{1}}}},
      {"EyeLike", {counting({2, 3})}, {0, 1, 0, 0, 0, 1}, {{"k", int64_t{1}}}},
      {"Einsum", {counting({2, 2}), counting({2, 2})}, {2, 3, 6, 11}, {{"equation", std::string("ij,jk->ik")}}},
      {"Einsum", {counting({2, 2})}, {3}, {{"equation", std::string("ii")}}},
      {"Einsum", {counting({2, 1, 2}), list({1, 2})}, {2, 8}, {{"equation", std::string("...i,i->...")}}},
  });
}

TEST(Operators, HalvesAreRoundedOnce) {
  const Tensor half = Tensor::from<float>({2}, std::vector<float>{1, 2048}).to(DType::kF16);
  const Tensor sum = run_node("Add", {half, half}, {}, 18)[0];
  EXPECT_EQ(sum.dtype(), DType::kF16);
  EXPECT_EQ(values(sum.to(DType::kF32)), (std::vector<float>{2, 4096}));
  const Tensor mean = run_node("ReduceMean", {half.to(DType::kBF16)}, {}, 18)[0];
  EXPECT_EQ(mean.dtype(), DType::kBF16);
}

TEST(Operators, DropoutKeepsEverything) {
  const auto y = run_node("Dropout", {list({1, 2})}, {}, 13, 2);
  EXPECT_EQ(values(y[0]), (std::vector<float>{1, 2}));
  EXPECT_EQ(values<bool>(y[1]), (std::vector<bool>{true, true}));
}

}  // namespace
}  // namespace effdet::ops
