// Batch norms that follow no convolution.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(SplitBatchNorms, BecomePartsOfPrograms) {
  Builder b({1, 3, 5, 7});
  const auto values = [&](const char* name, float shift) {
    Tensor tensor = waves({3}, shift);
    for (float& value : tensor.mutable_data<float>()) value = value * value + 0.5f;
    return b.constant(name, tensor);
  };
  const auto relu = b.node("Relu", "relu", {b.node("Add", "twice", {b.x, b.x})});
  const auto norm = b.node("BatchNormalization", "norm",
                           {relu, values("gamma", 0), values("beta", 1), values("mean", 2), values("variance", 3)});
  b.graph.outputs = {b.conv("conv", norm, {4, 3, 3, 3})};
  const auto names = implementations(expect_same(b.graph));
  EXPECT_EQ(std::ranges::count(names, "reference"), 0);
  EXPECT_EQ(std::ranges::count(names, "cpu:elementwise"), 1);
}

}  // namespace
}  // namespace effdet::compiler
