// Depthwise and pointwise layer as one, where the map between is large.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(FuseDepthwisePointwise, WhereTheMapBetweenIsLarge) {
  for (int64_t side : {8, 64}) {
    Builder b({1, 64, side, side});
    const auto skip = b.node("Exp", "skip", {b.conv("other", b.x, {24, 64, 1, 1})});
    const auto deep = b.swish("act", b.depthwise("deep", b.x, 64));
    b.graph.outputs = {b.node("Add", "sum", {b.conv("project", deep, {24, 64, 1, 1}), skip})};
    const std::string text =
        rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, absorb_activations, fuse_residuals,
                            [](ir::Graph& g) { fuse_depthwise_pointwise(g, {}); }, assign_layouts});
    EXPECT_EQ(text.find("DepthwisePointwise") != std::string::npos, side == 64) << text;
  }
}

}  // namespace
}  // namespace effdet::compiler
