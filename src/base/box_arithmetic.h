// Boxes of candidates, their scores and overlaps: one source for all devices, with the same bits on each. Every
// operation rounds once, so that no multiplication melts into an addition, and the exponential is made of such
// operations.
#pragma once

#include <cstdint>

#include "base/device_function.h"

#ifndef __CUDACC__
#include <bit>
#endif

namespace effdet::inline base::boxes {

// Code for processors that includes this is compiled with -ffp-contract=off.
#ifdef __CUDACC__
EFFDET_CUDA float times(float a, float b) { return __fmul_rn(a, b); }
EFFDET_CUDA float plus(float a, float b) { return __fadd_rn(a, b); }
EFFDET_CUDA double times(double a, double b) { return __dmul_rn(a, b); }
EFFDET_CUDA double plus(double a, double b) { return __dadd_rn(a, b); }
EFFDET_CUDA double power_of_two(int64_t exponent) { return __longlong_as_double((exponent + 1023) << 52); }
#else
EFFDET_CUDA float times(float a, float b) { return a * b; }
EFFDET_CUDA float plus(float a, float b) { return a + b; }
EFFDET_CUDA double times(double a, double b) { return a * b; }
EFFDET_CUDA double plus(double a, double b) { return a + b; }
EFFDET_CUDA double power_of_two(int64_t exponent) { return std::bit_cast<double>((exponent + 1023) << 52); }
#endif

/// e to the x, in float64 to some 1e-14 and rounded once: as good as always the float that is nearest.
EFFDET_CUDA float exponential(float x) {
  if (x != x) return x;
  // Beyond these powers are infinite, and 0, as floats.
  const double exponent = x > 89.0f ? 89.0 : x < -104.0f ? -104.0 : static_cast<double>(x);
  constexpr double kLog2E = 1.4426950408889634, kLn2 = 0.6931471805599453;
  constexpr double kRounder = 6755399441055744.0;  // 1.5 * 2^52: what is added to it is rounded to a whole number
  const double number = plus(plus(times(exponent, kLog2E), kRounder), -kRounder);
  const double r = plus(exponent, -times(number, kLn2));  // within ln 2 / 2
  double sum = 1;
  for (int k = 13; k > 0; --k) sum = plus(1.0, times(times(sum, r), 1.0 / k));
  return static_cast<float>(times(sum, power_of_two(static_cast<int64_t>(number))));
}

EFFDET_CUDA float score_of(float logit) { return 1.0f / plus(1.0f, exponential(-logit)); }

/// Corners in pixels of the model's input.
struct Corners {
  float x1, y1, x2, y2;
};

/// What a network says of an anchor's box.
struct BoxCode {
  float ty, tx, th, tw;
};

/// The order of operations is that of effdet's decode_box_outputs.
EFFDET_CUDA Corners decoded(const Corners& anchor, const BoxCode& code) {
  const float anchor_height = plus(anchor.y2, -anchor.y1), anchor_width = plus(anchor.x2, -anchor.x1);
  const float width = times(exponential(code.tw), anchor_width);
  const float height = times(exponential(code.th), anchor_height);
  const float y = plus(times(code.ty, anchor_height), plus(anchor.y1, anchor.y2) / 2);
  const float x = plus(times(code.tx, anchor_width), plus(anchor.x1, anchor.x2) / 2);
  return {plus(x, -(width / 2)), plus(y, -(height / 2)), plus(x, width / 2), plus(y, height / 2)};
}

/// NaN stays one.
EFFDET_CUDA float bounded(float value, float high) {
  const float positive = value < 0 ? 0 : value;
  return high < positive ? high : positive;
}

EFFDET_CUDA Corners clipped(const Corners& box, float width, float height) {
  return {bounded(box.x1, width), bounded(box.y1, height), bounded(box.x2, width), bounded(box.y2, height)};
}

/// Neither infinite nor NaN.
EFFDET_CUDA bool is_finite(float x) { return x - x == 0; }
EFFDET_CUDA bool is_finite(const Corners& box) {
  return is_finite(box.x1) && is_finite(box.y1) && is_finite(box.x2) && is_finite(box.y2);
}

EFFDET_CUDA float area(const Corners& box) { return times(plus(box.x2, -box.x1), plus(box.y2, -box.y1)); }

EFFDET_CUDA float intersection(const Corners& a, const Corners& b) {
  const float width = plus(b.x2 < a.x2 ? b.x2 : a.x2, -(a.x1 < b.x1 ? b.x1 : a.x1));
  const float height = plus(b.y2 < a.y2 ? b.y2 : a.y2, -(a.y1 < b.y1 ? b.y1 : a.y1));
  return times(width > 0 ? width : 0, height > 0 ? height : 0);
}

/// 0 / 0 for two boxes without area is NaN, which is above no threshold: torchvision keeps such boxes too.
EFFDET_CUDA float iou(const Corners& a, const Corners& b) {
  const float inter = intersection(a, b);
  return inter / plus(plus(area(a), area(b)), -inter);
}

}  // namespace effdet::inline base::boxes
