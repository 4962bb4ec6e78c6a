// What fused operators share, in the words of kernels that ask a node for one attribute at a time.
#pragma once

#include "ops/fused/activation_steps.h"
#include "ops/fused/conv.h"
#include "ops/fused/layout.h"
#include "ops/fused/maps.h"
#include "ops/fused/mix.h"
#include "ops/fused/packing.h"
#include "ops/fused/window.h"

namespace effdet::ops {

inline ActivationSteps activation_steps_of(const ir::Node& node, std::string_view attribute = "activation") {
  return ActivationSteps::of(node, attribute);
}
/// Input channels that each output of a Conv reads.
inline int64_t group_channels(const ir::Node& conv, int64_t in_channels) {
  return ConvAttributes::of(conv).group_channels(in_channels);
}
inline Dims dims_of(const Shape& shape, bool nhwc) { return dims_of(shape, nhwc ? Layout::kNhwc : Layout::kPlain); }
/// Whether the node's input (or, with output = true, its output) lies NHWC.
inline bool is_nhwc(const ir::Node& node, bool output = false) {
  const MapLayouts layouts = MapLayouts::of(node);
  return (output ? layouts.output : layouts.input) == Layout::kNhwc;
}

}  // namespace effdet::ops
