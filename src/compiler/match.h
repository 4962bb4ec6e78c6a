// Small questions that patterns ask.
#pragma once

#include <algorithm>
#include <optional>

#include "ir/graph.h"
#include "ops/fused/conv.h"
#include "ops/fused/maps.h"

namespace effdet::compiler {

/// The node that makes a value, or null.
inline const ir::Node* producer_of(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId id) {
  const int producer = uses.producer(id);
  return producer < 0 ? nullptr : &graph.nodes[static_cast<size_t>(producer)];
}

/// Whether a node is a fused operator of that type.
inline bool is_fused(const ir::Node& node, std::string_view type) {
  return node.domain == ir::kFusedDomain && node.op == type;
}

/// The node that makes a value where it is of the fused type, or null.
inline ir::Node* fused_producer(ir::Graph& graph, const ir::Uses& uses, ir::ValueId id, std::string_view type) {
  const int index = id == ir::kNoValue ? -1 : uses.producer(id);
  if (index < 0) return nullptr;
  ir::Node& node = graph.nodes[static_cast<size_t>(index)];
  return is_fused(node, type) ? &node : nullptr;
}

/// Whether a node has its input i.
inline bool has_input(const ir::Node& node, size_t i) {
  return i < node.inputs.size() && node.inputs[i] != ir::kNoValue;
}

/// The place of an axis in a shape of that rank, from the end where it is negative; nothing where there is none.
inline std::optional<size_t> place_of_axis(int64_t axis, size_t rank) {
  const int64_t place = axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
  return place >= 0 && place < static_cast<int64_t>(rank) ? std::optional(static_cast<size_t>(place)) : std::nullopt;
}

/// The only value of a constant that holds one float, or nothing.
inline std::optional<float> scalar_constant(const ir::Graph& graph, ir::ValueId id) {
  const Tensor* constant = graph.constant(id);
  if (constant == nullptr || constant->dtype() != DType::kF32 || constant->numel() != 1) return std::nullopt;
  return constant->data<float>()[0];
}

/// x times a number, or over one.
struct Scaled {
  ir::ValueId x;
  float factor;
};
inline std::optional<Scaled> scaled(const ir::Graph& graph, const ir::Node* node) {
  if (node == nullptr || node->inputs.size() != 2) return std::nullopt;
  for (size_t i = 0; i < 2; ++i) {
    const auto number = scalar_constant(graph, node->inputs[1 - i]);
    if (!number) continue;
    if (node->is("Mul")) return Scaled{node->inputs[i], *number};
    if (node->is("Div") && i == 0 && *number != 0) return Scaled{node->inputs[i], 1 / *number};
  }
  return std::nullopt;
}

/// A shape of four known dimensions, as fused operators take them.
inline bool is_static_map(const ir::Value& value) {
  return value.dtype == DType::kF32 && value.shape && value.shape->size() == 4 &&
         std::ranges::all_of(*value.shape, [](int64_t dim) { return dim > 0 && dim <= ops::kMaxExtent; });
}

/// Whether a fused Conv looks at one pixel at a time, and has neither residual nor gate.
inline bool is_plain_pointwise(const ir::Node& conv) {
  return !has_input(conv, ops::ConvAttributes::kResidual) && !has_input(conv, ops::ConvAttributes::kGate) &&
         ops::ConvAttributes::of(conv).is_pointwise();
}

/// Whether a layer's weights are int8 with scales.
inline bool has_weight_scale(const ir::Node& layer) {
  const auto scale = ops::card_of(layer).find_slot(ops::Slot::kScale);
  return scale && has_input(layer, *scale);
}

/// Whether a node takes the mean over height and width of a map, and keeps both as dimensions of 1.
inline bool is_global_mean(const ir::Graph& graph, const ir::Node& node) {
  if (!node.is("GlobalAveragePool") && !node.is("ReduceMean")) return false;
  const auto &x = graph.value(node.inputs[0]).shape, &y = graph.value(node.outputs[0]).shape;
  return x && y && x->size() == 4 && *y == Shape{(*x)[0], (*x)[1], 1, 1};
}

/// Whether more than an activation follows a layer's sums.
inline bool has_steps(const ir::Node& node) { return !ops::ActivationSteps::of(node).steps.empty(); }

/// Turns a node into a fused one with the same outputs and name.
inline void become_fused(ir::Node& node, std::string type, std::vector<ir::ValueId> inputs,
                         std::map<std::string, ir::Attribute> attributes) {
  node.op = std::move(type);
  node.domain = ir::kFusedDomain;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
}

}  // namespace effdet::compiler
