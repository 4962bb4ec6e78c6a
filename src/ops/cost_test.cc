// Products and bytes that the cards of single nodes count.
#include "ops/cost.h"

#include <gtest/gtest.h>

#include "ops/op.h"

namespace effdet::ops {
namespace {

TEST(Cost, CountsProductsAndBytes) {
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::kF32, {1, 3, 8, 8});
  const ir::ValueId w = graph.add_constant("w", Tensor(DType::kF32, {5, 3, 3, 3}));
  const ir::ValueId y = graph.add_node("Conv", "conv", {x, w}, {});
  graph.outputs = {graph.add_node("Relu", "relu", {y}, {})};
  infer_shapes(graph);
  const Cost conv = cost_of(graph, graph.nodes[0]);
  EXPECT_EQ(conv.flops, 2 * (5 * 6 * 6) * 27);
  EXPECT_EQ(conv.bytes, 4 * (3 * 64 + 5 * 27 + 5 * 36));
  EXPECT_EQ(cost_of(graph, graph.nodes[1]).flops, 5 * 36);
}

TEST(Cost, ExpandDepthwiseCountsTheMapThatIsNoOutput) {
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::kF32, {1, 8, 8, 4});
  const auto constant = [&](const char* name, Shape shape) {
    return graph.add_constant(name, Tensor(DType::kF32, std::move(shape)));
  };
  const ir::ValueId y = graph.add_node(
      "ExpandDepthwise", "block",
      {x, constant("w1", {2, 4, 16}), constant("b1", {32}), constant("w2", {3, 3, 24}), constant("b2", {24})},
      {{"layout", "nhwc"},
       {"out_channels", int64_t{24}},
       {"kernel_shape", std::vector<int64_t>{3, 3}},
       {"strides", std::vector<int64_t>{1, 1}},
       {"pads", std::vector<int64_t>{1, 1, 1, 1}}},
      std::string(ir::kFusedDomain));
  graph.outputs = {y};
  infer_shapes(graph);
  EXPECT_EQ(cost_of(graph, graph.nodes[0]).flops, 2 * 64 * 4 * 24 + 2 * 64 * 24 * 9);
}

}  // namespace
}  // namespace effdet::ops
