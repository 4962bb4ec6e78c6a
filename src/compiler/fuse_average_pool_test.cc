// Pools whose windows reach beyond the map.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(FusePools, WindowsThatReachBeyondTheMap) {
  for (const char* op : {"MaxPool", "AveragePool"})
    for (const int64_t side : {6, 7, 8, 9}) {
      Builder b({1, 4, side, side + 1});
      b.graph.outputs = {b.node(op, "pool", {b.conv("conv", b.x, {4, 4, 1, 1})},
                                {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", int64_t{1}}})};
      const auto names = implementations(expect_same(b.graph));
      EXPECT_EQ(std::ranges::count(names, "reference"), 0) << op << ' ' << side;
    }
}

}  // namespace
}  // namespace effdet::compiler
