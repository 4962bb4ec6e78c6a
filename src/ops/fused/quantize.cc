// ai.effdet::Quantize(x) and Dequantize(x): between floats and codes, with one scale and zero point among the
// attributes: what remains of ONNX's operators where no layer takes them into itself.
#include <algorithm>

#include "ops/fused/maps.h"
#include "ops/fused/quantization.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

Quantization required(const ir::Node& node, std::string_view map) {
  const auto quantization = quantization_of(node, map);
  require_quantization(node, map, DType::kU8, quantization.has_value());
  return *quantization;
}

std::vector<Inferred> infer_fused_quantize(const InferContext& c) {
  required(c.node, "y");
  map_type(c, 0);
  return {{DType::kU8, c.shape(0)}};
}

void evaluate_fused_quantize(const EvalContext& c) {
  const Quantization y = required(c.node, "y");
  const Tensor x = c.input(0).to(DType::kF32);
  std::ranges::transform(x.data<float>(), c.output().mutable_data<uint8_t>().begin(),
                         [&](float number) { return y.code(number); });
}

std::vector<Inferred> infer_fused_dequantize(const InferContext& c) {
  required(c.node, "x");
  if (c.dtype(0) != DType::kU8) node_error(c.node, "input 0 is {}, not uint8", dtype_name(c.dtype(0)));
  const DType type = output_type_of(c.node).value_or(DType::kF32);
  if (type == DType::kU8) node_error(c.node, "makes no uint8");
  return {{type, c.shape(0)}};
}

void evaluate_fused_dequantize(const EvalContext& c) {
  const Quantization x = required(c.node, "x");
  Tensor y(DType::kF32, c.output().shape());
  std::ranges::transform(c.input(0).data<uint8_t>(), y.mutable_data<float>().begin(),
                         [&](uint8_t code) { return x.number(code); });
  c.output() = y.to(c.output().dtype());
}

}  // namespace

std::span<const Operator> fused_quantize_operators() {
  static constexpr Slot kSlots[] = {Slot::kAnyMap};
  static constexpr Card kCard{.batch = Batch::kByElement,
                              .slots = kSlots,
                              .map_types = kCodeMaps,
                              .layout = LayoutRule::kFollows,
                              .heavy = true};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Quantize", 1, 1, infer_fused_quantize, evaluate_fused_quantize, kCard},
      {ir::kFusedDomain, "Dequantize", 1, 1, infer_fused_dequantize, evaluate_fused_dequantize, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
