// Normalization over axes and groups. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, Normalizations) {
  const Tensor x = floats({1, 2, 2}, {1, 3, 5, 9});
  expect_values({
      {"InstanceNormalization", {x, list({1, 2}), list({0, 1})}, {-1, 1, -1, 3}},
      {"GroupNormalization", {x, list({1, 1}), list({0, 0})}, {-1, 1, -1, 1}, {{"num_groups", int64_t{2}}}, 21},
      {"LayerNormalization", {x, list({1, 1}), list({0, 2})}, {-1, 3, -1, 3}},
      {"LpNormalization", {list({3, 4})}, {0.6f, 0.8f}},
      {"MeanVarianceNormalization", {list({1, 3})}, {-1, 1}, {{"axes", List{0}}}},
      {"LRN", {floats({1, 2, 1}, {1, 2})}, {0.25f, 0.153846f}, {{"size", int64_t{1}}, {"alpha", 3.0f}, {"beta", 1.0f}}},
  });
  expect_values({{"LRN",
                  {floats({1, 2, 1}, {1, 2})},
                  {1 / 6.0f, 2 / 6.0f},
                  {{"size", int64_t{3}}, {"alpha", 3.0f}, {"beta", 1.0f}}}});
}

}  // namespace
}  // namespace effdet::ops
