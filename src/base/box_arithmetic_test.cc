// The exponential of boxes and scores against the C library's in float64.
#include "base/box_arithmetic.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace effdet {
namespace {

TEST(BoxArithmetic, ExponentialIsTheNearestFloat) {
  for (uint32_t bits = 0; bits < 0x43000000; bits += 997)  // up to 128
    for (const uint32_t sign : {0U, 0x80000000U}) {
      const float x = std::bit_cast<float>(bits | sign);
      ASSERT_EQ(boxes::exponential(x), static_cast<float>(std::exp(static_cast<double>(x)))) << x;
    }
}

TEST(BoxArithmetic, ExponentialAtTheEnds) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(boxes::exponential(kInfinity), kInfinity);
  EXPECT_EQ(boxes::exponential(3e38f), kInfinity);
  EXPECT_EQ(boxes::exponential(-kInfinity), 0.0f);
  EXPECT_EQ(boxes::exponential(-3e38f), 0.0f);
  EXPECT_TRUE(std::isnan(boxes::exponential(NAN)));
  EXPECT_EQ(boxes::exponential(0), 1.0f);
  EXPECT_EQ(boxes::score_of(0), 0.5f);
  EXPECT_EQ(boxes::score_of(200), 1.0f);
  EXPECT_EQ(boxes::score_of(-200), 0.0f);
}

}  // namespace
}  // namespace effdet
