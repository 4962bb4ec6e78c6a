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

#include "ops/elementwise_op.h"
#include "ops/op.h"

namespace effdet::ops {

/// An operator of steps: the ONNX operator that it is, operands included. Those that `attributes` names are numbers.
struct ElementwiseOperator {
  ElementwiseOp op;
  std::string_view name, onnx;
  size_t operands = 1;
  std::array<std::string_view, 2> attributes = {};  ///< of the ONNX operator: the last operands
  bool numbers_last = false;                        ///< the operands after the first are numbers, and inputs in ONNX

  size_t attribute_count() const { return attributes[0].empty() ? 0 : attributes[1].empty() ? 1 : 2; }
  /// Whether an operand has to be a number.
  bool takes_number(size_t operand) const {
    return operand > 0 && (numbers_last || operand >= operands - attribute_count());
  }
};

/// One row for each ElementwiseOp, in the enum's order.
inline constexpr ElementwiseOperator kElementwiseOperators[] = {
    {ElementwiseOp::kAdd, "add", "Add", 2},
    {ElementwiseOp::kSub, "sub", "Sub", 2},
    {ElementwiseOp::kMul, "mul", "Mul", 2},
    {ElementwiseOp::kDiv, "div", "Div", 2},
    {ElementwiseOp::kMin, "min", "Min", 2},
    {ElementwiseOp::kMax, "max", "Max", 2},
    {ElementwiseOp::kPow, "pow", "Pow", 2},
    {ElementwiseOp::kPRelu, "prelu", "PRelu", 2},
    {ElementwiseOp::kNeg, "neg", "Neg"},
    {ElementwiseOp::kAbs, "abs", "Abs"},
    {ElementwiseOp::kSqrt, "sqrt", "Sqrt"},
    {ElementwiseOp::kReciprocal, "reciprocal", "Reciprocal"},
    {ElementwiseOp::kExp, "exp", "Exp"},
    {ElementwiseOp::kLog, "log", "Log"},
    {ElementwiseOp::kTanh, "tanh", "Tanh"},
    {ElementwiseOp::kErf, "erf", "Erf"},
    {ElementwiseOp::kSigmoid, "sigmoid", "Sigmoid"},
    {ElementwiseOp::kSoftplus, "softplus", "Softplus"},
    {ElementwiseOp::kMish, "mish", "Mish"},
    {ElementwiseOp::kRelu, "relu", "Relu"},
    {ElementwiseOp::kHardSwish, "hardswish", "HardSwish"},
    {ElementwiseOp::kFloor, "floor", "Floor"},
    {ElementwiseOp::kCeil, "ceil", "Ceil"},
    {ElementwiseOp::kRound, "round", "Round"},
    {ElementwiseOp::kLeakyRelu, "leakyrelu", "LeakyRelu", 2, {"alpha"}},
    {ElementwiseOp::kElu, "elu", "Elu", 2, {"alpha"}},
    {ElementwiseOp::kHardSigmoid, "hardsigmoid", "HardSigmoid", 3, {"alpha", "beta"}},
    {ElementwiseOp::kClip, "clip", "Clip", 3, {}, true},
};
static_assert([] {
  int32_t position = 0;
  for (const ElementwiseOperator& row : kElementwiseOperators)
    if (row.op != ElementwiseOp{position++}) return false;
  return true;
}());
constexpr const ElementwiseOperator& elementwise_operator(ElementwiseOp op) {
  return kElementwiseOperators[static_cast<size_t>(op)];
}

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
  ElementwiseOp op = ElementwiseOp::kAdd;
  std::vector<ElementwiseOperand> operands;
};

using ElementwiseProgram = std::vector<ElementwiseStep>;

/// The program of a text on so many inputs. Throws Error(kBadInput) that names the node for a text that is none, and
/// for inputs that no step reads.
ElementwiseProgram parse_elementwise(const ir::Node& node, std::string_view text, size_t inputs);
/// The program of an Elementwise node, on as many inputs as it has.
ElementwiseProgram elementwise_program_of(const ir::Node& node);
std::string elementwise_text(const ElementwiseProgram& program);

/// Runs a program on float32 tensors by ONNX's own operators, with their broadcasting.
Tensor run_elementwise(const ir::Node& node, const ElementwiseProgram& program, std::span<const Tensor> inputs);

}  // namespace effdet::ops
