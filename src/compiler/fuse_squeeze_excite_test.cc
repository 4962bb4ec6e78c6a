// Squeeze-and-excite blocks, however the mean is written.
#include "base/error.h"
#include "base/memory.h"
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

/// Depthwise -> mean -> two small layers -> product -> pointwise.
ir::Graph squeeze_excite(const char* mean_op, Attributes mean_attributes, int64_t gates = 8) {
  Builder b({2, 8, 5, 5});
  const auto deep = b.swish("act", b.depthwise("deep", b.x, 8));
  const auto mean = b.node(mean_op, "mean", {deep}, std::move(mean_attributes));
  const auto reduced = b.swish("reduced", b.conv("reduce", mean, {2, 8, 1, 1}));
  const auto gate = b.node("Sigmoid", "gate", {b.conv("expand", reduced, {gates, 2, 1, 1})});
  b.graph.outputs = {b.conv("project", b.node("Mul", "product", {gate, deep}), {4, 8, 1, 1})};
  return b.graph;
}

const std::vector<void (*)(ir::Graph&)> kToSqueezeExcite = {fuse_activations, roomy<fuse_windows>, absorb_activations,
                                                            roomy<fuse_squeeze_excite>};

TEST(FuseSqueezeExcite, BothWaysToWriteTheMean) {
  const Attributes axes{{"axes", Ints{2, 3}}};
  for (ir::Graph graph : {squeeze_excite("GlobalAveragePool", {}), squeeze_excite("ReduceMean", axes)}) {
    EXPECT_EQ(rewritten(graph, kToSqueezeExcite),
              "act_output_0, deep_mean = DepthwiseConv(x, deep.w_packed_depthwise, deep.b)\n"
              "expand_gate = SqueezeExcite(deep_mean, reduce_matrix, reduce_bias, expand_matrix, expand_bias)\n"
              "project_output_0 = Conv(act_output_0, project.w_packed, project.b_padded, _, expand_gate)\n");
  }
}

TEST(FuseSqueezeExcite, BehindAConcatOfDepthwiseLayers) {
  Builder b({2, 8, 5, 5});
  const auto both =
      b.node("Concat", "both", {b.depthwise("small", b.x, 8), b.depthwise("large", b.x, 8)}, {{"axis", int64_t{1}}});
  const auto deep = b.swish("act", both);
  const auto reduced = b.conv("reduce", b.node("GlobalAveragePool", "mean", {deep}), {2, 16, 1, 1});
  const auto gate = b.node("Sigmoid", "gate", {b.conv("expand", reduced, {16, 2, 1, 1})});
  b.graph.outputs = {b.conv("project", b.node("Mul", "product", {gate, deep}), {4, 16, 1, 1})};
  EXPECT_EQ(rewritten(b.graph, kToSqueezeExcite),
            "small_output_0, small_mean = DepthwiseConv(x, small.w_packed_depthwise, small.b)\n"
            "large_output_0, large_mean = DepthwiseConv(x, large.w_packed_depthwise, large.b)\n"
            "act_output_0 = Concat(small_output_0, large_output_0)\n"
            "mean_means = Concat(small_mean, large_mean)\n"
            "expand_gate = SqueezeExcite(mean_means, reduce_matrix, reduce_bias, expand_matrix, expand_bias)\n"
            "project_output_0 = Conv(act_output_0, project.w_packed, project.b_padded, _, expand_gate)\n");
}

TEST(FuseSqueezeExcite, LeavesOtherMeansAndGates) {
  for (ir::Graph graph :
       {squeeze_excite("ReduceMean", {{"axes", Ints{3, 3}}}), squeeze_excite("GlobalMaxPool", {}),
        squeeze_excite("ReduceMean", {{"axes", Ints{0, 2, 3}}}), squeeze_excite("GlobalAveragePool", {}, 1)}) {
    try {
      EXPECT_EQ(rewritten(graph, kToSqueezeExcite).find("SqueezeExcite"), std::string::npos);
    } catch (const Error&) {
      // A mean over one axis twice, or a pool that nobody knows, may be refused altogether.
    }
  }
}

TEST(FuseSqueezeExcite, BlocksMayShareTheirWeights) {
  Builder b({1, 128, 3, 3});
  const auto shared = [&](const char* name, Shape shape) { return b.constant(name, waves(std::move(shape))); };
  const auto window = shared("dw", {128, 1, 1, 1}), reduce = shared("w1", {512, 128, 1, 1}),
             expand = shared("w2", {128, 512, 1, 1}), project = shared("w3", {16, 128, 1, 1});
  for (int i = 0; i < 40; ++i) {
    const std::string name = "b" + std::to_string(i);
    const auto x = b.node("Conv", name + ".dw", {b.scale(name + ".x", b.x, static_cast<float>(i)), window},
                          {{"group", int64_t{128}}});
    const auto small = b.node("Conv", name + ".reduce", {b.node("GlobalAveragePool", name + ".mean", {x}), reduce});
    const auto gate = b.node("Conv", name + ".expand", {b.node("Relu", name + ".relu", {small}), expand});
    const auto product = b.node("Mul", name + ".mul", {x, b.node("Sigmoid", name + ".gate", {gate})});
    b.graph.outputs.push_back(b.node("Conv", name + ".project", {product, project}));
  }
  const MemoryBudget memory(uint64_t{1} << 31);
  const artifact::Program program = compile(b.graph);
  EXPECT_EQ(std::ranges::count(program.graph.nodes, "SqueezeExcite", &ir::Node::op), 40);
  EXPECT_LE(memory.peak(), uint64_t{3} << 20);  // half a mebibyte of weights, packed, and as matrices
}

}  // namespace
}  // namespace effdet::compiler
