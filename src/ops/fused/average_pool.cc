// ai.effdet::AveragePool: attributes, inference, reference kernel, card.
#include "ops/fused/average_pool.h"

#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_fused_average_pool(const InferContext& c) {
  const auto a = AveragePoolAttributes::of(c.node);
  const Dims in = dims_of(known_shape(c, 0, 4), a.layout);
  return {{one_type(c), windowed(c.node, in, a.window).shape(a.layout)}};
}

void evaluate_fused_average_pool(const EvalContext& c) {
  const auto a = AveragePoolAttributes::of(c.node);
  const Tensor x = input_nchw(c, 0, a.layout);
  ir::Node pool{"AveragePool", "", c.node.name, {0}, {1}, window_attributes(a.window)};
  pool.attributes["count_include_pad"] = int64_t{a.count_include_pad};
  const Tensor* inputs[] = {&x};
  write_output(c, evaluate_node(pool, c.opset, inputs, c.threads).at(0), a.layout);
}

int64_t average_pool_products(const CostContext& c) {
  return c.elements(c.outputs[0]) * AveragePoolAttributes::of(c.node).window.taps();
}

}  // namespace

AveragePoolAttributes AveragePoolAttributes::of(const ir::Node& node) {
  return {.window = window_2d(node),
          .count_include_pad = node.get_int("count_include_pad", 0) != 0,
          .layout = one_layout(node)};
}

std::span<const Operator> fused_average_pool_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kMapTypes,
                              .layout = LayoutRule::kAttributes,
                              .heavy = true,
                              .products = average_pool_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "AveragePool", 1, 1, infer_fused_average_pool, evaluate_fused_average_pool, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
