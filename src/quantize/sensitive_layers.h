// Layers that have proved to lose much and to gain little by 8 bits.
#pragma once

#include <string>
#include <vector>

#include "quantize/layers.h"

namespace effdet::quantize {

/// The names of
/// - the layers on the caller's images, whose few channels gain nothing, and those after it up to and including the
/// next
///   convolution: its first maps have the widest ranges, and all others depend on them;
/// - as many of the last layers before outputs of boxes as have 4 % of all products: a box that is 2 % of its anchor's
/// side
///   off is no detection any more at an overlap of 0.95, while class logits that are 0.3 off cost nothing.
std::vector<std::string> sensitive_layers(const LayerGraph& layers);

}  // namespace effdet::quantize
