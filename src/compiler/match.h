// Small questions that patterns ask.
#pragma once

#include <algorithm>

#include "ir/graph.h"
#include "ops/fused.h"

namespace effdet::compiler {

/// The node that makes a value, or null.
inline const ir::Node* producer_of(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId id) {
  const int producer = uses.producer(id);
  return producer < 0 ? nullptr : &graph.nodes[static_cast<size_t>(producer)];
}

/// The node that makes a value where it is of the fused type, or null.
inline ir::Node* fused_producer(ir::Graph& graph, const ir::Uses& uses, ir::ValueId id, std::string_view type) {
  const int index = id == ir::kNoValue ? -1 : uses.producer(id);
  if (index < 0) return nullptr;
  ir::Node& node = graph.nodes[static_cast<size_t>(index)];
  return node.domain == ir::kFusedDomain && node.op == type ? &node : nullptr;
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

/// Whether a fused Conv looks at one pixel at a time, every one: a 1x1 kernel without groups, strides and padding.
inline bool is_pointwise(const ir::Node& conv) {
  const std::vector<int64_t> ones{1, 1}, zeros(4, 0);
  return conv.get_int("group", 1) == 1 && conv.get_ints("kernel_shape", ones) == ones &&
         conv.get_ints("strides", ones) == ones && conv.get_ints("pads", zeros) == zeros;
}

/// The same with neither residual nor gate.
inline bool is_plain_pointwise(const ir::Node& conv) { return conv.inputs.size() == 3 && is_pointwise(conv); }

/// Whether a node takes the mean over height and width of a map, and keeps both as dimensions of 1.
inline bool is_global_mean(const ir::Graph& graph, const ir::Node& node) {
  if (!node.is("GlobalAveragePool") && !node.is("ReduceMean")) return false;
  const auto &x = graph.value(node.inputs[0]).shape, &y = graph.value(node.outputs[0]).shape;
  return x && y && x->size() == 4 && *y == Shape{(*x)[0], (*x)[1], 1, 1};
}

/// Whether more than an activation follows a layer's sums (ops::ActivationSteps).
inline bool has_steps(const ir::Node& node, std::string_view attribute = "activation") {
  return node.get_string(attribute, "none").find("; ") != std::string::npos;
}

/// Turns a node into a fused one with the same outputs and name.
inline void become_fused(ir::Node& node, std::string type, std::vector<ir::ValueId> inputs,
                         std::map<std::string, ir::Attribute> attributes) {
  node.op = std::move(type);
  node.domain = ir::kFusedDomain;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
}

}  // namespace effdet::compiler
