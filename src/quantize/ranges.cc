// Chooses between the ways to find a range.
#include "quantize/ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace effdet::quantize {

MapCodes codes_of(Range range) {
  constexpr double kCodes = 255;
  const double low = std::min(0.0, static_cast<double>(range.low)),
               high = std::max(0.0, static_cast<double>(range.high));
  const auto scale = static_cast<float>((high - low) / kCodes);
  if (!(scale >= std::numeric_limits<float>::min())) return {};  // a map of zeros, or next to them
  return {scale, static_cast<uint8_t>(std::clamp(std::nearbyint(-low / static_cast<double>(scale)), 0.0, kCodes))};
}

MapCodes choose_codes(const Histogram& histogram, const Options& options) {
  switch (options.ranges) {
    case Ranges::kMinMax:
      return codes_of(histogram.range());
    case Ranges::kPercentile:
      return codes_of(histogram.percentile(options.percentile));
    case Ranges::kMse:
    case Ranges::kAuto:
      break;
  }
  return codes_of(histogram.least_squares());
}

}  // namespace effdet::quantize
