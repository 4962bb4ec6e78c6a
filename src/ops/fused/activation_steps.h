// What follows the sums of a fused operator: an activation, and steps after it (the attribute `activation`).
#pragma once

#include <string_view>

#include "base/activation.h"
#include "ops/elementwise_program.h"

namespace effdet::ops {

/// The activation that a node's `attribute` names; kBadInput for a name that is none of fused operators.
Activation activation_of(const ir::Node& node, std::string_view attribute = "activation");

/// What follows the sums of a layer that may have more than an activation: its attribute is the activation's name, and
/// steps after it that compute one value from one: "hardswish; mul x0 0.5; add t0 0.1".
struct ActivationSteps {
  Activation activation = Activation::kNone;
  ElementwiseProgram steps;  ///< of the activation's result, x0; none for most layers

  /// kBadInput for what is neither.
  static ActivationSteps of(const ir::Node& node, std::string_view attribute = "activation");
  /// Whether nothing follows.
  bool is_none() const { return activation == Activation::kNone && steps.empty(); }
};
/// Appends a program of one input to such an attribute.
void append_steps(ir::Node& node, std::string_view attribute, const ElementwiseProgram& steps);

/// Activation and steps of every value of y.
void activate(const ir::Node& node, const ActivationSteps& activation, Tensor& y);

}  // namespace effdet::ops
