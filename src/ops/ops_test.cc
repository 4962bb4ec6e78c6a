// Values of the reference kernels, worked out by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

using Floats = std::vector<float>;

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

TEST(BatchNormalization, PerChannel) {
  const Tensor y = run_node("BatchNormalization",
                            {floats({1, 2, 1, 2}, {1, 2, 3, 4}), floats({2}, {2, 3}), floats({2}, {1, 0}),
                             floats({2}, {1, 3}), floats({2}, {4, 9})},
                            {{"epsilon", 0.0f}})[0];
  EXPECT_EQ(values(y), (Floats{1, 2, 0, 1}));
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

TEST(Elementwise, Broadcasts) {
  const Tensor a = counting({2, 3}), row = floats({3}, {10, 20, 30}), column = floats({2, 1}, {100, 200});
  EXPECT_EQ(values(run_node("Add", {a, row})[0]), (Floats{10, 21, 32, 13, 24, 35}));
  EXPECT_EQ(values(run_node("Sum", {a, row, column})[0]), (Floats{110, 121, 132, 213, 224, 235}));
  EXPECT_EQ(values(run_node("Sub", {row, column})[0]), (Floats{-90, -80, -70, -190, -180, -170}));
  EXPECT_EQ(run_node("Mul", {floats({}, {2}), a})[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(values<bool>(run_node("Less", {a, floats({}, {2})})[0]),
            (std::vector<bool>{true, true, false, false, false, false}));
}

TEST(Elementwise, IntegersWrapAndZeroDivisorsAreErrors) {
  constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(values<int64_t>(run_node("Sub", {ints({kLowest}), ints({1})})[0])[0], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(values<int64_t>(run_node("Div", {ints({kLowest}), ints({-1})})[0])[0], kLowest);
  EXPECT_EQ(values<int64_t>(run_node("Abs", {ints({kLowest})})[0])[0], kLowest);
  EXPECT_THROW(run_node("Div", {ints({1}), ints({0})}), Error);
}

TEST(Elementwise, NarrowIntegersWrapInTheirOwnType) {
  const auto bytes = [](std::vector<int64_t> values) { return ints(std::move(values)).to(DType::kI8); };
  EXPECT_EQ(values<int8_t>(run_node("Add", {bytes({100, -100}), bytes({100})})[0]), (std::vector<int8_t>{-56, 0}));
  EXPECT_EQ(values<int8_t>(run_node("Div", {bytes({-128}), bytes({-1})})[0])[0], -128);
  EXPECT_EQ(values<int8_t>(run_node("Max", {bytes({-3, 5}), bytes({2}), bytes({4})}, {}, 12)[0]),
            (std::vector<int8_t>{4, 5}));
  EXPECT_EQ(values<uint8_t>(run_node("Sub", {ints({1}).to(DType::kU8), ints({2}).to(DType::kU8)})[0])[0], 255);
  EXPECT_EQ(values<bool>(run_node("Less", {bytes({-1}), bytes({0})})[0])[0], true);
}

TEST(Elementwise, BoolsCompareButDoNotAdd) {
  const Tensor bools = ints({0, 1}).to(DType::kBool);
  EXPECT_EQ(values<bool>(run_node("And", {bools, bools})[0]), (std::vector<bool>{false, true}));
  EXPECT_EQ(values<bool>(run_node("Equal", {bools, ints({0}).to(DType::kBool)})[0]), (std::vector<bool>{true, false}));
  for (const char* op : {"Add", "Sum", "Neg", "ReduceSum"}) {
    std::vector<Tensor> inputs(op == std::string("Add") ? 2 : 1, bools);
    EXPECT_THROW(run_node(op, inputs), Error) << op;
  }
}

TEST(Where, MovesElementsOfAnyType) {
  const Tensor choose = ints({1, 0}).to(DType::kBool), x = floats({2}, {1, 2}), y = floats({1}, {-1});
  EXPECT_EQ(values(run_node("Where", {choose, x, y})[0]), (Floats{1, -1}));
  const Tensor halves = run_node("Where", {choose, x.to(DType::kF16), y.to(DType::kF16)})[0];
  EXPECT_EQ(values(halves.to(DType::kF32)), (Floats{1, -1}));
}

TEST(Range, CountsInItsOwnType) {
  const auto scalar = [](int64_t value) { return Tensor::scalar(value).to(DType::kI16); };
  EXPECT_EQ(values<int16_t>(run_node("Range", {scalar(5), scalar(-4), scalar(-4)})[0]),
            (std::vector<int16_t>{5, 1, -3}));
}

TEST(Clip, IntegersKeepTheirRange) {
  const Tensor x = ints({-100, 7, 100}).to(DType::kI8), low = Tensor::scalar<int64_t>(-1).to(DType::kI8);
  EXPECT_EQ(values<int8_t>(run_node("Clip", {x, low}, {}, 12)[0]), (std::vector<int8_t>{-1, 7, 100}));
}

TEST(Cast, FloatsBeyondAnIntegerBecomeTheNearest) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Tensor x = floats({4}, {1e30f, -kInfinity, std::nanf(""), -2.7f});
  EXPECT_EQ(values<int64_t>(x.to(DType::kI64)),
            (List{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), 0, -2}));
  EXPECT_EQ(values<uint8_t>(x.to(DType::kU8)), (std::vector<uint8_t>{255, 0, 0, 0}));
  EXPECT_EQ(values(x.to(DType::kF64).to(DType::kF32))[0], 1e30f);
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

TEST(Reduce, AxesAsAttributeAndInput) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(values(run_node("ReduceSum", {x}, {{"axes", List{0}}, {"keepdims", int64_t{0}}})[0]), (Floats{3, 5, 7}));
  EXPECT_EQ(values(run_node("ReduceSum", {x, ints({-1})}, {}, 13)[0]), (Floats{3, 12}));
  EXPECT_EQ(values(run_node("ReduceMean", {x})[0]), (Floats{2.5f}));
  EXPECT_EQ(values(run_node("ReduceMax", {x}, {{"axes", List{1}}})[0]), (Floats{2, 5}));
  EXPECT_EQ(values(run_node("ReduceProd", {x}, {{"axes", List{1}}})[0]), (Floats{0, 60}));
}

TEST(Reduce, UnsignedKeepTheirRange) {
  const Tensor x = ints({-1, 5}).to(DType::kU64);  // the largest
  EXPECT_EQ(values<uint64_t>(run_node("ReduceMax", {x})[0])[0], std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(values<uint64_t>(run_node("ReduceMin", {x})[0])[0], 5u);
}

TEST(Softmax, FlattensBeforeOpset13) {
  const Tensor x = floats({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(values(run_node("Softmax", {x}, {}, 11)[0])[0], 0.25f);
  EXPECT_EQ(values(run_node("Softmax", {x}, {}, 13)[0])[0], 0.5f);
}

TEST(Resize, NearestAndLinear) {
  const Tensor x = floats({1, 1, 1, 2}, {1, 3}), none;
  const Tensor scales = floats({4}, {1, 1, 1, 2});
  const auto mode = [](const std::string& m, const std::string& c) {
    return std::map<std::string, ir::Attribute>{{"mode", m}, {"coordinate_transformation_mode", c}};
  };
  EXPECT_EQ(values(run_node("Resize", {x, none, scales}, mode("nearest", "half_pixel"))[0]), (Floats{1, 1, 3, 3}));
  EXPECT_EQ(values(run_node("Resize", {x, none, scales}, mode("linear", "half_pixel"))[0]), (Floats{1, 1.5f, 2.5f, 3}));
  EXPECT_EQ(values(run_node("Resize", {x, none, scales}, mode("linear", "asymmetric"))[0]), (Floats{1, 2, 3, 3}));
  EXPECT_EQ(values(run_node("Resize", {x, none, none, ints({1, 1, 1, 3})}, mode("linear", "align_corners"))[0]),
            (Floats{1, 2, 3}));
  EXPECT_EQ(values(run_node("Upsample", {x, scales}, {}, 9)[0]), (Floats{1, 1, 3, 3}));
}

TEST(Pad, Modes) {
  const Tensor x = floats({1, 3}, {1, 2, 3}), pads = ints({0, 2, 0, 1});
  EXPECT_EQ(values(run_node("Pad", {x, pads, floats({}, {9})})[0]), (Floats{9, 9, 1, 2, 3, 9}));
  EXPECT_EQ(values(run_node("Pad", {x, pads}, {{"mode", std::string("edge")}})[0]), (Floats{1, 1, 1, 2, 3, 3}));
  EXPECT_EQ(values(run_node("Pad", {x, pads}, {{"mode", std::string("reflect")}})[0]), (Floats{3, 2, 1, 2, 3, 2}));
  EXPECT_EQ(values(run_node("Pad", {x, ints({0, -1, 0, 0})})[0]), (Floats{2, 3}));
}

TEST(Slice, NumpyRules) {
  const Tensor x = counting({5});
  const auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return values(run_node("Slice", {x, ints({start}), ints({end}), ints({0}), ints({step})})[0]);
  };
  EXPECT_EQ(slice(1, -1, 1), (Floats{1, 2, 3}));
  EXPECT_EQ(slice(-1, std::numeric_limits<int64_t>::min(), -2), (Floats{4, 2, 0}));
  EXPECT_EQ(slice(3, 1, 1), Floats{});
  EXPECT_EQ(slice(0, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()), Floats{0});
}

TEST(Layout, MovesElements) {
  EXPECT_EQ(values(run_node("Transpose", {counting({2, 3})})[0]), (Floats{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values(run_node("Concat", {counting({1, 2}), counting({1, 1})}, {{"axis", int64_t{1}}})[0]),
            (Floats{0, 1, 0}));
  const auto parts = run_node("Split", {counting({1, 3})}, {{"axis", int64_t{1}}, {"split", List{1, 2}}}, 11, 2);
  EXPECT_EQ(values(parts[1]), (Floats{1, 2}));
  EXPECT_EQ(values(run_node("Gather", {counting({3, 2}), ints({-1, 0})})[0]), (Floats{4, 5, 0, 1}));
  EXPECT_EQ(values(run_node("Tile", {counting({1, 2}), ints({2, 2})})[0]), (Floats{0, 1, 0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(values(run_node("Expand", {counting({2, 1}), ints({1, 2})})[0]), (Floats{0, 0, 1, 1}));
  EXPECT_EQ(run_node("Reshape", {counting({2, 6}), ints({0, 3, -1})})[0].shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(run_node("Unsqueeze", {counting({2})}, {{"axes", List{0, 2}}})[0].shape(), (Shape{1, 2, 1}));
  EXPECT_EQ(run_node("Squeeze", {counting({1, 2, 1}), ints({0})}, {}, 13)[0].shape(), (Shape{2, 1}));
}

TEST(MatMul, VectorsMatricesAndBatches) {
  EXPECT_EQ(values(run_node("MatMul", {floats({1, 2}, {1, 2}), floats({2, 1}, {3, 4})})[0]), Floats{11});
  EXPECT_EQ(run_node("MatMul", {counting({3}), counting({3})})[0].shape(), Shape{});
  EXPECT_EQ(run_node("MatMul", {counting({5, 1, 2, 3}), counting({4, 3, 2})})[0].shape(), (Shape{5, 4, 2, 2}));
  EXPECT_EQ(values(run_node("Gemm", {floats({2, 1}, {1, 2}), floats({2, 1}, {3, 4}), floats({1}, {10})},
                            {{"transA", int64_t{1}}, {"alpha", 2.0f}})[0]),
            Floats{32});
}

TEST(RunReference, FreesAndReturnsInOrder) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2});
  const auto a = graph.add_node("Neg", "a", {x}), b = graph.add_node("Exp", "b", {a});
  graph.outputs = {b, a};
  infer_shapes(graph);
  const Tensor input = floats({2}, {0, 1});
  const auto outputs = run_reference(graph, {&input, 1});
  EXPECT_EQ(values(outputs[1]), (Floats{0, -1}));
  EXPECT_FLOAT_EQ(values(outputs[0])[1], std::exp(-1.0f));
  const Tensor wrong = floats({3}, {0, 1, 2});
  EXPECT_THROW(run_reference(graph, {&wrong, 1}), Error);
}

}  // namespace
}  // namespace effdet::ops
