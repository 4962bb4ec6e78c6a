// Pad in its modes. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Pad, Modes) {
  const Tensor x = floats({1, 3}, {1, 2, 3}), pads = ints({0, 2, 0, 1});
  EXPECT_EQ(values(run_node("Pad", {x, pads, floats({}, {9})})[0]), (Floats{9, 9, 1, 2, 3, 9}));
  EXPECT_EQ(values(run_node("Pad", {x, pads}, {{"mode", std::string("edge")}})[0]), (Floats{1, 1, 1, 2, 3, 3}));
  EXPECT_EQ(values(run_node("Pad", {x, pads}, {{"mode", std::string("reflect")}})[0]), (Floats{3, 2, 1, 2, 3, 2}));
  EXPECT_EQ(values(run_node("Pad", {x, ints({0, -1, 0, 0})})[0]), (Floats{2, 3}));
}

}  // namespace
}  // namespace effdet::ops
