// Scales channels against each other, so that one scale of a map's codes fits all of them.
#pragma once

#include "quantize/quantize.h"

namespace effdet::quantize {

/// Where nothing but the map lies between two convolutions, as between depthwise and pointwise ones of BiFPN and heads,
/// the first may make each channel smaller by a factor that the second takes back. The factors balance each channel's
/// peak, over some of the images, with the weights that multiply it: then the codes of the map lose little to channels
/// that are larger than the others, and so do those of the weights. The graph computes the same up
/// to rounding. To be called between prepare() and calibrate(); throws as calibrate() does.
ir::Graph equalize(const ir::Graph& graph, InputSource source, const CalibrationOptions& options = {});

}  // namespace effdet::quantize
