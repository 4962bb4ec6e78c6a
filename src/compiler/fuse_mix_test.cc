// Weighted sums of maps.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(FuseMix, ScaledAndEnlargedMaps) {
  Builder b({1, 4, 4, 4});
  const auto half = b.pool("half", b.x, {0, 0, 1, 1});
  const auto sum = b.node("Add", "a", {b.scale("s0", b.x, 0.5f), b.scale("s1", b.up("up", half, 2), 0.25f)});
  b.graph.outputs = {b.swish("y", b.node("Add", "b", {sum, b.x}))};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, fuse_mix, absorb_activations}),
            "half_output_0 = MaxPool(x)\ny_output_0 = Mix(x, half_output_0, x)\n");
  EXPECT_EQ(std::get<std::vector<float>>(*b.graph.nodes[1].find("weights")), (std::vector<float>{0.5f, 0.25f, 1}));
}

TEST(FuseMix, LeavesBroadcastsLongSumsAndPlainAdds) {
  Builder b({1, 4, 4, 4});
  const auto channel = b.constant("c", waves({4, 1, 1}));
  const auto broadcast = b.node("Add", "broadcast", {b.scale("s", b.x, 2), channel});
  ir::ValueId sum = broadcast;
  for (int i = 0; i < 5000; ++i) sum = b.node("Add", "add" + std::to_string(i), {sum, b.x});  // deep, and no Mix
  const auto relu = b.node("Neg", "neg", {sum});
  b.graph.outputs = {b.node("Neg", "y", {b.node("Add", "plain", {relu, b.x})})};
  ops::infer_shapes(b.graph);
  fuse_mix(b.graph);
  for (const ir::Node& node : b.graph.nodes) ASSERT_NE(node.op, "Mix");
}

void expect_mix(bool weighted) {
  Builder b({1, 4, 8, 8});
  const auto half = b.pool("half", b.x, {1, 1, 1, 1});
  const auto axes = Ints{-1};
  std::vector<ir::ValueId> terms;
  for (const auto& [name, map] :
       {std::pair{"a", b.x}, {"b", b.up("up", half, 2)}, {"c", b.node("Neg", "neg", {b.x})}}) {
    const std::string term = name;
    const auto scaled =
        b.node("Div", term + ".div",
               {weighted ? b.scale(term, map, 0.6f) : map, b.constant(term + ".sum", floats({}, {1.8001f}))});
    terms.push_back(b.node("Unsqueeze", term + ".up", {scaled}, {{"axes", axes}}));
  }
  const auto stack = b.node("Concat", "stack", terms, {{"axis", int64_t{-1}}});
  const auto sum = b.node("ReduceSum", "sum", {stack}, {{"axes", axes}, {"keepdims", int64_t{0}}});
  b.graph.outputs = {b.swish("y", sum)};
  const artifact::Program program = expect_same(b.graph);
  EXPECT_EQ(std::ranges::count(program.graph.nodes, "Mix", &ir::Node::op), 1) << ir::to_text(program.graph);
  EXPECT_EQ(std::ranges::count(program.graph.nodes, "Div", &ir::Node::op), 0) << ir::to_text(program.graph);
}

TEST(Compile, FusionAsPyTorchWritesIt) {
  // effdet's fastattn: stack([w_i * x_i / (sum + eps)], -1).sum(-1). The exporter leaves the factor out where it is 1,
  // as in a network that was not trained.
  for (const bool weighted : {true, false}) expect_mix(weighted);
}

}  // namespace
}  // namespace effdet::compiler
