// Ranges of values that are known, and counts that do not depend on the order in which values came.
#include "quantize/histogram.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

namespace effdet::quantize {
namespace {

Histogram histogram_of(std::vector<float> values) {
  Histogram histogram;
  EXPECT_TRUE(histogram.add(values));
  return histogram;
}

TEST(Histogram, RangeIsExactAndHoldsZero) {
  const Range range = histogram_of({3.3f, 1.7f}).range();
  EXPECT_EQ(range.low, 0);
  EXPECT_EQ(range.high, 3.3f);
  const Range zeros = histogram_of({0, -0.0f, 0}).range();
  EXPECT_EQ(zeros.low, 0);
  EXPECT_EQ(zeros.high, 0);
}

TEST(Histogram, CountsNothingOfWhatIsNotFinite) {
  Histogram histogram;
  EXPECT_FALSE(histogram.add(std::vector{1.0f, std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_FALSE(histogram.add(std::vector{1.0f, -std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_TRUE(histogram.add(std::vector{std::numeric_limits<float>::max(), -std::numeric_limits<float>::denorm_min()}));
}

/// Small values first or last, in one histogram or merged: the same ranges.
TEST(Histogram, OrderDoesNotMatter) {
  std::vector<float> values(3000);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i % 97) * 0.01f * (i % 2 == 0 ? 1.0f : -0.3f);
  const std::vector<float> large{900.0f, -31.0f};
  Histogram first = histogram_of(large), last = histogram_of(values), merged = histogram_of(values);
  EXPECT_TRUE(first.add(values) && last.add(large));
  merged.merge(histogram_of(large));
  for (const Histogram* one : {&last, &merged})
    for (const double percentile : {90.0, 99.0, 99.99}) {
      EXPECT_EQ(one->percentile(percentile).low, first.percentile(percentile).low);
      EXPECT_EQ(one->percentile(percentile).high, first.percentile(percentile).high);
      EXPECT_EQ(one->count(), values.size() + 2);
    }
}

TEST(Histogram, PercentileLeavesOutliersOut) {
  std::vector<float> values(10000);
  std::iota(values.begin(), values.end(), 0.0f);
  values[0] = 1e6f;
  EXPECT_EQ(histogram_of(values).range().high, 1e6f);
  EXPECT_NEAR(histogram_of(values).percentile(99.9).high, 9990, 300);  // bins are 256 wide
}

TEST(Histogram, LeastSquaresWeighsClippingAgainstRounding) {
  std::vector<float> values(100000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000) * 0.001f;
  const Range even = histogram_of(values).least_squares();
  EXPECT_NEAR(even.high, 1, 0.02);
  values[7] = 3;
  // The least of n (high / 255)^2 / 12 + (3 - high)^2.
  EXPECT_NEAR(histogram_of(values).least_squares().high, 3 / (1 + 1e5 / (12 * 255 * 255)), 0.03);
}

}  // namespace
}  // namespace effdet::quantize
