// The middle of measurements.
#pragma once

#include <algorithm>
#include <vector>

namespace effdet::inline base {

/// The upper one of an even number of values; there must be one.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace effdet::inline base
