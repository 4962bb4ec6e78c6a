// Sums with another map inside of convolutions.
#include "compiler/test_util.h"
#include "ir/graph_text_test_util.h"

namespace effdet::compiler {
namespace {

TEST(FuseResiduals, IntoTheConvThatRunsLast) {
  ir::Graph graph = ir::graph_from_text(R"(
    input x [1,4,4,4]
    first = Conv(x, waves[4,4,1,1], waves[4])
    second = Conv(first, waves[4,4,3,3], waves[4]) pads=[1,1,1,1]
    sum = Add(first, second)
    y = Relu(sum)
    plain = Add(x, first)
    output y, plain
  )");
  EXPECT_EQ(rewritten(graph, {fuse_activations, roomy<fuse_windows>, fuse_residuals, absorb_activations}),
            "first_output_0 = Conv(x, first.1_packed, first.2_padded)\n"
            "y_output_0 = Conv(first_output_0, second.1_packed, second.2_padded, first_output_0)\n"
            "plain_output_0 = Mix(x, first_output_0)\n");
}

TEST(FuseResiduals, ASumWithItself) {
  ir::Graph graph = ir::graph_from_text(R"(
    input x [1,4,4,4]
    conv = Conv(x, waves[4,4,1,1], waves[4])
    sum = Add(conv, conv)
    output sum
  )");
  EXPECT_EQ(rewritten(graph, {roomy<fuse_windows>, fuse_residuals}),
            "conv_output_0 = Conv(x, conv.1_packed, conv.2_padded)\n"
            "sum_output_0 = Mix(conv_output_0, conv_output_0)\n");
}

}  // namespace
}  // namespace effdet::compiler
