// Reading and writing at places. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, GatherAndScatter) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  const auto index = [](Shape shape, std::vector<int64_t> values) { return Tensor::from<int64_t>(shape, values); };
  const std::string add = "add";
  expect_values({
      {"GatherElements", {x, index({2, 1}, {1, -2})}, {2, 3}, {{"axis", int64_t{1}}}},
      {"GatherND", {x, index({2, 2}, {0, 1, 1, 0})}, {2, 3}},
      {"GatherND", {x, index({2, 1}, {1, 0})}, {2, 3}, {{"batch_dims", int64_t{1}}}},
      {"ScatterElements", {x, index({1, 2}, {1, 0}), floats({1, 2}, {9, 8})}, {1, 8, 9, 4}},
      {"Scatter", {x, index({1, 1}, {-1}), floats({1, 1}, {9})}, {1, 2, 9, 4}, {}, 9},
      {"ScatterElements", {list({1, 1}), ints({0, 0}), list({2, 3})}, {6, 1}, {{"reduction", add}}},
      {"ScatterND", {x, index({1, 1}, {1}), floats({1, 2}, {9, 8})}, {1, 2, 9, 8}},
      {"ScatterND", {list({2}), index({2, 1}, {0, 0}), list({3, 4})}, {24}, {{"reduction", std::string("mul")}}},
  });
}

}  // namespace
}  // namespace effdet::ops
