// Lays out a Requantizer's numbers for vectors.
#include "kernels/cpu/requantization.h"

namespace effdet::kernels::cpu {

static_assert(Requantization::kLines == ops::Requantizer::kSegments);
static_assert(Requantization::kSegmentBits == ops::Requantizer::kSegmentBits);

Requantization requantization(const ops::Requantizer& requantizer) {
  constexpr float kFar = 1e30f;
  const Activation activation = requantizer.activation();
  // Other activations are more than limits, or have none.
  const bool limits = activation == Activation::kRelu || activation == Activation::kRelu6;
  Requantization r{.activation = activation,
                   .inverse_scale = requantizer.inverse_scale(),
                   .zero_point = static_cast<int16_t>(requantizer.zero_point()),
                   .lowest = static_cast<int16_t>(limits ? requantizer.code(-kFar) : 0),
                   .highest = static_cast<int16_t>(limits ? requantizer.code(kFar) : 255),
                   .shift = requantizer.shift(),
                   .lines = {}};
  const int half = requantizer.shift() > 0 ? 1 << (requantizer.shift() - 1) : 0;
  const int added = half + (requantizer.zero_point() << requantizer.shift());
  for (size_t i = 0; i < Requantization::kLines; ++i) {
    const int16_t slope = requantizer.slope()[i];
    r.lines[i] = {static_cast<int16_t>(requantizer.base()[i] + added + (i % 2 == 1 ? slope : 0)), slope};
  }
  return r;
}

}  // namespace effdet::kernels::cpu
