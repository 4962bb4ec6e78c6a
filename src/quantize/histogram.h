// Counts of a map's values, from which ranges are chosen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace effdet::quantize {

/// An interval of numbers that contains 0.
struct Range {
  float low = 0, high = 0;
};

/// Values in bins of one width, over an interval around 0 that doubles when a value lies outside: then pairs of bins
/// become one, so that one look at each value is enough. What it holds does not depend on the order of values.
class Histogram {
 public:
  static constexpr size_t kBins = 8192;

  Histogram();

  /// Counts the values; false where one of them is not finite, and then none is counted.
  [[nodiscard]] bool add(std::span<const float> values);
  void merge(const Histogram& other);

  uint64_t count() const;
  /// The exact smallest and largest value, 0 included.
  Range range() const { return range_; }
  /// The range without the lowest and the highest share of values, each (100 - percentile) % of all.
  Range percentile(double percentile) const;
  /// The range, of those within the whole, whose 256 codes have the least mean square error.
  Range least_squares() const;

 private:
  /// The width of bins becomes 2^exponent, where it is smaller.
  void widen(int exponent);
  double center(size_t bin) const;

  std::vector<uint64_t> counts_;  ///< bin i holds [i - kBins / 2, i + 1 - kBins / 2) * 2^exponent_
  int exponent_;                  ///< of the width of bins
  Range range_;
};

}  // namespace effdet::quantize
