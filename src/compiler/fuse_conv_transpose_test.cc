// Transposed convolutions.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(FuseConvTranspose, EveryWayToSayItsSize) {
  const Attributes cases[] = {{},
                              {{"pads", Ints{1, 1, 1, 1}}},
                              {{"output_padding", Ints{1, 0}}, {"pads", Ints{0, 1, 1, 0}}},
                              {{"output_shape", Ints{11, 12}}},
                              {{"auto_pad", std::string("SAME_UPPER")}},
                              {{"auto_pad", std::string("SAME_LOWER")}}};
  for (const int64_t kernel : {2, 3, 4})
    for (const Attributes& attributes : cases) {
      Builder b({1, 6, 5, 6});
      Attributes all = attributes;
      all["strides"] = Ints{2, 2};
      const auto up = b.node("ConvTranspose", "up",
                             {b.x, b.constant("w", waves({6, 5, kernel, kernel})), b.constant("b", waves({5}))}, all);
      b.graph.outputs = {b.node("Relu", "relu", {up})};
      const artifact::Program program = expect_same(b.graph);
      EXPECT_EQ(count_of(program.graph, "Relu"), 0);
      const auto names = implementations(program);
      EXPECT_EQ(std::ranges::count(names, "reference"), 0) << kernel;
    }
}

TEST(FuseConvTranspose, TakesTheNormAndTheBiasBehindIt) {
  Builder b({1, 6, 5, 6});
  Tensor variance = floats({4}, {1, 2, 3, 4});
  const auto up = b.node("ConvTranspose", "up", {b.x, b.constant("w", waves({6, 2, 2, 2}))},
                         {{"strides", Ints{2, 2}}, {"group", int64_t{2}}});
  const auto biased = b.node("Add", "biased", {up, b.constant("bias", waves({1, 4, 1, 1}))});
  b.graph.outputs = {b.node("BatchNormalization", "norm",
                            {biased, b.constant("gamma", waves({4}, 1)), b.constant("beta", waves({4}, 2)),
                             b.constant("mean", waves({4}, 3)), b.constant("variance", variance)})};
  EXPECT_EQ(expect_same(b.graph).graph.nodes.size(), 1u);
}

}  // namespace
}  // namespace effdet::compiler
