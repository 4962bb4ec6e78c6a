// Elementwise operators inside of the layer before them.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(AbsorbSteps, WhatFollowsALayer) {
  Builder b({1, 4, 6, 6});
  const auto conv = b.conv("conv", b.x, {8, 4, 3, 3});
  const auto leaky = b.node("LeakyRelu", "leaky", {conv}, {{"alpha", 0.3f}});
  const auto layer = b.depthwise("depthwise", leaky, 8);
  const auto gated = b.node("HardSigmoid", "gate", {layer}, {{"alpha", 0.2f}, {"beta", 0.5f}});
  b.graph.outputs = {b.scale("scaled", gated, 2)};
  EXPECT_EQ(rewritten(b.graph, {roomy<fuse_windows>, absorb_steps}),
            "leaky_output_0 = Conv(x, conv.w_packed, conv.b_padded)\n"
            "scaled_output_0 = DepthwiseConv(leaky_output_0, depthwise.w_packed_depthwise, depthwise.b)\n");
  EXPECT_EQ(attribute_of(b.graph, "Conv", "activation"), "none; leakyrelu x0 0.3");
  EXPECT_EQ(attribute_of(b.graph, "DepthwiseConv", "activation"), "none; hardsigmoid x0 0.2 0.5; mul t0 2");
}

TEST(AbsorbSteps, NotWhereOthersReadNorTheWeightsOfSums) {
  Builder b({1, 4, 6, 6});
  const auto read_twice = b.conv("first", b.x, {8, 4, 1, 1});
  const auto elu = b.node("Elu", "elu", {read_twice});
  const auto weighted = b.scale("weight", b.conv("second", elu, {8, 8, 1, 1}), 0.4f);
  b.graph.outputs = {b.node("Add", "sum", {weighted, read_twice})};
  rewritten(b.graph, {roomy<fuse_windows>, absorb_steps});
  for (const ir::Node& node : b.graph.nodes) EXPECT_EQ(node.get_string("activation", "none"), "none") << node.name;
}

TEST(AbsorbSteps, BehindAConcatOfLayers) {
  Builder b({1, 4, 6, 6});
  const auto joined = b.node("Concat", "joined", {b.conv("a", b.x, {8, 4, 1, 1}), b.conv("b", b.x, {4, 4, 3, 3})},
                             {{"axis", int64_t{1}}});
  b.graph.outputs = {b.node("Tanh", "tanh", {joined})};
  rewritten(b.graph, {roomy<fuse_windows>, absorb_steps});
  EXPECT_EQ(b.graph.nodes.size(), 3u);
}

}  // namespace
}  // namespace effdet::compiler
