// Operators that move elements. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, Arrangement) {
  const Tensor depth = counting({1, 4, 1, 2});
  expect_values({
      {"DepthToSpace", {depth}, {0, 2, 1, 3, 4, 6, 5, 7}, {{"blocksize", int64_t{2}}}},
      {"SpaceToDepth", {counting({1, 1, 2, 2})}, {0, 1, 2, 3}, {{"blocksize", int64_t{2}}}},
      {"Trilu", {counting({2, 2})}, {0, 1, 0, 3}},
      {"Trilu", {counting({2, 2}), ints({-1})}, {0, 0, 2, 0}, {{"upper", int64_t{0}}}},
      {"ReverseSequence", {counting({3, 1}), ints({2})}, {1, 0, 2}},
      {"CenterCropPad", {counting({4}), ints({2})}, {1, 2}},
      {"CenterCropPad", {list({1, 2}), ints({4})}, {0, 1, 2, 0}},
      {"Pad", {list({1, 2, 3}), ints({2, 1})}, {2, 3, 1, 2, 3, 1}, {{"mode", std::string("wrap")}}},
      {"Pad", {floats({1, 2}, {1, 2}), ints({1, 0}), Tensor(), ints({-1})}, {0, 1, 2}},
  });
  const auto parts = run_node("Split", {counting({5})}, {{"num_outputs", int64_t{2}}}, 18, 2);
  EXPECT_EQ(values(parts[1]), (std::vector<float>{3, 4}));
}

TEST(Layout, MovesElements) {
  EXPECT_EQ(values(run_node("Transpose", {counting({2, 3})})[0]), (Floats{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values(run_node("Concat", {counting({1, 2}), counting({1, 1})}, {{"axis", int64_t{1}}})[0]),
            (Floats{0, 1, 0}));
  const auto parts = run_node("Split", {counting({1, 3})}, {{"axis", int64_t{1}}, {"split", List{1, 2}}}, 11, 2);
  EXPECT_EQ(values(parts[1]), (Floats{1, 2}));
  EXPECT_EQ(values(run_node("Gather", {counting({3, 2}), ints({-1, 0})})[0]), (Floats{4, 5, 0, 1}));
  EXPECT_EQ(values(run_node("Tile", {counting({1, 2}), ints({2, 2})})[0]), (Floats{0, 1, 0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(values(run_node("Expand", {counting({2, 1}), ints({1, 2})})[0]), (Floats{0, 0, 1, 1}));
  EXPECT_EQ(run_node("Reshape", {counting({2, 6}), ints({0, 3, -1})})[0].shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(run_node("Unsqueeze", {counting({2})}, {{"axes", List{0, 2}}})[0].shape(), (Shape{1, 2, 1}));
  EXPECT_EQ(run_node("Squeeze", {counting({1, 2, 1}), ints({0})}, {}, 13)[0].shape(), (Shape{2, 1}));
}

}  // namespace
}  // namespace effdet::ops
