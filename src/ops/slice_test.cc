// Slice. Values are worked out by hand.
#include <limits>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Slice, NumpyRules) {
  const Tensor x = counting({5});
  const auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return values(run_node("Slice", {x, ints({start}), ints({end}), ints({0}), ints({step})})[0]);
  };
  EXPECT_EQ(slice(1, -1, 1), (Floats{1, 2, 3}));
  EXPECT_EQ(slice(-1, std::numeric_limits<int64_t>::min(), -2), (Floats{4, 2, 0}));
  EXPECT_EQ(slice(3, 1, 1), Floats{});
  EXPECT_EQ(slice(0, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()), Floats{0});
}

}  // namespace
}  // namespace effdet::ops
