// Conversion of types. Values are worked out by hand.
#include <cmath>
#include <limits>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Cast, FloatsBeyondAnIntegerBecomeTheNearest) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Tensor x = floats({4}, {1e30f, -kInfinity, std::nanf(""), -2.7f});
  EXPECT_EQ(values<int64_t>(x.to(DType::kI64)),
            (List{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), 0, -2}));
  EXPECT_EQ(values<uint8_t>(x.to(DType::kU8)), (std::vector<uint8_t>{255, 0, 0, 0}));
  EXPECT_EQ(values(x.to(DType::kF64).to(DType::kF32))[0], 1e30f);
}

}  // namespace
}  // namespace effdet::ops
