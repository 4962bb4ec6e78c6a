// ai.effdet::MaxPool: attributes, inference, reference kernel, card.
#include "ops/fused/max_pool.h"

#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_fused_max_pool(const InferContext& c) {
  const auto a = MaxPoolAttributes::of(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), a.layout);
  return {{one_type(c), windowed(c.node, in, a.window).shape(a.layout)}};
}

/// x with the window's pads around it.
Tensor zero_padded(const EvalContext& c, const Window2d& w, const Tensor& x) {
  const int64_t around[] = {0, 0, w.pad_top, w.pad_left, 0, 0, w.pad_bottom, w.pad_right};
  const Tensor pads = Tensor::from<int64_t>({8}, around);
  const ir::Node pad{"Pad", "", c.node.name, {0, 1}, {2}, {}};
  const Tensor* inputs[] = {&x, &pads};
  return evaluate_node(pad, c.opset, inputs, c.threads).at(0);
}

void evaluate_fused_max_pool(const EvalContext& c) {
  const auto a = MaxPoolAttributes::of(c.node);
  Tensor x = input_nchw(c, 0, a.layout);
  ir::Node pool{"MaxPool", "", c.node.name, {0}, {1}, window_attributes(a.window)};
  if (a.zero_padding) {
    x = zero_padded(c, a.window, x);
    pool.attributes["pads"] = std::vector<int64_t>{0, 0, 0, 0};
  }
  const Tensor* inputs[] = {&x};
  write_output(c, evaluate_node(pool, c.opset, inputs, c.threads).at(0), a.layout);
}

}  // namespace

MaxPoolAttributes MaxPoolAttributes::of(const ir::Node& node) {
  return {.window = window_2d(node), .zero_padding = node.get_int("zero_padding", 0) != 0, .layout = one_layout(node)};
}

std::span<const Operator> fused_max_pool_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kMapTypes,
                              .layout = LayoutRule::kAttributes,
                              .heavy = true};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "MaxPool", 1, 1, infer_fused_max_pool, evaluate_fused_max_pool, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
