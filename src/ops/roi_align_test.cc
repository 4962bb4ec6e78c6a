// RoiAlign. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, RoiAlignOfRegionsWithoutArea) {
  const Tensor map = floats({1, 1, 2, 2}, {5, 5, 5, 5}), region = floats({1, 4}, {1, 1, 1, 1});
  for (const char* mode : {"avg", "max"})
    expect_values({{"RoiAlign", {map, region, ints({0})}, {0}, {{"mode", std::string(mode)}}}});
}

}  // namespace
}  // namespace effdet::ops
