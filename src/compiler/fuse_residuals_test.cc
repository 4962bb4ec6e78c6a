// Sums with another map inside of convolutions.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(FuseResiduals, IntoTheConvThatRunsLast) {
  Builder b({1, 4, 4, 4});
  const auto first = b.conv("first", b.x, {4, 4, 1, 1}), second = b.conv("second", first, {4, 4, 3, 3});
  const auto sum = b.node("Add", "sum", {first, second});
  b.graph.outputs = {b.node("Relu", "y", {sum}), b.node("Add", "plain", {b.x, first})};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, fuse_residuals, absorb_activations}),
            "first_output_0 = Conv(x, first.w_packed, first.b_padded)\n"
            "y_output_0 = Conv(first_output_0, second.w_packed, second.b_padded, first_output_0)\n"
            "plain_output_0 = Mix(x, first_output_0)\n");
}

TEST(FuseResiduals, ASumWithItself) {
  Builder b({1, 4, 4, 4});
  const auto conv = b.conv("conv", b.x, {4, 4, 1, 1});
  b.graph.outputs = {b.node("Add", "sum", {conv, conv})};
  EXPECT_EQ(
      rewritten(b.graph, {roomy<fuse_windows>, fuse_residuals}),
      "conv_output_0 = Conv(x, conv.w_packed, conv.b_padded)\nsum_output_0 = Mix(conv_output_0, conv_output_0)\n");
}

}  // namespace
}  // namespace effdet::compiler
