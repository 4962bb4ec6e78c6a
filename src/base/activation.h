// Activations: what they are called and what they compute. Code for single instruction sets includes this too, so that
// there is nothing in it that the linker could share: no inline function, no standard library but <cstdint>.
#pragma once

#include <cstdint>

namespace effdet::inline base {

enum class Activation : int32_t {
  kNone,
  kSwish,
  kRelu,
  kRelu6,
  kSigmoid,
  kHardSwish,
  kHardSigmoid,
  kLeakyRelu,
  kMish,
  kElu,  ///< the first that only layers of models have, and no fused operator
  kTanh
};
/// How many activations fused operators have: those before kElu.
inline constexpr int32_t kFusedActivations = static_cast<int32_t>(Activation::kElu);

/// What LeakyRelu multiplies negative values by: PyTorch's default, and ONNX's.
inline constexpr float kLeakySlope = 0.01f;

namespace scalar {
float identity(float x);
float swish(float x);
float relu(float x);
float relu6(float x);
float sigmoid(float x);
float hard_swish(float x);
float hard_sigmoid(float x);
float leaky_relu(float x);
float mish(float x);
}  // namespace scalar

struct ActivationRow {
  Activation activation;
  const char* name;          ///< in attributes of fused operators, and so in compiled models
  float (*function)(float);  ///< null where no fused operator has it: a layer of models, and an operator of ONNX
};

/// One row for each activation, in the enum's order; those of fused operators first.
inline constexpr ActivationRow kActivations[] = {
    {Activation::kNone, "none", scalar::identity},
    {Activation::kSwish, "swish", scalar::swish},
    {Activation::kRelu, "relu", scalar::relu},
    {Activation::kRelu6, "relu6", scalar::relu6},
    {Activation::kSigmoid, "sigmoid", scalar::sigmoid},
    {Activation::kHardSwish, "hardswish", scalar::hard_swish},
    {Activation::kHardSigmoid, "hardsigmoid", scalar::hard_sigmoid},
    {Activation::kLeakyRelu, "leakyrelu", scalar::leaky_relu},
    {Activation::kMish, "mish", scalar::mish},
    {Activation::kElu, "elu", nullptr},
    {Activation::kTanh, "tanh", nullptr},
};

consteval bool rows_are_in_order() {
  int32_t position = 0;
  for (const ActivationRow& row : kActivations)
    if (row.activation != Activation{position++}) return false;
  return true;
}
static_assert(rows_are_in_order());

const char* activation_name(Activation activation);
/// The activation of a value. Precondition: one of kFusedActivations.
float activate(Activation activation, float x);

}  // namespace effdet::inline base
