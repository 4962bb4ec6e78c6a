// Matrix products with packed weights, biases and residuals.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(FuseMatMul, WithBiasResidualAndActivation) {
  Builder b({2, 5, 8});
  const auto first = b.node("MatMul", "first", {b.x, b.constant("w", waves({8, 20}))});
  const auto biased = b.node("Add", "biased", {b.constant("bias", waves({20}, 1)), first});
  const auto relu = b.node("Relu", "relu", {biased});
  const auto second = b.node("MatMul", "second", {relu, b.constant("v", waves({1, 20, 8}))});
  const auto moved = b.node("Add", "moved", {second, b.constant("shift", waves({8}, 2))});
  b.graph.outputs = {b.node("Add", "y", {moved, b.x})};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations, roomy<fuse_matmul>, absorb_activations}),
            "relu_output_0 = MatMul(x, w_packed, first_bias)\n"
            "y_output_0 = MatMul(relu_output_0, v_packed, second_bias, x)\n");
}

TEST(FuseMatMul, GemmOfBothOrders) {
  Builder b({3, 8});
  const auto gemm = b.node("Gemm", "gemm", {b.x, b.constant("w", waves({20, 8})), b.constant("c", waves({1, 20}, 1))},
                           {{"transB", int64_t{1}}, {"alpha", 0.5f}, {"beta", 2.0f}});
  b.graph.outputs = {b.node("Gemm", "plain", {gemm, b.constant("v", waves({20, 5}))})};
  rewritten(b.graph, {roomy<fuse_matmul>});
  EXPECT_EQ(std::ranges::count(b.graph.nodes, ir::kFusedDomain, &ir::Node::domain), 2);
}

TEST(FuseMatMul, LeavesWhatIsNoRowTimesOneMatrix) {
  Builder b({2, 5, 8});
  const auto other = b.graph.add_input("other", DType::kF32, {2, 8, 5});
  const auto several = b.node("MatMul", "several", {b.x, b.constant("w", waves({2, 8, 8}))});
  const auto both = b.node("MatMul", "both", {several, other});
  b.graph.outputs = {b.node("MatMul", "left", {b.constant("v", waves({5, 5})), both})};
  rewritten(b.graph, {roomy<fuse_matmul>});
  EXPECT_EQ(std::ranges::count(b.graph.nodes, ir::kFusedDomain, &ir::Node::domain), 0);
  const auto names = implementations(expect_same(b.graph));
  EXPECT_EQ(std::ranges::count(names, "cpu:matmul"), 3);
}

TEST(FuseMatMul, PackingStaysWithinTheBudget) {
  Builder b({1, 1 << 14});
  for (int i = 0; i < 40; ++i)  // 64 KiB each, 1 MiB packed
    b.graph.outputs.push_back(
        b.node("MatMul", "narrow" + std::to_string(i),
               {b.x, b.constant("w" + std::to_string(i), waves({1 << 14, 1}, static_cast<float>(i)))}));
  const uint64_t before = passes::constant_bytes(b.graph);
  constexpr uint64_t kRoom = 8 << 20;
  ops::infer_shapes(b.graph);
  passes::RewriteBudget budget(b.graph, kRoom);
  fuse_matmul(b.graph, budget);
  EXPECT_LE(passes::constant_bytes(b.graph), before + kRoom);
  EXPECT_LT(std::ranges::count(b.graph.nodes, ir::kFusedDomain, &ir::Node::domain), 10);
}

}  // namespace
}  // namespace effdet::compiler
