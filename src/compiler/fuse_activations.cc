// ONNX's ways to write an activation become ai.effdet::Activation, and then a layer's attribute.
#include <algorithm>
#include <cmath>

#include "compiler/match.h"
#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

/// PyTorch's: clamp(x / 6 + 1 / 2, 0, 1).
bool is_hard_sigmoid(const ir::Node& node) {
  return node.is("HardSigmoid") && std::abs(node.get_float("alpha", 0.2f) - 1.0f / 6) < 1e-6f &&
         node.get_float("beta", 0.5f) == 0.5f;
}

/// The activation that a node computes of its first input; kNone where it computes something else.
Activation computed_activation(const ir::Graph& graph, const ir::Node& node) {
  if (node.is("Relu")) return Activation::kRelu;
  if (node.is("Sigmoid")) return Activation::kSigmoid;
  if (node.is("HardSwish")) return Activation::kHardSwish;
  if (node.is("Mish")) return Activation::kMish;
  if (node.is("Swish") && node.get_float("alpha", 1) == 1) return Activation::kSwish;
  if (is_hard_sigmoid(node)) return Activation::kHardSigmoid;
  if (node.is("LeakyRelu") && node.get_float("alpha", kLeakySlope) == kLeakySlope) return Activation::kLeakyRelu;
  if (!node.is("Clip")) return Activation::kNone;
  const auto limit = [&](size_t input, std::string_view attribute) -> std::optional<float> {
    if (graph.opset < 11) return node.find(attribute) ? std::optional(node.get_float(attribute, 0)) : std::nullopt;
    return input < node.inputs.size() ? scalar_constant(graph, node.inputs[input]) : std::nullopt;
  };
  return limit(1, "min") == 0.0f && limit(2, "max") == 6.0f ? Activation::kRelu6 : Activation::kNone;
}

/// The activation that x * gate is, where gate is made from x; kNone for something else.
Activation gated_activation(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId x, ir::ValueId gate) {
  const ir::Node* node = producer_of(graph, uses, gate);
  if (node == nullptr) return Activation::kNone;
  if (node->is("Sigmoid") && node->inputs[0] == x) return Activation::kSwish;
  if (is_hard_sigmoid(*node) && node->inputs[0] == x) return Activation::kHardSwish;
  if (!node->is("Tanh")) return Activation::kNone;
  const ir::Node* softplus = producer_of(graph, uses, node->inputs[0]);
  const bool is_mish = softplus != nullptr && softplus->is("Softplus") && softplus->inputs[0] == x;
  return is_mish ? Activation::kMish : Activation::kNone;
}

void become_activation(ir::Node& node, ir::ValueId x, Activation activation) {
  become_fused(node, "Activation", {x}, {{"activation", std::string(activation_name(activation))}});
}

/// The x of clamp(x + 3, 0, 6), as a value; kNoValue for something else.
ir::ValueId ramp_input(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId id) {
  const ir::Node* clip = producer_of(graph, uses, id);
  if (clip == nullptr || computed_activation(graph, *clip) != Activation::kRelu6) return ir::kNoValue;
  const ir::Node* sum = producer_of(graph, uses, clip->inputs[0]);
  if (sum == nullptr || !sum->is("Add")) return ir::kNoValue;
  for (size_t i = 0; i < 2; ++i)
    if (scalar_constant(graph, sum->inputs[1 - i]) == 3.0f) return sum->inputs[i];
  return ir::kNoValue;
}

/// The x of x * clamp(x + 3, 0, 6); kNoValue for something else.
ir::ValueId ramp_product_input(const ir::Graph& graph, const ir::Uses& uses, const ir::Node* node) {
  if (node == nullptr || !node->is("Mul")) return ir::kNoValue;
  for (size_t i = 0; i < 2; ++i)
    if (ramp_input(graph, uses, node->inputs[1 - i]) == node->inputs[i]) return node->inputs[i];
  return ir::kNoValue;
}

/// Hard-swish and hard-sigmoid as exporters spell them where the opset has no such operator: Add, Clip, Mul and Div in
/// some order, and another scale after them merged into the last.
void fuse_spelled_ramps(ir::Graph& graph) {
  const ir::Uses uses(graph);
  const auto is_sixth = [](float factor) { return std::abs(factor * 6 - 1) < 1e-6f; };
  for (ir::Node& node : graph.nodes) {
    if (graph.value(node.outputs[0]).dtype != DType::kF32) continue;
    if (const auto outer = scaled(graph, &node)) {
      ir::Node* inner =
          uses.producer(outer->x) < 0 ? nullptr : &graph.nodes[static_cast<size_t>(uses.producer(outer->x))];
      if (const ir::ValueId x = ramp_product_input(graph, uses, inner); x != ir::kNoValue) {
        if (is_sixth(outer->factor)) {
          become_activation(node, x, Activation::kHardSwish);
        } else if (uses.sole_reader(outer->x) >= 0) {
          become_activation(*inner, x, Activation::kHardSwish);
          const ir::ValueId factor = graph.add_constant(node.name + "_factor", Tensor::scalar(outer->factor * 6));
          node.op = "Mul";
          node.inputs = {outer->x, factor};
        }
      } else if (const ir::ValueId of_ramp = ramp_input(graph, uses, outer->x);
                 of_ramp != ir::kNoValue && is_sixth(outer->factor)) {
        become_activation(node, of_ramp, Activation::kHardSigmoid);
      }
      continue;
    }
    if (!node.is("Mul")) continue;
    for (size_t i = 0; i < 2; ++i) {
      const ir::Node* gate = producer_of(graph, uses, node.inputs[1 - i]);
      if (gate == nullptr || gate->get_string("activation", "") != activation_name(Activation::kHardSigmoid) ||
          gate->inputs[0] != node.inputs[i])
        continue;
      become_activation(node, node.inputs[i], Activation::kHardSwish);
      break;
    }
  }
}

bool takes_activation(const ir::Node* node) {
  return node != nullptr && ops::card_of(*node).absorbs != ops::Absorbs::kNothing &&
         node->get_string("activation", "none") == "none";
}

}  // namespace

void fuse_activations(ir::Graph& graph) {
  fuse_spelled_ramps(graph);
  const ir::Uses uses(graph);
  for (ir::Node& node : graph.nodes) {
    if (graph.value(node.outputs[0]).dtype != DType::kF32) continue;
    if (!node.is("Mul") || node.inputs.size() != 2) continue;
    for (size_t i = 0; i < 2; ++i) {
      const Activation gated = gated_activation(graph, uses, node.inputs[i], node.inputs[1 - i]);
      if (gated == Activation::kNone) continue;
      become_activation(node, node.inputs[i], gated);
      break;
    }
  }
  graph.compact();  // the Sigmoids of swishes are gone: those that remain stand alone
  for (ir::Node& node : graph.nodes) {
    if (graph.value(node.outputs[0]).dtype != DType::kF32) continue;
    const Activation computed = computed_activation(graph, node);
    if (computed != Activation::kNone) become_activation(node, node.inputs[0], computed);
  }
}

void absorb_activations(ir::Graph& graph) {
  const ir::Uses uses(graph);
  for (ir::Node& activation : graph.nodes) {
    if (activation.domain != ir::kFusedDomain || activation.op != "Activation") continue;
    ir::Node* last = ir::sole_producer(graph, uses, activation.inputs[0]);
    if (last == nullptr) continue;
    const std::vector<ir::Node*> producers = ir::producers_before(graph, uses, *last);
    if (!std::ranges::all_of(producers, takes_activation)) continue;
    for (ir::Node* producer : producers) producer->attributes["activation"] = activation.attributes.at("activation");
    std::swap(last->outputs[0], activation.outputs[0]);  // the activation now makes a value that nobody reads
    activation.inputs = {last->outputs[0]};
  }
  graph.compact();
}

}  // namespace effdet::compiler
