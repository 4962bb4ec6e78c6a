// ai.effdet::MatMul(x, weight, bias, residual?) -> y = act(x W + bias + residual): a pointwise Conv of a map of one
// row.
#include "ops/fused/matmul.h"

#include <numeric>

#include "ops/fused/maps.h"
#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_fused_matmul(const InferContext& c) {
  if (!c.shape(0) || c.shape(0)->empty() || !is_known(*c.shape(0)))
    node_error(c.node, "input 0 has no known shape of at least one dimension");
  Shape y = *c.shape(0);
  y.back() = c.node.get_int("out_channels", 0);
  std::vector<InputInfo> inputs(c.inputs.begin(), c.inputs.end());
  inputs[0].shape = as_pixels(*c.shape(0));
  if (c.has(3)) {
    if (c.shape(3) && *c.shape(3) != y)
      node_error(c.node, "input 3 has the shape {}, not {}", shape_text(*c.shape(3)), shape_text(y));
    inputs[3].shape = as_pixels(y);
  }
  return {{infer_node(as_pointwise_conv(c.node), c.opset, inputs).at(0).dtype, y}};
}

void evaluate_fused_matmul(const EvalContext& c) {
  std::vector<Tensor> maps;
  std::vector<const Tensor*> inputs(c.inputs.begin(), c.inputs.end());
  maps.reserve(2);
  for (const size_t i : {size_t{0}, size_t{3}})
    if (c.has(i)) inputs[i] = &maps.emplace_back(c.input(i).reshaped(as_pixels(c.input(i).shape())));
  const Tensor y = evaluate_node(as_pointwise_conv(c.node), c.opset, inputs, c.threads).at(0);
  c.output() = y.reshaped(c.output().shape());
}

int64_t fused_matmul_products(const CostContext& c) { return c.elements(c.outputs[0]) * c.inputs[1][1]; }

}  // namespace

ir::Node as_pointwise_conv(const ir::Node& matmul) {
  ir::Node conv = matmul;
  conv.op = "Conv";
  conv.attributes["layout"] = std::string("nhwc");
  return conv;
}

Shape as_pixels(const Shape& shape) {
  const int64_t rows = std::accumulate(shape.begin(), shape.end() - 1, int64_t{1}, std::multiplies{});
  return {1, 1, rows, shape.back()};
}

std::span<const Operator> fused_matmul_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap, Slot::kPackedWeights, Slot::kBias, Slot::kResidual};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kFloat32Maps,
                              .absorbs = Absorbs::kSteps,
                              .heavy = true,
                              .products = fused_matmul_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "MatMul", 3, 4, infer_fused_matmul, evaluate_fused_matmul, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
