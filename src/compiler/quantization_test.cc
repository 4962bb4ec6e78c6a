// Graphs of QuantizeLinear and DequantizeLinear become programs on codes.
#include "compiler/match.h"
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

/// Layers and maps as quantizers write them.
struct QuantizedBuilder : Builder {
  using Builder::Builder;
  DType codes = DType::kU8;
  bool rounds_maps = true;

  ir::ValueId scalar(const std::string& name, float value) { return constant(name, floats({}, {value})); }

  /// A map rounded to codes and back; the zero point is that of uint8.
  ir::ValueId rounded(const std::string& name, ir::ValueId x, float scale, int zero_point) {
    if (!rounds_maps) return x;
    const auto step = scalar(name + ".scale", scale);
    const Tensor zero = codes == DType::kU8 ? Tensor::scalar(static_cast<uint8_t>(zero_point))
                                            : Tensor::scalar(static_cast<int8_t>(zero_point - 128));
    const auto zero_id = constant(name + ".zero", zero);
    return node("DequantizeLinear", name + ".dq",
                {node("QuantizeLinear", name + ".q", {x, step, zero_id}), step, zero_id});
  }

  /// A layer of int8 weights with a scale for each output channel.
  ir::ValueId layer(const std::string& name, ir::ValueId in, const Shape& weights, Attributes attributes = {}) {
    Tensor w(DType::kI8, weights), scales(DType::kF32, {weights[0]});
    const auto first = static_cast<size_t>(name[0]);  // layers differ: those that do not become one
    for (size_t i = 0; i < w.data<int8_t>().size(); ++i)
      w.mutable_data<int8_t>()[i] = static_cast<int8_t>(static_cast<int>((first + i * 37) % 255) - 127);
    for (size_t i = 0; i < scales.data<float>().size(); ++i)
      scales.mutable_data<float>()[i] = 0.002f + 0.0004f * static_cast<float>(i);
    const auto zeros = constant(name + ".zero", Tensor(DType::kI8, {weights[0]}));
    const auto w_id = node("DequantizeLinear", name + ".dw",
                           {constant(name + ".w", w), constant(name + ".ws", scales), zeros}, {{"axis", int64_t{0}}});
    const int64_t pad = weights[2] / 2;
    attributes.try_emplace("pads", Ints{pad, pad, pad, pad});
    return node("Conv", name, {in, w_id, constant(name + ".b", waves({weights[0]}, 1))}, std::move(attributes));
  }
};

/// A network with everything that an EfficientDet has: stem in float, block, pyramid node, head.
ir::Graph quantized_network(DType codes = DType::kU8, bool rounds_maps = true) {
  QuantizedBuilder b({2, 3, 16, 16});
  b.graph.opset = 13;
  b.codes = codes;
  b.rounds_maps = rounds_maps;
  const auto stem =
      b.rounded("stem.r", b.swish("stem.act", b.conv("stem", b.x, {8, 3, 3, 3}, {{"strides", Ints{2, 2}}})), 0.02f, 14);
  const auto wide = b.rounded("wide.r", b.swish("wide.act", b.layer("wide", stem, {24, 8, 1, 1})), 0.03f, 10);
  const auto deep = b.rounded(
      "deep.r", b.swish("deep.act", b.layer("deep", wide, {24, 1, 3, 3}, {{"group", int64_t{24}}})), 0.02f, 14);
  const auto mean = b.node("GlobalAveragePool", "mean", {deep});
  const auto gate =
      b.node("Sigmoid", "gate", {b.conv("expand", b.swish("r", b.conv("reduce", mean, {2, 24, 1, 1})), {24, 2, 1, 1})});
  const auto gated = b.rounded("gated.r", b.node("Mul", "m", {deep, gate}), 0.012f, 20);
  const auto block =
      b.rounded("block.r", b.node("Add", "block", {b.layer("project", gated, {8, 24, 1, 1}), stem}), 0.03f, 128);
  const auto pooled = b.rounded("pool.r", b.pool("p", block, {1, 1, 1, 1}), 0.03f, 128);
  const auto up = b.rounded("up.r", b.up("up", pooled, 2), 0.03f, 128);
  const auto sum = b.node("Add", "mix", {b.scale("s0", block, 0.7f), b.scale("s1", up, 0.4f)});
  const auto mixed = b.rounded("mix.r", b.swish("mix.act", sum), 0.03f, 12);
  b.graph.outputs = {b.layer("head", mixed, {5, 8, 1, 1})};
  return b.graph;
}

void expect_near(const ir::Graph& graph, const artifact::Program& program, double tolerance) {
  ir::Graph inferred = graph;
  ops::infer_shapes(inferred);
  const std::vector<Tensor> inputs = random_inputs(inferred);
  const Tensor want = ops::run_reference(inferred, inputs).at(0);
  EXPECT_LT(difference(run(program, inputs, true).at(0), want), tolerance) << "reference kernels";
  EXPECT_LT(difference(run(program, inputs).at(0), want), tolerance) << "the processor's kernels";
}

TEST(Quantization, ANetworkRunsOnCodes) {
  const ir::Graph graph = quantized_network();
  const artifact::Program program = compile(graph);
  for (const char* op : {"QuantizeLinear", "DequantizeLinear", "Quantize", "Dequantize", "Resize", "Mul", "Cast"})
    EXPECT_EQ(count_of(program.graph, op), 0) << op;
  EXPECT_EQ(count_of(program.graph, "Gate"), 1);
  EXPECT_EQ(count_of(program.graph, "SqueezeExcite"), 1);
  int codes = 0;
  for (const ir::Node& node : program.graph.nodes) codes += program.graph.value(node.outputs[0]).dtype == DType::kU8;
  EXPECT_EQ(codes, 7) << ir::to_text(program.graph);
  // Roundings that fall otherwise: a step of the last map is 0.03.
  expect_near(graph, program, 0.02);
}

TEST(Quantization, Int8AndUint8AreTheSameProgram) {
  const artifact::Program as_int8 = compile(quantized_network(DType::kI8));
  EXPECT_EQ(lines(as_int8.graph), lines(compile(quantized_network()).graph));
  expect_near(quantized_network(DType::kI8), as_int8, 0.02);
}

TEST(Quantization, FloatsBesideCodesBecomeBfloat16) {
  const ir::Graph graph = quantized_network();
  const artifact::Program program = compile(graph, {.precision = Precision::kBfloat16});
  EXPECT_EQ(count_of(program.graph, "Dequantize"), 0);
  expect_near(graph, program, 0.03);
}

TEST(Quantization, WeightsAloneStayInt8) {
  const ir::Graph graph = quantized_network(DType::kU8, false);
  const artifact::Program program = compile(graph);
  int scaled = 0;
  for (const ir::Node& node : program.graph.nodes) scaled += has_weight_scale(node);
  EXPECT_EQ(scaled, 4) << ir::to_text(program.graph);
  expect_near(graph, program, 1e-5);
}

/// What quantization-aware training exports: the batch norm's scale is in the weights, taken out of the products, and
/// put in again. One channel's factor is negative, one's is 0.
TEST(Quantization, BatchNormsGoIntoScalesAndBias) {
  QuantizedBuilder b({1, 8, 6, 6});
  b.graph.opset = 13;
  const auto norm = [&](const std::string& name, ir::ValueId x) {
    std::vector<float> gamma, mean, ones(8, 1);
    for (int c = 0; c < 8; ++c) gamma.push_back(0.3f * static_cast<float>(c - 2)), mean.push_back(0.1f * gamma.back());
    return b.node("BatchNormalization", name,
                  {x, b.constant(name + ".g", floats({8}, gamma)), b.constant(name + ".b", waves({8}, 3)),
                   b.constant(name + ".m", floats({8}, mean)), b.constant(name + ".v", floats({8}, ones))});
  };
  const auto divided = b.node("Div", "div",
                              {b.layer("conv", b.rounded("x", b.x, 0.02f, 128), {8, 8, 1, 1}),
                               b.constant("factors", floats({1, 8, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8}))});
  const auto first = b.rounded("first", b.node("Relu", "relu", {norm("bn", divided)}), 0.02f, 3);
  const auto depthwise = norm("bn2", b.layer("depthwise", first, {8, 1, 3, 3}, {{"group", int64_t{8}}}));
  b.graph.outputs = {b.layer("last", b.rounded("second", depthwise, 0.02f, 100), {8, 8, 1, 1})};
  const artifact::Program program = compile(b.graph);
  for (const char* op : {"Mul", "Add", "Div", "BatchNormalization", "Elementwise", "Dequantize"})
    EXPECT_EQ(count_of(program.graph, op), 0) << op;
  EXPECT_EQ(count_of(program.graph, "Quantize"), 1) << "of the input: " << ir::to_text(program.graph);
  for (const ir::Node& node : program.graph.nodes) EXPECT_FALSE(has_steps(node)) << node.name;
  expect_near(b.graph, program, 0.02);
}

/// -128 has no counterpart in int8.
TEST(Quantization, ABatchNormThatDoesNotGoIntoScalesStays) {
  QuantizedBuilder b({1, 2, 4, 4});
  Tensor w(DType::kI8, {2, 2, 1, 1});
  std::ranges::fill(w.mutable_data<int8_t>(), int8_t{-128});
  const auto weights = b.node("DequantizeLinear", "dw", {b.constant("w", w), b.scalar("ws", 0.01f)});
  const auto conv = b.node("Conv", "conv", {b.rounded("x", b.x, 0.02f, 128), weights});
  const auto negated = b.node("Mul", "negated", {conv, b.scalar("minus", -1)});
  b.graph.outputs = {b.node("Relu", "relu", {b.node("Sub", "sub", {negated, b.scalar("half", 0.5f)})})};
  expect_near(b.graph, compile(b.graph), 1e-5);
}

/// Weights of uint8, whose zero point is not in the middle, and a constant of an elementwise operator.
TEST(Quantization, CodesThatNoLayerTakesAreFloatsBeforeFusion) {
  QuantizedBuilder b({1, 8, 6, 6});
  Tensor w(DType::kU8, {8, 8, 3, 3});
  for (size_t i = 0; i < w.data<uint8_t>().size(); ++i) w.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(i * 37);
  const auto weights =
      b.node("DequantizeLinear", "dw",
             {b.constant("w", w), b.scalar("ws", 0.01f), b.constant("wz", Tensor::scalar<uint8_t>(90))});
  const auto factor =
      b.node("DequantizeLinear", "df", {b.constant("f", Tensor::scalar<int8_t>(50)), b.scalar("fs", 0.01f)});
  const auto conv = b.node("Conv", "conv", {b.rounded("x", b.x, 0.02f, 128), weights}, {{"pads", Ints{1, 1, 1, 1}}});
  b.graph.outputs = {b.node("Add", "sum", {b.node("Mul", "half", {conv, factor}), b.x})};
  const artifact::Program program = compile(b.graph);
  EXPECT_EQ(count_of(program.graph, "DequantizeLinear"), 0);
  for (const ir::Node& node : program.graph.nodes) EXPECT_FALSE(node.is("Conv")) << "with weights that nobody packed";
  expect_near(b.graph, program, 1e-5);
}

/// The pool reads and makes codes: no operator between QuantizeLinear and DequantizeLinear says what they stand for.
TEST(Quantization, OperatorsThatMoveCodesHaveALayoutToo) {
  QuantizedBuilder b({1, 8, 8, 8});
  const auto step = b.scalar("s", 0.05f), zero = b.constant("z", Tensor::scalar<uint8_t>(100));
  const auto codes =
      b.node("QuantizeLinear", "q", {b.layer("a", b.rounded("x", b.x, 0.02f, 128), {8, 8, 1, 1}), step, zero});
  const auto pooled = b.pool("pool", codes, {1, 1, 1, 1});
  b.graph.outputs = {b.layer("b", b.node("DequantizeLinear", "d", {pooled, step, zero}), {8, 8, 1, 1})};
  const artifact::Program program = compile(b.graph);
  EXPECT_EQ(count_of(program.graph, "Transpose"), 1) << ir::to_text(program.graph);
  EXPECT_EQ(count_of(program.graph, "Quantize"), 1) << "of the input";
  expect_near(b.graph, program, 0.02);
}

TEST(Quantization, RoundingThatChangesNothingGoes) {
  QuantizedBuilder b({1, 4, 8, 8});
  const auto x = b.rounded("x", b.x, 0.1f, 3);
  b.graph.outputs = {b.node("Relu", "same", {b.rounded("a", b.pool("p", x, {1, 1, 1, 1}), 0.1f, 3)}),
                     b.node("Relu", "other", {b.rounded("b", b.pool("q", x, {1, 1, 1, 1}), 0.2f, 3)})};
  ops::infer_shapes(b.graph);
  take_quantization(b.graph);
  EXPECT_EQ(count_of(b.graph, "Quantize"), 2) << lines(b.graph);
  EXPECT_EQ(count_of(b.graph, "Dequantize"), 2) << lines(b.graph);
}

/// A swish whose parts are rounded one by one, as ONNX Runtime's quantizer does it.
TEST(Quantization, ElementwiseOperatorsOnCodesBecomeATable) {
  QuantizedBuilder b({1, 8, 6, 6});
  const auto conv = b.rounded("conv.r", b.layer("conv", b.rounded("x", b.x, 0.02f, 128), {8, 8, 1, 1}), 0.03f, 120);
  const auto gate = b.rounded("gate.r", b.node("Sigmoid", "gate", {conv}), 1.0f / 255, 0);
  const auto swish = b.rounded("swish.r", b.node("Mul", "swish", {conv, gate}), 0.02f, 20);
  b.graph.outputs = {b.layer("last", swish, {8, 8, 1, 1})};
  const artifact::Program program = compile(b.graph);
  EXPECT_EQ(count_of(program.graph, "Table"), 1) << ir::to_text(program.graph);
  EXPECT_EQ(count_of(program.graph, "Activation") + count_of(program.graph, "Elementwise"), 0);
  EXPECT_EQ(count_of(program.graph, "Quantize"), 1);
  expect_near(b.graph, program, 0.01);
}

/// Each node of a chain is rounded: to look through the whole chain for each would take minutes.
TEST(Quantization, LongChainsBecomeNoTables) {
  constexpr int kNodes = 20000;
  const auto fused = std::string(ir::kFusedDomain);
  ir::Graph graph;
  graph.opset = 13;
  const auto codes = graph.add_input("x", DType::kU8, {1, 1, 1, 4});
  auto value = graph.add_node("Dequantize", "d", {codes}, {{"x_scale", 0.1f}, {"x_zero_point", int64_t{3}}}, fused);
  for (int i = 0; i < kNodes; ++i) {
    value = graph.add_node("Activation", fmt::format("a{}", i), {value}, {{"activation", "relu"}}, fused);
    graph.outputs.push_back(graph.add_node("Quantize", fmt::format("q{}", i), {value},
                                           {{"y_scale", 0.1f}, {"y_zero_point", int64_t{3}}}, fused));
  }
  ops::infer_shapes(graph);
  fuse_tables(graph);
  EXPECT_EQ(count_of(graph, "Table"), 63) << "and the Dequantize";
  EXPECT_EQ(count_of(graph, "Quantize"), kNodes - 63);
}

TEST(Quantization, WhatOthersReadStaysFloat) {
  QuantizedBuilder b({1, 8, 6, 6});
  const auto x = b.rounded("x", b.x, 0.02f, 128);
  const auto both = b.layer("both", x, {8, 8, 1, 1});    // rounded by one reader, and read as it is by the caller
  const auto twice = b.layer("twice", x, {8, 8, 1, 1});  // rounded to two grids
  b.graph.outputs = {both, b.layer("a", b.rounded("both.r", both, 0.02f, 128), {8, 8, 1, 1}),
                     b.node("Add", "sum",
                            {b.layer("c", b.rounded("t1", twice, 0.02f, 128), {8, 8, 1, 1}),
                             b.layer("d", b.rounded("t2", twice, 0.03f, 100), {8, 8, 1, 1})})};
  const artifact::Program program = compile(b.graph);
  EXPECT_EQ(count_of(program.graph, "Quantize"), 4) << ir::to_text(program.graph);
  expect_near(b.graph, program, 0.01);
}

TEST(Quantization, CodesThatTheCallerReadsKeepTheirName) {
  QuantizedBuilder b({1, 8, 6, 6});
  const auto step = b.scalar("s", 0.05f), zero = b.constant("z", Tensor::scalar<uint8_t>(100));
  const auto x = b.rounded("x", b.x, 0.02f, 128);
  b.graph.outputs = {b.node("QuantizeLinear", "q", {b.layer("a", x, {8, 8, 1, 1}), step, zero})};
  b.graph.value(b.graph.outputs[0]).name = "codes";
  const artifact::Program program = compile(b.graph);
  EXPECT_EQ(program.graph.value(program.graph.outputs.at(0)).name, "codes");
  EXPECT_EQ(program.graph.value(program.graph.outputs.at(0)).dtype, DType::kU8);
}

/// That mode puts numbers around the map, which are no codes.
TEST(Quantization, ResizesThatExtrapolateMoveNoCodes) {
  QuantizedBuilder b({1, 4, 8, 8});
  const auto sizes = b.constant("sizes", ints({1, 4, 8, 8}));
  const auto region = b.constant("region", floats({8}, {0, 0, -0.5f, -0.5f, 1, 1, 1.5f, 1.5f}));
  const auto resize = b.node(
      "Resize", "resize", {b.rounded("x", b.x, 0.02f, 128), region, ir::kNoValue, sizes},
      {{"mode", "nearest"}, {"coordinate_transformation_mode", "tf_crop_and_resize"}, {"extrapolation_value", 7.0f}});
  b.graph.outputs = {b.node("Relu", "out", {b.rounded("y", resize, 0.05f, 10)})};
  expect_near(b.graph, compile(b.graph), 1e-4);
}

TEST(Quantization, WeightsThatNoLayerTakesBecomeFloats) {
  QuantizedBuilder b({1, 4, 6, 6});
  const auto step = b.scalar("w.scale", 0.01f);
  const auto asymmetric = b.node(
      "DequantizeLinear", "w.dq",
      {b.constant("w", Tensor(DType::kU8, {4, 4, 1, 1})), step, b.constant("w.zero", Tensor::scalar(uint8_t{7}))});
  b.graph.outputs = {b.node("Conv", "conv", {b.rounded("x", b.x, 0.02f, 128), asymmetric})};
  const artifact::Program program = compile(b.graph);
  EXPECT_EQ(count_of(program.graph, "DequantizeLinear"), 0);
  expect_near(b.graph, program, 1e-5);
}

}  // namespace
}  // namespace effdet::compiler
