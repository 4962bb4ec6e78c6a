// ONNX's elementwise operators, and Activation, as steps of a program.
#include "compiler/elementwise_steps.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/match.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

using Operand = ops::ElementwiseOperand;
using Op = ops::ElementwiseOp;

/// Builds the steps of one node.
class Lowering {
 public:
  Lowering(const ir::Graph& graph, const ir::Node& node) : graph_(graph), node_(node) {}

  std::optional<NodeSteps> run() {
    if (!has_float_maps() || !(node_.domain.empty() ? lower_onnx() : lower_activation())) return std::nullopt;
    return std::move(result_);
  }

 private:
  bool has_float_maps() const {
    const auto is_float_map = [&](ir::ValueId id) {
      return id == ir::kNoValue || (graph_.value(id).dtype == DType::kF32 && passes::is_static(graph_.value(id).shape));
    };
    return node_.outputs.size() == 1 && std::ranges::all_of(node_.inputs, is_float_map) &&
           std::ranges::all_of(node_.outputs, is_float_map);
  }

  bool has(size_t i) const { return i < node_.inputs.size() && node_.inputs[i] != ir::kNoValue; }

  Operand input(size_t i) {
    const ir::ValueId id = node_.inputs[i];
    if (const auto number = scalar_constant(graph_, id)) return Operand::value(*number);
    const auto found = std::ranges::find(result_.inputs, id);
    if (found == result_.inputs.end()) {
      result_.inputs.push_back(id);
      return Operand::input(result_.inputs.size() - 1);
    }
    return Operand::input(static_cast<size_t>(found - result_.inputs.begin()));
  }

  Operand step(Op op, std::vector<Operand> operands) {
    result_.program.push_back({op, std::move(operands)});
    return Operand::step(result_.program.size() - 1);
  }
  Operand step(Op op, std::vector<Operand> operands, float number) {
    operands.push_back(Operand::value(number));
    return step(op, std::move(operands));
  }

  /// Operators that are a step, and those that are several.
  bool lower_onnx() {
    static constexpr struct {
      std::string_view op;
      bool (Lowering::*lower)();
    } kSeveral[] = {{"Sum", &Lowering::lower_all<Op::kAdd>},
                    {"Mean", &Lowering::lower_mean},
                    {"Max", &Lowering::lower_all<Op::kMax>},
                    {"Min", &Lowering::lower_all<Op::kMin>},
                    {"Clip", &Lowering::lower_clip},
                    {"Pow", &Lowering::lower_power},
                    {"Gelu", &Lowering::lower_gelu},
                    {"Selu", &Lowering::lower_selu},
                    {"LeakyRelu", &Lowering::lower_leaky_relu},
                    {"Elu", &Lowering::lower_elu},
                    {"HardSigmoid", &Lowering::lower_hard_sigmoid},
                    {"Softsign", &Lowering::lower_softsign}};
    for (const auto& [op, lower] : kSeveral)
      if (node_.op == op) return (this->*lower)();
    const auto* const same = std::ranges::find(ops::kElementwiseOperators, node_.op, &ops::ElementwiseOperator::onnx);
    if (same == std::end(ops::kElementwiseOperators) || node_.inputs.size() != same->operands || same->operands > 2)
      return false;
    std::vector<Operand> operands;
    for (size_t i = 0; i < same->operands; ++i) operands.push_back(input(i));
    step(same->op, operands);
    return true;
  }

  /// The operator of the first two inputs, of that and the third, and so on.
  template <Op op>
  bool lower_all() {
    if (node_.inputs.size() > ops::kMaxElementwiseInputs) return false;
    Operand result = input(0);
    for (size_t i = 1; i < node_.inputs.size(); ++i) result = step(op, {result, input(i)});
    return !result_.program.empty();
  }

  bool lower_mean() {
    if (node_.inputs.size() > ops::kMaxElementwiseInputs) return false;
    const Operand sum = lower_all<Op::kAdd>() ? Operand::step(result_.program.size() - 1) : input(0);
    step(Op::kDiv, {sum}, static_cast<float>(node_.inputs.size()));
    return true;
  }

  float alpha(float otherwise) const { return node_.get_float("alpha", otherwise); }

  bool lower_selu() {
    const Operand elu = step(Op::kElu, {input(0)}, alpha(1.67326319217681884765625f));
    step(Op::kMul, {elu}, node_.get_float("gamma", 1.05070102214813232421875f));
    return true;
  }

  bool lower_leaky_relu() {
    step(Op::kLeakyRelu, {input(0)}, alpha(kLeakySlope));
    return true;
  }

  bool lower_elu() {
    step(Op::kElu, {input(0)}, alpha(1));
    return true;
  }

  bool lower_hard_sigmoid() {
    step(Op::kHardSigmoid, {input(0), Operand::value(alpha(0.2f))}, node_.get_float("beta", 0.5f));
    return true;
  }

  bool lower_softsign() {
    const Operand x = input(0);
    step(Op::kDiv, {x, step(Op::kAdd, {step(Op::kAbs, {x})}, 1)});
    return true;
  }

  bool lower_clip() {
    float limits[] = {std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()};
    constexpr const char* kNames[] = {"min", "max"};
    for (size_t i = 0; i < 2; ++i) {
      if (graph_.opset < 11) {
        limits[i] = node_.get_float(kNames[i], limits[i]);
      } else if (has(i + 1)) {
        const auto number = scalar_constant(graph_, node_.inputs[i + 1]);
        if (!number) return false;
        limits[i] = *number;
      }
    }
    step(Op::kClip, {input(0), Operand::value(limits[0])}, limits[1]);
    return true;
  }

  /// Squares and cubes are products: powers take much longer.
  bool lower_power() {
    const Operand x = input(0), exponent = input(1);
    const bool known = exponent.kind == Operand::Kind::kNumber;
    if (known && exponent.number == 2) {
      step(Op::kMul, {x, x});
    } else if (known && exponent.number == 3) {
      step(Op::kMul, {step(Op::kMul, {x, x}), x});
    } else {
      step(Op::kPow, {x, exponent});
    }
    return true;
  }

  bool lower_gelu() {
    const Operand x = input(0);
    if (node_.get_string("approximate", "none") == "tanh") {
      const Operand cube = step(Op::kMul, {step(Op::kMul, {step(Op::kMul, {x}, 0.044715f), x}), x});
      const Operand inner = step(Op::kMul, {step(Op::kAdd, {x, cube})}, 0.7978845608028654f);
      step(Op::kMul, {step(Op::kMul, {x}, 0.5f), step(Op::kAdd, {step(Op::kTanh, {inner})}, 1)});
    } else {
      const Operand inner = step(Op::kErf, {step(Op::kMul, {x}, 0.7071067811865476f)});
      step(Op::kMul, {step(Op::kMul, {x}, 0.5f), step(Op::kAdd, {inner}, 1)});
    }
    return true;
  }

  /// Activation, where no layer has taken it.
  bool lower_activation() {
    if (node_.domain != ir::kFusedDomain || node_.op != "Activation") return false;
    const Operand x = input(0);
    switch (ops::activation_of(node_)) {
      case Activation::kSwish:
        step(Op::kMul, {x, step(Op::kSigmoid, {x})});
        break;
      case Activation::kRelu6:
        step(Op::kClip, {x, Operand::value(0)}, 6);
        break;
      case Activation::kHardSigmoid:
        step(Op::kHardSigmoid, {x, Operand::value(1.0f / 6)}, 0.5f);
        break;
      case Activation::kLeakyRelu:
        step(Op::kLeakyRelu, {x}, kLeakySlope);
        break;
      case Activation::kRelu:
        step(Op::kRelu, {x});
        break;
      case Activation::kSigmoid:
        step(Op::kSigmoid, {x});
        break;
      case Activation::kHardSwish:
        step(Op::kHardSwish, {x});
        break;
      case Activation::kMish:
        step(Op::kMish, {x});
        break;
      default:  // stays an operator of its own
        break;
    }
    return !result_.program.empty();
  }

  const ir::Graph& graph_;
  const ir::Node& node_;
  NodeSteps result_;
};

}  // namespace

std::optional<NodeSteps> elementwise_steps(const ir::Graph& graph, const ir::Node& node) {
  return Lowering(graph, node).run();
}

}  // namespace effdet::compiler
