// The attribute `activation`: its text, and what it computes.
#include "ops/fused/activation_steps.h"

#include <algorithm>

namespace effdet::ops {
namespace {

/// The fused operators' activation of a name that the node's `attribute` gives.
Activation activation_named(const ir::Node& node, std::string_view attribute, std::string_view name) {
  const std::span fused(kActivations, kFusedActivations);
  const auto found = std::ranges::find(fused, name, &ActivationRow::name);
  if (found == fused.end()) node_error(node, "attribute '{}' is '{}', no known activation", attribute, name);
  return found->activation;
}

}  // namespace

Activation activation_of(const ir::Node& node, std::string_view attribute) {
  return activation_named(node, attribute, node.get_string(attribute, "none"));
}

ActivationSteps ActivationSteps::of(const ir::Node& node, std::string_view attribute) {
  const std::string text = node.get_string(attribute, "none");
  const size_t end = text.find("; ");
  ActivationSteps result;
  result.activation = activation_named(node, attribute, std::string_view(text).substr(0, end));
  if (end != text.npos) result.steps = parse_elementwise(node, std::string_view(text).substr(end + 2), 1);
  return result;
}

void append_steps(ir::Node& node, std::string_view attribute, const ElementwiseProgram& steps) {
  const size_t before = ActivationSteps::of(node, attribute).steps.size();
  ElementwiseProgram moved = steps;
  for (ElementwiseStep& step : moved)
    for (ElementwiseOperand& operand : step.operands) {
      if (operand.kind == ElementwiseOperand::Kind::kStep) operand.index += before;
      if (operand.kind == ElementwiseOperand::Kind::kInput && before > 0)
        operand = ElementwiseOperand::step(before - 1);
    }
  node.attributes[std::string(attribute)] =
      fmt::format("{}; {}", node.get_string(attribute, "none"), elementwise_text(moved));
}

void activate(const ir::Node& node, const ActivationSteps& activation, Tensor& y) {
  for (float& value : y.mutable_data<float>()) value = activate(activation.activation, value);
  if (!activation.steps.empty()) y = run_elementwise(node, activation.steps, {&y, 1});
}

}  // namespace effdet::ops
