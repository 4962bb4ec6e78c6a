// Maps stay NHWC from the first layer to the last.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(AssignLayouts, OneChangeOfLayoutOnEachSide) {
  Builder b({1, 4, 6, 6});
  const auto pool = b.pool("pool", b.x, {1, 1, 1, 1});
  const auto conv = b.conv("conv", pool, {4, 4, 3, 3});
  b.graph.outputs = {b.node("Exp", "y", {conv})};
  EXPECT_EQ(rewritten(b.graph, {roomy<fuse_windows>, assign_layouts}),
            "x_nhwc = Transpose(x)\npool_output_0_nhwc = MaxPool(x_nhwc)\n"
            "conv_output_0_nhwc = Conv(pool_output_0_nhwc, conv.w_packed, conv.b_padded)\n"
            "conv_output_0 = Transpose(conv_output_0_nhwc)\ny_output_0 = Exp(conv_output_0)\n");
}

TEST(AssignLayouts, OneConvolutionTurnsOneSide) {
  Builder b({1, 4, 6, 6});
  b.graph.outputs = {b.conv("only", b.x, {4, 4, 3, 3})};
  EXPECT_EQ(rewritten(b.graph, {roomy<fuse_windows>, assign_layouts}),
            "only_output_0_nhwc = Conv(x, only.w_packed, only.b_padded)\n"
            "only_output_0 = Transpose(only_output_0_nhwc)\n");
}

TEST(AssignLayouts, ConvolutionsReadAndWriteTheCallersLayout) {
  Builder b({1, 4, 6, 6});
  b.graph.outputs = {b.conv("last", b.conv("first", b.x, {4, 4, 3, 3}), {4, 4, 1, 1})};
  EXPECT_EQ(rewritten(b.graph, {roomy<fuse_windows>, assign_layouts}),
            "first_output_0_nhwc = Conv(x, first.w_packed, first.b_padded)\n"
            "last_output_0 = Conv(first_output_0_nhwc, last.w_packed, last.b_padded)\n");
}

TEST(AssignLayouts, OnnxOperatorsFollowTheMaps) {
  ir::Graph graph = followers();
  const auto names = implementations(expect_same(graph));
  EXPECT_EQ(std::ranges::count(names, "reference"), 0) << fmt::format("{}", fmt::join(names, " "));
  EXPECT_LE(std::ranges::count(names, "cpu:transpose"), 2);
}

TEST(AssignLayouts, ValuesSayHowTheyLie) {
  ir::Graph graph = compile(followers()).graph;
  ops::infer_shapes(graph);  // what the Transposes make stays as it is declared
  size_t nhwc = 0;
  for (const ir::Node& node : graph.nodes) {
    const ir::Value& value = graph.value(node.outputs[0]);
    EXPECT_EQ(value.layout == ir::Layout::kNhwc, value.name.find("_nhwc") != std::string::npos) << value.name;
    nhwc += value.layout == ir::Layout::kNhwc;
  }
  EXPECT_GT(nhwc, 3u);
}

/// Convolutions on both sides: nothing between them should transpose the maps.
TEST(AssignLayouts, OperatorsThatKnowAxesFollowTheMaps) {
  using Part = ir::ValueId (*)(Builder&, ir::ValueId);
  const Part parts[] = {
      [](Builder& b, ir::ValueId x) {
        return b.node("Add", "add", {x, b.constant("c", waves({8, 1, 1}))});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("Mul", "mul", {x, b.constant("c", waves({1, 8, 6, 1}))});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("PRelu", "prelu", {x, b.constant("c", waves({8, 1, 1}))});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("Mul", "gate", {x, b.node("GlobalAveragePool", "mean", {x})});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("Sub", "centre", {x, b.node("ReduceMax", "max", {x}, {{"axes", Ints{1}}})});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("AveragePool", "pool", {x}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node(
            "Slice", "slice",
            {x, b.constant("s", ints({1, 2})), b.constant("e", ints({6, 7})), b.constant("a", ints({2, -1}))});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("Tanh", "tanh", {b.node("Pad", "pad", {x, b.constant("p", ints({0, 0, 1, 2, 0, 0, 3, 0}))})});
      },
  };
  for (const Part& part : parts) {
    Builder b({1, 8, 6, 7});
    SCOPED_TRACE(&part - parts);
    b.graph.outputs = {b.conv("last", part(b, b.conv("first", b.x, {8, 8, 3, 3})), {4, 8, 1, 1})};
    EXPECT_EQ(count_of(expect_same(b.graph).graph, "Transpose"), 0);
  }
}

TEST(AssignLayouts, TransposesOfMapsAreOne) {
  Builder b({1, 8, 6, 7});
  const auto turned = b.node("Transpose", "turned", {b.conv("conv", b.x, {8, 8, 3, 3})}, {{"perm", Ints{0, 2, 3, 1}}});
  b.graph.outputs = {b.node("Reshape", "rows", {turned, b.constant("shape", ints({1, -1, 8}))})};
  const artifact::Program program = expect_same(b.graph);
  for (const ir::Node& node : program.graph.nodes)
    EXPECT_TRUE(node.op != "Transpose" || node.get_ints("perm", {}) == (Ints{0, 1, 2, 3})) << node.name;
}

/// A map of one value lies as it lay, whoever made it.
TEST(AssignLayouts, GatesOfOneChannel) {
  Builder b({1, 1, 6, 6});
  const auto pool = b.pool("pool", b.x, {1, 1, 1, 1});
  const auto gate = b.node("Sigmoid", "gate", {b.node("GlobalAveragePool", "mean", {pool})});
  b.graph.outputs = {b.node("Mul", "y", {pool, gate})};
  expect_same(b.graph);
}

TEST(AssignLayouts, ReductionsThatDropAxesAndOnesThatStayNchw) {
  Builder b({1, 8, 6, 7});
  const auto map = b.conv("conv", b.x, {8, 8, 3, 3});
  b.graph.outputs = {b.node("ReduceMean", "hw", {map}, {{"axes", Ints{2, 3}}, {"keepdims", int64_t{0}}}),
                     b.node("ReduceSum", "c", {map}, {{"axes", Ints{1}}, {"keepdims", int64_t{0}}}),
                     b.node("ReduceMax", "h", {map}, {{"axes", Ints{2}}, {"keepdims", int64_t{0}}}),
                     b.node("GlobalMaxPool", "all", {map})};
  expect_same(b.graph);
}

}  // namespace
}  // namespace effdet::compiler
