// Programs of elementwise steps: what an Elementwise node computes of its inputs, and what may follow an activation. As
// text, a step is its operator and its operands, and steps are separated by "; ":
//
//   "sub x0 x1; mul t0 t0; add t1 1e-05"
//
// where x0, x1, ... are the inputs, t0, t1, ... what the steps before made, and numbers are themselves. The last step's
// result is the program's.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "ops/op.h"

namespace effdet::ops {

/// An operator of steps: the ONNX operator that it is, operands included. Those that `attributes` names are numbers.
struct ElementwiseOperator {
  std::string_view name, onnx;
  size_t operands = 1;
  std::array<std::string_view, 2> attributes = {};  ///< of the ONNX operator: the last operands
  bool numbers_last = false;                        ///< the operands behind the first are numbers, and inputs in ONNX

  size_t attribute_count() const { return attributes[0].empty() ? 0 : attributes[1].empty() ? 1 : 2; }
  /// Whether an operand has to be a number.
  bool takes_number(size_t operand) const {
    return operand > 0 && (numbers_last || operand >= operands - attribute_count());
  }
};

/// In the order of cpu::ElementwiseOp.
inline constexpr ElementwiseOperator kElementwiseOperators[] = {
    {"add", "Add", 2},
    {"sub", "Sub", 2},
    {"mul", "Mul", 2},
    {"div", "Div", 2},
    {"min", "Min", 2},
    {"max", "Max", 2},
    {"pow", "Pow", 2},
    {"prelu", "PRelu", 2},
    {"neg", "Neg"},
    {"abs", "Abs"},
    {"sqrt", "Sqrt"},
    {"reciprocal", "Reciprocal"},
    {"exp", "Exp"},
    {"log", "Log"},
    {"tanh", "Tanh"},
    {"erf", "Erf"},
    {"sigmoid", "Sigmoid"},
    {"softplus", "Softplus"},
    {"mish", "Mish"},
    {"relu", "Relu"},
    {"hardswish", "HardSwish"},
    {"floor", "Floor"},
    {"ceil", "Ceil"},
    {"round", "Round"},
    {"leakyrelu", "LeakyRelu", 2, {"alpha"}},
    {"elu", "Elu", 2, {"alpha"}},
    {"hardsigmoid", "HardSigmoid", 3, {"alpha", "beta"}},
    {"clip", "Clip", 3, {}, true},
};

/// Limits on programs, so that what they take is known before they run.
inline constexpr size_t kMaxElementwiseInputs = 16, kMaxElementwiseSteps = 48;

struct ElementwiseOperand {
  enum class Kind : uint8_t { kInput, kStep, kNumber };
  Kind kind = Kind::kNumber;
  size_t index = 0;  ///< of the input or the step
  float number = 0;

  static ElementwiseOperand input(size_t index) { return {Kind::kInput, index, 0}; }
  static ElementwiseOperand step(size_t index) { return {Kind::kStep, index, 0}; }
  static ElementwiseOperand value(float number) { return {Kind::kNumber, 0, number}; }
};

struct ElementwiseStep {
  size_t op = 0;  ///< index into kElementwiseOperators
  std::vector<ElementwiseOperand> operands;
};

using ElementwiseProgram = std::vector<ElementwiseStep>;

/// Index of an operator by its name; Error(kInternal) for an unknown one.
size_t elementwise_op(std::string_view name);

/// The program of a text on so many inputs. Throws Error(kBadInput) that names the node for a text that is none, and
/// for inputs that no step reads.
ElementwiseProgram parse_elementwise(const ir::Node& node, std::string_view text, size_t inputs);
std::string elementwise_text(const ElementwiseProgram& program);

/// Runs a program on float32 tensors by ONNX's own operators, with their broadcasting.
Tensor run_elementwise(const ir::Node& node, const ElementwiseProgram& program, std::span<const Tensor> inputs);

}  // namespace effdet::ops
