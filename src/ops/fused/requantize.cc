// Sums to 8-bit codes: rounding, fixed-point swish, gates.
#include "ops/fused/requantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace effdet::ops {
namespace {

template <typename T>
T saturated(double value) {
  return static_cast<T>(
      std::clamp(value, double{std::numeric_limits<T>::min()}, double{std::numeric_limits<T>::max()}));
}

/// Rounded half to even.
template <typename T>
T rounded(double value) {
  return std::isnan(value) ? T{0} : saturated<T>(std::nearbyint(value));
}

/// Half a step at the place that a shift to the right by so many bits drops.
int32_t half(int shift) { return shift > 0 ? 1 << (shift - 1) : 0; }

uint8_t saturated_code(int32_t value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

/// -|x| sigmoid(-|x|), which swish is beside relu.
double below_relu(double magnitude) { return -magnitude / (1 + std::exp(magnitude)); }

}  // namespace

int16_t multiply_high(int16_t a, int16_t b) { return static_cast<int16_t>((int32_t{a} * b + 0x4000) >> 15); }

uint8_t Quantization::code(float number) const {
  const float steps = std::nearbyint(number / scale);
  return std::isnan(steps) ? saturated_code(zero_point) : saturated<uint8_t>(double{steps} + zero_point);
}

Requantizer::Requantizer(Activation activation, Quantization y)
    : activation_(activation), y_(y), inverse_scale_(1.0f / y.scale) {
  if (activation != Activation::kSwish) return;
  // So fine that a code has up to 128 steps, and so coarse that 16 bits reach to 8, where swish is nearly relu.
  shift_ = std::clamp(std::ilogb(4096 * y.scale), 0, 7);
  const double step = std::ldexp(double{y.scale}, -shift_);
  const double length = step * (1 << kSegmentBits);
  for (int i = 0; i < kSegments; ++i) {
    const double begin = below_relu(i * length), middle = below_relu((i + 0.5) * length),
                 end = below_relu((i + 1) * length);
    const double bow = middle - (begin + end) / 2;  // of the curve above its chord: half of it is the least error
    base_[static_cast<size_t>(i)] = rounded<int16_t>((begin + bow / 2) / step);
    slope_[static_cast<size_t>(i)] = rounded<int16_t>((end - begin) / step);
  }
}

bool Requantizer::takes(Activation activation) {
  return activation != Activation::kSigmoid && activation != Activation::kMish &&
         static_cast<int32_t>(activation) < kFusedActivations;
}

float Requantizer::multiplier(float scale) const {
  if (activation_ != Activation::kSwish) return scale;
  const float codes = scale * inverse_scale_;
  return codes * static_cast<float>(1 << shift_);
}

uint8_t Requantizer::swish_code(float sum) const {
  const auto x = rounded<int16_t>(double{sum});
  const auto magnitude = static_cast<int16_t>(std::min(std::abs(int32_t{x}), 32767));
  const auto segment = static_cast<size_t>(magnitude >> kSegmentBits);
  const auto within = static_cast<int16_t>((magnitude & ((1 << kSegmentBits) - 1)) << (15 - kSegmentBits));
  const int32_t y = std::max<int32_t>(x, 0) + base_[segment] + multiply_high(within, slope_[segment]);
  return saturated_code(((saturated<int16_t>(y) + half(shift_)) >> shift_) + y_.zero_point);
}

uint8_t Requantizer::code(float sum) const {
  if (activation_ == Activation::kSwish) return swish_code(sum);
  const float steps = activate(activation_, sum) * inverse_scale_;
  return saturated_code(std::clamp(rounded<int32_t>(double{steps}), -0x10000, 0x10000) + y_.zero_point);
}

GateCodes::GateCodes(Quantization x, Quantization y) : x_(x), y_(y), ratio_(x.scale / y.scale) {
  factor_bits_ = 14 - static_cast<int>(std::max(0.0, std::ceil(std::log2(double{ratio_}))));  // of a ratio of 0 too
}

bool GateCodes::takes(Quantization x, Quantization y) { return x.scale / y.scale <= 16; }

int16_t GateCodes::factor(float gate) const {
  const float scaled = gate * ratio_;
  return rounded<int16_t>(double{scaled * static_cast<float>(1 << factor_bits_)});
}

uint8_t GateCodes::code(uint8_t x, int16_t factor) const {
  const int32_t product = multiply_high(static_cast<int16_t>((x - x_.zero_point) * 64), factor);
  return saturated_code(((product + half(shift())) >> shift()) + y_.zero_point);
}

}  // namespace effdet::ops
