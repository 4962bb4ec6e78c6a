// Lays out a Requantizer's numbers for vectors.
#include "kernels/cpu/requantization.h"

#include <iterator>

namespace effdet::kernels::cpu {

static_assert(Requantization::kLines == ops::Requantizer::kSegments);
static_assert(Requantization::kSegmentBits == ops::Requantizer::kSegmentBits);

namespace {

Requantization::Bytes bytes_of(const Requantization::Line (&lines)[Requantization::kLines]) {
  Requantization::Bytes bytes{};
  const auto set = [](uint8_t(&table)[Requantization::kLines / 16][16], size_t i, int value) {
    for (size_t row = i / 16; row < i / 16 + 2 && row < std::size(table); ++row)
      table[row][i % 16] ^= static_cast<uint8_t>(value);
  };
  for (size_t i = 0; i < Requantization::kLines; ++i) {
    set(bytes.base_low, i, lines[i].base);
    set(bytes.base_high, i, lines[i].base >> 8);
    set(bytes.slope_low, i, lines[i].slope);
    bytes.falling = static_cast<int8_t>(bytes.falling + (lines[i].slope < 0));
  }
  return bytes;
}

}  // namespace

Requantization requantization(const ops::Requantizer& requantizer) {
  constexpr float kFar = 1e30f;
  const Activation activation = requantizer.activation();
  // Other activations are more than limits, or have none.
  const bool limits = activation == Activation::kRelu || activation == Activation::kRelu6;
  Requantization r{.activation = activation,
                   .inverse_scale = requantizer.inverse_scale(),
                   .zero_point = static_cast<int16_t>(requantizer.zero_point()),
                   .lowest = limits ? requantizer.code(-kFar) : uint8_t{0},
                   .highest = limits ? requantizer.code(kFar) : uint8_t{255},
                   .shift = requantizer.shift(),
                   .lines = {},
                   .bytes = {}};
  const int half = requantizer.shift() > 0 ? 1 << (requantizer.shift() - 1) : 0;
  const int added = half + (requantizer.zero_point() << requantizer.shift());
  for (size_t i = 0; i < Requantization::kLines; ++i) {
    const int16_t slope = requantizer.slope()[i];
    r.lines[i] = {static_cast<int16_t>(requantizer.base()[i] + added + (i % 2 == 1 ? slope : 0)), slope};
  }
  r.bytes = bytes_of(r.lines);
  return r;
}

}  // namespace effdet::kernels::cpu
