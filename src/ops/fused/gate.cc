// ai.effdet::Gate: attributes, inference, reference kernel, card.
#include "ops/fused/gate.h"

#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_gate(const InferContext& c) {
  const auto a = GateAttributes::of(c.node);
  const DType type = one_type(c, kCodeMaps);
  const Dims dims = dims_of(known_shape(c, GateAttributes::kX, 4), a.layout);
  require_shape(c, GateAttributes::kGate, {dims.batch, dims.channels});
  require_quantization(c.node, "x", type, a.x.has_value());
  require_quantization(c.node, "y", type, a.y.has_value());
  if (a.x && !GateCodes::takes(*a.x, *a.y))
    node_error(c.node, "the scales of x and y, {} and {}, are too far apart", a.x->scale, a.y->scale);
  return {{type, c.shape(GateAttributes::kX)}};
}

void evaluate_gate(const EvalContext& c) {
  const auto a = GateAttributes::of(c.node);
  Tensor y = input_nchw(c, GateAttributes::kX, a.layout);
  const auto values = y.mutable_data<float>();
  const auto gates = c.input(GateAttributes::kGate).data<float>();
  const auto plane = static_cast<size_t>(y.dim(2) * y.dim(3));
  for (size_t channel = 0; channel < gates.size(); ++channel) {
    const auto map = values.subspan(channel * plane, plane);
    if (a.x) {
      const GateCodes codes(*a.x, *a.y);
      const int16_t factor = codes.factor(gates[channel]);
      for (float& value : map) value = codes.code(static_cast<uint8_t>(value), factor);
    } else {
      for (float& value : map) value *= gates[channel];
    }
  }
  write_output(c, y, a.layout);
}

}  // namespace

GateAttributes GateAttributes::of(const ir::Node& node) {
  return {.layout = one_layout(node), .x = quantization_of(node, "x"), .y = quantization_of(node, "y")};
}

std::span<const Operator> fused_gate_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap, Slot::kGate};
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kCodeMaps,
                              .layout = LayoutRule::kAttributes,
                              .heavy = true};
  static constexpr Operator kOperators[] = {{ir::kFusedDomain, "Gate", 2, 2, infer_gate, evaluate_gate, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
