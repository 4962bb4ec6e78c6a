// Expansion and depthwise layer as one, where the map between is large.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(FuseExpandDepthwise, WhereTheMapBetweenIsLarge) {
  for (int64_t side : {8, 64}) {
    Builder b({1, 16, side, side});
    const auto wide = b.swish("wide", b.conv("expand", b.x, {96, 16, 1, 1}));
    b.graph.outputs = {b.depthwise("deep", wide, 96)};
    const std::string text = rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, absorb_activations,
                                                 [](ir::Graph& g) { fuse_expand_depthwise(g, {}); }});
    EXPECT_EQ(text.find("ExpandDepthwise") != std::string::npos, side == 64) << text;
  }
}

}  // namespace
}  // namespace effdet::compiler
