// Scales channels against each other, so that one scale of a map's codes fits all of them.
#pragma once

#include "quantize/quantize.h"

namespace effdet::quantize {

/// The most images that peaks are taken from: factors need not be exact.
inline constexpr size_t kEqualizationImages = 32;

/// Where only linear operators make and read a map, those that make it may make each channel smaller by a factor that
/// those who read it take back: between depthwise and pointwise convolutions of BiFPN and heads, along the sums of a
/// stage's blocks, and behind a gate, whose vector takes the factors. A channel's factor is its peak, over some of the
/// images, so that each has all the codes of the map. The graph computes the same up to rounding. To be called between
/// prepare() and calibrate(); throws as calibrate() does.
ir::Graph equalize(const ir::Graph& graph, InputSource source, const CalibrationOptions& options = {});

}  // namespace effdet::quantize
