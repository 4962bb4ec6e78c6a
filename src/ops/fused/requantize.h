// The arithmetic of 8-bit maps, one number at a time: how sums become codes. Reference kernels call it, and fast ones
// do the same to many at a time, bit for bit, on every instruction set: each operation on floats rounds once (there is
// no fused multiplication and addition), and the rest are integers.
#pragma once

#include <array>
#include <cstdint>

#include "base/activation.h"

namespace effdet::ops {

/// What the codes of a map stand for: number = scale * (code - zero_point). Codes are uint8.
struct Quantization {
  float scale = 1;
  int32_t zero_point = 0;

  bool operator==(const Quantization&) const = default;
  float number(uint8_t code) const { return scale * static_cast<float>(code - zero_point); }
  /// The code of a number, as ONNX's QuantizeLinear has it: divided, rounded half to even, the zero point added,
  /// saturated. NaN becomes the zero point.
  uint8_t code(float number) const;
};

/// (a * b) / 2^15, rounded: x86's pmulhrsw.
int16_t multiply_high(int16_t a, int16_t b);

/// Sums of a layer, or of Mix, to the codes of its map: through the activation, rounded once.
///
/// A sum arrives as a float times multiplier(what one step of it stands for); several such are added as floats.
/// Swish is computed in 16-bit fixed point, in steps of y.scale / 2^shift: it is relu(x) - |x| sigmoid(-|x|), and the
/// second part is a table of kSegments lines. Other activations are those of base/activation.h, in float.
class Requantizer {
 public:
  static constexpr int kSegments = 64;
  static constexpr int kSegmentBits = 9;  ///< of a step's number within its segment

  /// Precondition: takes(activation), and y.scale is positive and finite.
  Requantizer(Activation activation, Quantization y);

  /// Sigmoid and Mish are none of a layer's: their exponentials would not be the same everywhere.
  static bool takes(Activation activation);

  /// What sums are multiplied by whose unit stands for `scale`: x_scale * weight_scale of a convolution.
  float multiplier(float scale) const;
  /// The code of a sum of such products.
  uint8_t code(float sum) const;
  /// Whether kernels may convert such sums to 32-bit integers: with the largest magnitude that one can have.
  bool fits(double largest_sum) const { return largest_sum < 0x1p31 && largest_sum * inverse_scale_ < 0x1p31; }

  Activation activation() const { return activation_; }
  float inverse_scale() const { return inverse_scale_; }  ///< 1 / y.scale
  int32_t zero_point() const { return y_.zero_point; }
  int shift() const { return shift_; }
  /// -|x| sigmoid(-|x|) where a segment begins, and the difference to where it ends.
  const std::array<int16_t, kSegments>& base() const { return base_; }
  const std::array<int16_t, kSegments>& slope() const { return slope_; }

 private:
  uint8_t swish_code(float sum) const;

  Activation activation_;
  Quantization y_;
  float inverse_scale_;
  int shift_ = 0;
  std::array<int16_t, kSegments> base_{}, slope_{};
};

/// The codes of a map times factors of its channels (ai.effdet::Gate), in 16-bit fixed point.
class GateCodes {
 public:
  /// Precondition: both scales are positive and finite, and takes(x, y).
  GateCodes(Quantization x, Quantization y);
  /// Whether the scales are near enough to each other for 16 bits: x.scale is at most 16 times y.scale.
  static bool takes(Quantization x, Quantization y);

  /// A channel's factor in fixed point. Gates are sigmoids; others saturate.
  int16_t factor(float gate) const;
  uint8_t code(uint8_t x, int16_t factor) const;

  float ratio() const { return ratio_; }            ///< x.scale / y.scale
  int factor_bits() const { return factor_bits_; }  ///< after the point of factor()
  int shift() const { return factor_bits_ - 9; }    ///< bits after the point of a product
  int32_t x_zero_point() const { return x_.zero_point; }
  int32_t y_zero_point() const { return y_.zero_point; }

 private:
  Quantization x_, y_;
  float ratio_;
  int factor_bits_;
};

}  // namespace effdet::ops
