// From a map's histogram to the scale and zero point of its codes.
#pragma once

#include <cstdint>

#include "quantize/quantize.h"

namespace effdet::quantize {

/// number = scale * (code - zero_point), codes from 0 to 255.
struct MapCodes {
  float scale = 1;
  uint8_t zero_point = 0;
};

/// The codes of a range, in which 0 is exact. A range without width has the scale 1.
MapCodes codes_of(Range range);

/// As the options say.
MapCodes choose_codes(const Histogram& histogram, const Options& options);

}  // namespace effdet::quantize
