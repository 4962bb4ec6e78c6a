// BatchNormalization. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, BatchNormalizationMeasuresInTrainingMode) {
  const auto y = run_node("BatchNormalization", {floats({2, 1}, {1, 3}), list({1}), list({0}), list({0}), list({1})},
                          {{"training_mode", int64_t{1}}, {"momentum", 0.5f}}, 15, 3);
  EXPECT_NEAR(values(y[0])[0], -1, 1e-4);
  EXPECT_EQ(values(y[1]), std::vector<float>{1});  // 0 * 0.5 + 2 * 0.5
  EXPECT_EQ(values(y[2]), std::vector<float>{1});  // 1 * 0.5 + 1 * 0.5
}

TEST(BatchNormalization, PerChannel) {
  const Tensor y = run_node("BatchNormalization",
                            {floats({1, 2, 1, 2}, {1, 2, 3, 4}), floats({2}, {2, 3}), floats({2}, {1, 0}),
                             floats({2}, {1, 3}), floats({2}, {4, 9})},
                            {{"epsilon", 0.0f}})[0];
  EXPECT_EQ(values(y), (Floats{1, 2, 0, 1}));
}

}  // namespace
}  // namespace effdet::ops
