// Reductions, and what weighs the values of an axis by their sum. Values are worked out by hand.
#include <limits>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, Reductions) {
  const Tensor x = floats({2, 2}, {1, -2, 3, 4});
  expect_values({
      {"ReduceL1", {x, ints({1})}, {3, 7}},
      {"ReduceL2", {x, ints({1})}, {2.236068f, 5}},
      {"ReduceSumSquare", {x, ints({0})}, {10, 20}},
      {"ReduceLogSum", {floats({2}, {1, 3})}, {1.386294f}},
      {"ReduceLogSumExp", {floats({2}, {1000, 1000})}, {1000.693147f}},
      {"ReduceMax", {bools({0, 1})}, {1}, {}, 20},
      {"ReduceMin", {bools({0, 1})}, {0}, {}, 20},
      {"ArgMax", {x}, {1, 1}},
      {"ArgMin", {x}, {1, 0}, {{"axis", int64_t{-1}}}},
      {"ArgMax", {list({2, 5, 5})}, {2}, {{"select_last_index", int64_t{1}}}},
      {"LogSoftmax", {floats({1, 2}, {1000, 1000})}, {-0.693147f, -0.693147f}},
      {"Hardmax", {floats({1, 3}, {1, 3, 3})}, {0, 1, 0}},
  });
}

TEST(Reduce, AxesAsAttributeAndInput) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(values(run_node("ReduceSum", {x}, {{"axes", List{0}}, {"keepdims", int64_t{0}}})[0]), (Floats{3, 5, 7}));
  EXPECT_EQ(values(run_node("ReduceSum", {x, ints({-1})}, {}, 13)[0]), (Floats{3, 12}));
  EXPECT_EQ(values(run_node("ReduceMean", {x})[0]), (Floats{2.5f}));
  EXPECT_EQ(values(run_node("ReduceMax", {x}, {{"axes", List{1}}})[0]), (Floats{2, 5}));
  EXPECT_EQ(values(run_node("ReduceProd", {x}, {{"axes", List{1}}})[0]), (Floats{0, 60}));
}

TEST(Reduce, UnsignedKeepTheirRange) {
  const Tensor x = ints({-1, 5}).to(DType::kU64);  // the largest
  EXPECT_EQ(values<uint64_t>(run_node("ReduceMax", {x})[0])[0], std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(values<uint64_t>(run_node("ReduceMin", {x})[0])[0], 5u);
}

TEST(Softmax, FlattensBeforeOpset13) {
  const Tensor x = floats({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(values(run_node("Softmax", {x}, {}, 11)[0])[0], 0.25f);
  EXPECT_EQ(values(run_node("Softmax", {x}, {}, 13)[0])[0], 0.5f);
}

}  // namespace
}  // namespace effdet::ops
