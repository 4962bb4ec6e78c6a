// Pads by -infinity become Pads by zero.
#include "passes/zero_pads.h"

#include <gtest/gtest.h>

#include <cmath>

#include "passes/test_util.h"

namespace effdet::passes {
namespace {

/// Two Pads that share the constant -infinity with a Max, and one that pads with 1.
ir::Graph padded() {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 1, 2, 2});
  const auto pads = graph.add_constant("pads", ints({0, 0, 1, 1, 0, 0, 1, 1}));
  const auto least = graph.add_constant("least", Tensor::scalar(-INFINITY));
  const auto one = graph.add_constant("one", Tensor::scalar(1.0f));
  const auto a = graph.add_node("Pad", "a", {x, pads, least});
  const auto b = graph.add_node("Pad", "b", {a, pads, least});
  const auto c = graph.add_node("Pad", "c", {b, pads, one});
  graph.outputs = {graph.add_node("Max", "m", {c, least})};
  return graph;
}

TEST(ZeroPads, OthersKeepTheirConstant) {
  ir::Graph graph = padded();
  EXPECT_EQ(zero_minus_infinity_pads(graph), 2);
  EXPECT_EQ(lines(graph),
            "a_output_0 = Pad(x, pads, pad_value_zero)\nb_output_0 = Pad(a_output_0, pads, pad_value_zero)\n"
            "c_output_0 = Pad(b_output_0, pads, one)\nm_output_0 = Max(c_output_0, least)\n");
  EXPECT_EQ(graph.constant(graph.find_value("pad_value_zero"))->data<float>()[0], 0);
  EXPECT_EQ(zero_minus_infinity_pads(graph), 0);
}

TEST(ZeroPads, AttributesOfOldOpsets) {
  ir::Graph graph;
  graph.opset = 10;
  const auto x = graph.add_input("x", DType::kF32, {1, 1, 2, 2});
  const std::vector<int64_t> pads = {0, 0, 1, 1, 0, 0, 1, 1};
  graph.outputs = {graph.add_node("Pad", "a", {x}, {{"pads", pads}, {"value", -INFINITY}})};
  EXPECT_EQ(zero_minus_infinity_pads(graph), 1);
  EXPECT_EQ(graph.nodes[0].get_float("value", 1), 0);
}

}  // namespace
}  // namespace effdet::passes
