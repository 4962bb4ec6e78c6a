// Layers that have proved to lose much and to gain little by 8 bits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quantize/layers.h"

namespace effdet::quantize {

/// The names of two kinds of layers. First, those on the caller's images, whose few channels gain nothing, and what
/// follows up to and including the next convolution: these maps have the widest ranges, and all others depend on them.
/// Second, the last two pairs of depthwise layer and convolution before outputs of boxes, as far as they have no more
/// than 4 % of all products: what they round is not smoothed by layers behind them, and a box that is 2 % of its
/// anchor's side off is no detection any more at an overlap of 0.95, while class logits that are 0.3 off cost nothing.
std::vector<std::string> sensitive_layers(const LayerGraph& layers);

/// Whether the name of a node or of an output is one of a head for boxes, in the words of effdet and zylo117.
bool is_of_boxes(std::string_view name);

}  // namespace effdet::quantize
