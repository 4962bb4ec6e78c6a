// ai.effdet::MaxPool: attributes, inference, reference kernel, card.
#include "ops/fused/max_pool.h"

#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_fused_max_pool(const InferContext& c) {
  const auto a = MaxPoolAttributes::of(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), a.layout);
  const DType type = one_type(c, kCodeMaps);
  require_quantization(c.node, "x", type, a.x.has_value());
  return {{type, windowed(c.node, in, a.window).shape(a.layout)}};
}

/// x with the window's pads around it, which have the value of zero.
Tensor zero_padded(const EvalContext& c, const Window2d& w, const Tensor& x, float zero) {
  const int64_t around[] = {0, 0, w.pad_top, w.pad_left, 0, 0, w.pad_bottom, w.pad_right};
  const Tensor pads = Tensor::from<int64_t>({8}, around);
  const ir::Node pad{"Pad", "", c.node.name, {0, 1, 2}, {3}, {}};
  const Tensor value = Tensor::scalar(zero);
  const Tensor* inputs[] = {&x, &pads, &value};
  return evaluate_node(pad, c.opset, inputs, c.threads).at(0);
}

void evaluate_fused_max_pool(const EvalContext& c) {
  const auto a = MaxPoolAttributes::of(c.node);
  Tensor x = input_nchw(c, 0, a.layout);
  ir::Node pool{"MaxPool", "", c.node.name, {0}, {1}, window_attributes(a.window)};
  if (a.zero_padding) {
    x = zero_padded(c, a.window, x, a.x ? static_cast<float>(a.x->zero_point) : 0.0f);
    pool.attributes["pads"] = std::vector<int64_t>{0, 0, 0, 0};
  }
  const Tensor* inputs[] = {&x};
  write_output(c, evaluate_node(pool, c.opset, inputs, c.threads).at(0), a.layout);
}

}  // namespace

MaxPoolAttributes MaxPoolAttributes::of(const ir::Node& node) {
  return {.window = window_2d(node),
          .zero_padding = node.get_int("zero_padding", 0) != 0,
          .layout = one_layout(node),
          .x = quantization_of(node, "x")};
}

std::span<const Operator> fused_max_pool_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kCodeMaps,
                              .layout = LayoutRule::kAttributes,
                              .heavy = true};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "MaxPool", 1, 1, infer_fused_max_pool, evaluate_fused_max_pool, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
