// Nodes that stand for others, but for those on quantized tensors (quantized_test.cc).
#include "passes/passes.h"
#include "passes/rebatch.h"
#include "passes/test_util.h"

namespace effdet::passes {
namespace {

TEST(SpellOut, AttentionIsProductsAndSoftmax) {
  ir::Graph graph;
  graph.opset = 23;
  const auto q = graph.add_input("q", DType::kF32, {2, 4, 3, 2}), k = graph.add_input("k", DType::kF32, {2, 2, 5, 2});
  const auto mask = graph.add_constant("mask", waves({3, 4}));
  const auto y = graph.add_node("Attention", "attention", {q, k, k, mask});
  graph.nodes[0].conditional = true;
  const auto keys = graph.add_value({"keys", DType::kUnknown});
  graph.nodes[0].outputs = {y, ir::kNoValue, keys};
  graph.outputs = {keys, y};
  EXPECT_TRUE(apply(spell_out, graph));
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "keys");
  for (const ir::Node& node : graph.nodes) {
    EXPECT_TRUE(node.conditional) << node.op;
    EXPECT_NE(node.op, "Attention");
  }
  EXPECT_FALSE(spell_out(graph));
}

TEST(SpellOut, AttentionStaysWhereSizesAreOpen) {
  ir::Graph graph;
  graph.opset = 23;
  const auto q = graph.add_input("q", DType::kF32, {-1, 2, 3, 4});
  graph.outputs = {graph.add_node("Attention", "attention", {q, q, q})};
  ops::infer_shapes(graph);
  EXPECT_FALSE(spell_out(graph));
  EXPECT_EQ(lines(graph), "attention_output_0 = Attention(q, q, q)\n");
  set_input_shape(graph, "q", {2, 2, 3, 4});
  EXPECT_TRUE(apply(spell_out, graph));
}

}  // namespace
}  // namespace effdet::passes
