// Convolutions and pools become fused operators with packed weights.
#include <limits>

#include "base/memory.h"
#include "compiler/test_util.h"
#include "ir/graph_text_test_util.h"

namespace effdet::compiler {
namespace {

TEST(FuseWindows, PacksWeightsOnce) {
  ir::Graph graph = ir::graph_from_text(R"(
    input x [1,4,6,6]
    w = waves[4,4,1,1]
    first = Conv(x, w)
    second = Conv(first, w)
    deep = Conv(second, waves[4,1,3,3], waves[4]) group=4 pads=[1,1,1,1]
    pool = MaxPool(second) kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]
    output deep, pool
  )");
  EXPECT_EQ(rewritten(graph, {roomy<fuse_windows>}),
            "first_output_0 = Conv(x, w_packed, first_zero_bias)\n"
            "second_output_0 = Conv(first_output_0, w_packed, second_zero_bias)\n"
            "deep_output_0 = DepthwiseConv(second_output_0, deep.1_packed_depthwise, deep.2)\n"
            "pool_output_0 = MaxPool(second_output_0)\n");
}

TEST(FuseWindows, LeavesWhatHasNoKernel) {
  Builder b({1, 4, 9, 9});
  const auto dilated = b.conv("dilated", b.x, {4, 4, 3, 3}, {{"dilations", Ints{2, 2}}});
  const auto far = b.conv("far", dilated, {4, 4, 1, 1}, {{"pads", Ints{1, 1, 1, 1}}});
  const auto weights = b.node("Relu", "weights", {b.constant("raw", waves({4, 4, 1, 1}))});
  const auto computed = b.node("Conv", "computed", {far, weights});
  b.graph.outputs = {b.conv("vast", computed, {4, 4, 1, 1}, {{"strides", Ints{2000, 2000}}})};
  rewritten(b.graph, {roomy<fuse_windows>});
  for (const ir::Node& node : b.graph.nodes) EXPECT_EQ(node.domain, "") << node.name;
}

/// Neighbouring groups join until their outputs fill panels of 16; a few that never do become one.
TEST(FuseWindows, JoinsGroups) {
  struct Expected {
    int64_t groups, in, out, left;
  };
  for (const auto& [groups, in, out, left] : {Expected{8, 2, 4, 2}, {4, 3, 16, 4}, {2, 2, 2, 1}, {3, 1, 5, 1}}) {
    Builder b({1, groups * in, 5, 4});
    b.graph.outputs = {b.conv("grouped", b.x, {groups * out, in, 3, 3}, {{"group", groups}})};
    rewritten(b.graph, {roomy<fuse_windows>, assign_layouts});
    for (const ir::Node& node : b.graph.nodes)
      if (node.op == "Conv") {
        EXPECT_EQ(node.domain, ir::kFusedDomain);
        EXPECT_EQ(node.get_int("group", 1), left) << groups << " groups";
      }
  }
}

TEST(FuseWindows, LeavesGroupsThatWouldBeMostlyZeros) {
  Builder b({1, 38, 5, 4});
  b.graph.outputs = {b.conv("grouped", b.x, {57, 2, 3, 3}, {{"group", int64_t{19}}})};
  rewritten(b.graph, {roomy<fuse_windows>});
  EXPECT_EQ(b.graph.nodes[0].domain, "");
}

/// Panels of sixteen channels, of which few are there: what would be above the budget stays an ordinary Conv.
TEST(FuseWindows, PackingStaysWithinTheBudget) {
  Builder b({1, 1 << 14, 2, 2});
  for (int i = 0; i < 40; ++i)  // 64 KiB each, 1 MiB packed
    b.graph.outputs.push_back(b.conv("narrow" + std::to_string(i), b.x, {1, 1 << 14, 1, 1}));
  const uint64_t before = passes::constant_bytes(b.graph);
  constexpr uint64_t kRoom = 8 << 20;
  ops::infer_shapes(b.graph);
  const MemoryBudget memory(uint64_t{1} << 31);
  passes::RewriteBudget budget(b.graph, kRoom);
  fuse_windows(b.graph, budget);
  EXPECT_LE(passes::constant_bytes(b.graph), before + kRoom);
  EXPECT_LE(memory.peak(), kRoom + (1 << 21));
  const auto fused = std::ranges::count(b.graph.nodes, ir::kFusedDomain, &ir::Node::domain);
  EXPECT_GE(fused, 7);
  EXPECT_LT(fused, 10);
}

TEST(FuseWindows, WithoutBiasesOneListOfZerosServesAll) {
  Builder b({1, 1, 2, 2});
  const auto weights = b.constant("w", waves({1 << 14, 1, 1, 1}));
  for (int i = 0; i < 100; ++i)
    b.graph.outputs.push_back(
        b.node("Conv", "c" + std::to_string(i), {b.scale("s" + std::to_string(i), b.x, i), weights}));
  ops::infer_shapes(b.graph);
  const MemoryBudget memory(uint64_t{1} << 31);
  roomy<fuse_windows>(b.graph);
  EXPECT_LE(memory.peak(), uint64_t{1} << 18);
}

TEST(FuseWindows, PoolsTakeZerosAroundThem) {
  for (const float value : {0.0f, -5.0f}) {
    Builder b({1, 4, 9, 8});
    const Ints around = {0, 0, 1, 0, 0, 0, 1, 1};
    const auto pads = b.constant("around", Tensor::from<int64_t>({8}, around));
    const auto low = b.node("Add", "low", {b.x, b.constant("minus", floats({1}, {-4}))});  // so that zeros win
    const auto padded = b.node("Pad", "pad", {low, pads, b.constant("value", floats({}, {value}))});
    b.graph.outputs = {b.pool("pool", padded, {0, 0, 0, 0})};
    const std::string expected = value == 0 ? "pool_output_0 = MaxPool(low_output_0)\n" : "Pad(low_output_0";
    EXPECT_NE(rewritten(b.graph, {roomy<fuse_windows>}).find(expected), std::string::npos) << value;
  }
}

TEST(Compile, PaddedPoolAsPyTorchWritesIt) {
  // TF's SAME max pool: a Pad with -inf before a pool without padding.
  Builder b({1, 4, 8, 8});
  const auto relu = b.conv("conv", b.x, {4, 4, 1, 1});
  const auto pads = b.constant("pads", ints({0, 0, 0, 0, 0, 0, 1, 1})),
             fill = b.constant("fill", floats({}, {-std::numeric_limits<float>::infinity()}));
  b.graph.outputs = {b.pool("pool", b.node("Pad", "pad", {relu, pads, fill}), {0, 0, 0, 0})};
  const artifact::Program program = expect_same(b.graph);
  EXPECT_EQ(std::ranges::count(implementations(program), "reference"), 0) << ir::to_text(program.graph);
}

}  // namespace
}  // namespace effdet::compiler
