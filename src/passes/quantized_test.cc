// Quantized models: what simplification leaves alone, and what the compiler asks for.
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/test_util.h"

namespace effdet::passes {
namespace {

Tensor codes(Shape shape, int8_t first) {
  Tensor tensor(DType::kI8, std::move(shape));
  for (int8_t& x : tensor.mutable_data<int8_t>()) x = first = static_cast<int8_t>(first * 5 + 3);
  return tensor;
}

/// x between Q and DQ, twice, and a Conv whose weights are int8 and whose bias is int32.
ir::Graph quantized_conv() {
  ir::Graph graph;
  graph.opset = 13;
  const auto x = graph.add_input("x", DType::kF32, {1, 2, 4, 4});
  const auto scale = graph.add_constant("s", floats({}, {0.05f})),
             zero = graph.add_constant("z", Tensor::scalar<uint8_t>(9));
  const auto again = graph.add_constant("s2", floats({}, {0.05f}));
  const auto dequantized = [&](ir::ValueId s, const std::string& name) {
    const auto q = graph.add_node("QuantizeLinear", "q" + name, {x, s, zero});
    return graph.add_node("DequantizeLinear", "dq" + name, {q, s, zero});
  };
  const auto w = graph.add_node(
      "DequantizeLinear", "w",
      {graph.add_constant("wq", codes({3, 2, 3, 3}, 1)), graph.add_constant("ws", floats({3}, {0.1f, 0.2f, 0.3f}))},
      {{"axis", int64_t{0}}});
  const auto b = graph.add_node("DequantizeLinear", "b",
                                {graph.add_constant("bq", Tensor::from<int32_t>({3}, std::vector<int32_t>{1, -2, 30})),
                                 graph.add_constant("bs", floats({3}, {0.1f, 0.2f, 0.3f}))},
                                {{"axis", int64_t{0}}});
  const auto y = graph.add_node("Conv", "conv", {dequantized(scale, "1"), w, b}, {{"pads", List{1, 1, 1, 1}}});
  const auto z = graph.add_node("Conv", "conv2", {dequantized(again, "2"), w, b});
  graph.outputs = {y, z};
  return graph;
}

std::string operators(const ir::Graph& graph) {
  std::string text;
  for (const ir::Node& node : graph.nodes) text += node.op + " ";
  return text;
}

TEST(Quantized, SimplificationKeepsCodesAndMergesQuantizers) {
  ir::Graph graph = quantized_conv();
  const ir::Graph before = graph;
  simplify(graph);
  EXPECT_EQ(operators(graph), "DequantizeLinear DequantizeLinear QuantizeLinear DequantizeLinear Conv Conv ");
  EXPECT_TRUE(check_equivalence(before, graph, {}).same);
  RewriteBudget none(graph, 0);
  EXPECT_TRUE(fold_dequantized(graph, none));
  EXPECT_EQ(operators(graph), "QuantizeLinear DequantizeLinear Conv Conv ");
  graph.compact();
  EXPECT_LT(compare_whole(before, graph, {}).difference, 1e-6);
  EXPECT_FALSE(fold_dequantized(graph, none));
}

/// A constant that becomes floats in many scales is a way to ask for memory.
TEST(Quantized, FoldingOneConstantAgainAndAgainIsWithinTheBudget) {
  ir::Graph graph;
  graph.opset = 13;
  const auto w = graph.add_constant("w", codes({100}, 1));
  for (int i = 1; i <= 4; ++i) {
    const auto scale = graph.add_constant("s" + std::to_string(i), floats({}, {0.1f * static_cast<float>(i)}));
    const auto d = graph.add_node("DequantizeLinear", "d" + std::to_string(i), {w, scale});
    graph.outputs.push_back(graph.add_node("Identity", "i" + std::to_string(i), {d}));
  }
  ops::infer_shapes(graph);
  RewriteBudget budget(graph, 850);  // two of 400 bytes more
  EXPECT_TRUE(fold_dequantized(graph, budget));
  EXPECT_EQ(operators(graph), "Identity Identity Identity DequantizeLinear Identity ");
}

TEST(Quantized, NodesOnCodesAreSpelledOut) {
  ir::Graph graph;
  graph.opset = 13;
  const auto x = graph.add_input("x", DType::kU8, {1, 2, 4, 4});
  const auto scale = graph.add_constant("s", floats({}, {0.05f})),
             zero = graph.add_constant("z", Tensor::scalar<uint8_t>(9));
  const auto y = graph.add_node(
      "QLinearConv", "conv",
      {x, scale, zero, graph.add_constant("w", codes({3, 2, 3, 3}, 1)),
       graph.add_constant("ws", floats({3}, {0.01f, 0.02f, 0.03f})), graph.add_constant("wz", Tensor(DType::kI8, {3})),
       scale, zero, graph.add_constant("b", Tensor::from<int32_t>({3}, std::vector<int32_t>{1, -2, 30}))},
      {{"pads", List{1, 1, 1, 1}}, {"kernel_shape", List{3, 3}}});
  const auto z = graph.add_node("QLinearSigmoid", "sigmoid", {y, scale, zero, scale}, {}, "com.microsoft");
  const auto product =
      graph.add_node("QLinearMul", "mul", {y, scale, zero, z, scale, zero, scale, zero}, {}, "com.microsoft");
  graph.outputs = {graph.add_node("MaxPool", "pool", {product}, {{"kernel_shape", List{2, 2}}})};
  graph.value(graph.outputs[0]).name = "out";
  EXPECT_TRUE(apply(spell_out, graph));
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "out");
  EXPECT_FALSE(spell_out(graph));
  simplify(graph);
  EXPECT_EQ(operators(graph),
            "DequantizeLinear DequantizeLinear DequantizeLinear Conv QuantizeLinear DequantizeLinear Sigmoid "
            "QuantizeLinear DequantizeLinear Mul QuantizeLinear DequantizeLinear MaxPool QuantizeLinear ")
      << "the pool of codes, too";
}

}  // namespace
}  // namespace effdet::passes
